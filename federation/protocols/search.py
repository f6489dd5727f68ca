"""Search along rising shared numbers, many pivots at a time.

Belongs here: the places where goals are reached; only these are learnt. Does not belong here: curves (``survival``).
"""

import numpy as np

from federation.comparison import negative
from federation.runtime import Runtime, Shares

FEWEST_PIVOTS, MOST_PIVOTS = 4, 64
AT_ONCE = 1 << 13  # comparisons


async def first_reaching(rt: Runtime, rising: Shares, goals: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """For each goal the first point where its row is at least the goal, and the number of points if there is none.

    Parameters
    ----------
    rising : shares of shape (rows, points), rising along each row
    goals : numpy.ndarray of int, shape (goals,)
        Public.
    rows : numpy.ndarray of int, shape (goals,)
        Row of each goal.
    """
    points = rising.shape[1]
    low, high = np.zeros(len(goals), np.int64), np.full(len(goals), points)
    pivots = int(np.clip(AT_ONCE // max(len(goals), 1), FEWEST_PIVOTS, MOST_PIVOTS))
    spread = np.linspace(0, 1, pivots)
    while (active := np.flatnonzero(low < high)).size:
        start, end = low[active, None], high[active, None] - 1
        at = start + np.rint((end - start) * spread).astype(np.int64)
        distance = rt.subtract(rising[rows[active, None], at], rt.public(goals[active, None], at.shape))
        short = await rt.open(await negative(rt, distance)) == 1
        # Rising: the goal is reached from one pivot on, and not before.
        first = short.sum(axis=1)
        last = np.take_along_axis(at, np.maximum(first - 1, 0)[:, None], axis=1)[:, 0]
        next_ = np.take_along_axis(at, np.minimum(first, pivots - 1)[:, None], axis=1)[:, 0]
        low[active] = np.where(first > 0, last + 1, next_)
        high[active] = np.where(first < pivots, next_, high[active])
    return high
