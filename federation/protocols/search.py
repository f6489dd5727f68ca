"""Search along rising shared numbers, many pivots at a time.

Belongs here: the place where a goal is reached; only that is learnt. Does not belong here: curves (``survival``).
"""

import numpy as np

from federation.comparison import negative
from federation.runtime import Runtime, Shares

PIVOTS = 64


async def first_reaching(rt: Runtime, rising: Shares, goal: Shares, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """For each row the first point in [start, stop) where ``rising`` is at least ``goal``, and ``stop`` if there is none.

    Parameters
    ----------
    rising : shares of shape (rows, points), rising along each row
    goal : shares of shape (rows,)
    """
    low, high, rows = start.copy(), stop.copy(), np.arange(len(start))[:, None]
    while (low < high).any():
        pivots = low[:, None] + (np.maximum(high - 1 - low, 0)[:, None] * np.linspace(0, 1, PIVOTS)).astype(np.int64)
        pivots[:, -1] = np.maximum(high - 1, low)
        pivots = np.minimum(pivots, rising.shape[1] - 1)
        short = await negative(rt, rt.subtract(rising[rows, pivots], np.broadcast_to(goal[:, None], pivots.shape)))
        reached = await rt.open(short) == 0
        first = np.where(reached.any(axis=1), reached.argmax(axis=1), PIVOTS)
        before = np.take_along_axis(pivots, np.clip(first - 1, 0, PIVOTS - 1)[:, None], axis=1)[:, 0] + 1
        at = np.take_along_axis(pivots, np.clip(first, 0, PIVOTS - 1)[:, None], axis=1)[:, 0]
        open_ = low < high
        high = np.where(open_ & (first < PIVOTS), at, high)
        low = np.where(open_ & (first > 0), np.minimum(before, high), low)
        low = np.where(open_ & (first == 0), high, low)
    return high
