"""Achilles' heels: the records that a release endangers most, before any attack is run.

Belongs here: choosing them by the real records alone, by the same rule for members and non-members. Does not belong
here: attacking them (``suite``, ``shadow``). A release that hides the average patient may betray the unusual one.

References
----------
Meeus, Guepin, Cretu and de Montjoye, 2023, ESORICS, "Achilles' Heels" (mean distance to the 5 nearest records).
"""

import numpy as np

from metrics.distance import Points, nearest

NEIGHBOURS = 5
MOST_VULNERABLE_SHARE = 0.1


def isolation(records: Points) -> np.ndarray:
    """Mean distance of each record to its 5 nearest others.

    Returns
    -------
    numpy.ndarray of float, shape (records.rows,)
        Gower distance; a record alone in its table has 0.
    """
    others = min(NEIGHBOURS, records.rows - 1)
    if others < 1:
        return np.zeros(records.rows)
    # Each record's own distance, 0, is the smallest of the others + 1.
    return nearest(records, records, neighbours=others + 1) * (others + 1) / others


def most_vulnerable(records: Points, *, share: float = MOST_VULNERABLE_SHARE) -> np.ndarray:
    """The most isolated records.

    Parameters
    ----------
    records : Points
        Pool of members and non-members, so that both are chosen by one rule.
    share : float
        Of the pool, 0 to 1, rounded up to whole records.

    Returns
    -------
    numpy.ndarray of bool, shape (records.rows,)
    """
    chosen = np.argsort(-isolation(records), kind="stable")[: int(np.ceil(share * records.rows))]
    mask = np.zeros(records.rows, dtype=bool)
    mask[chosen] = True
    return mask


def pooled(first: Points, second: Points) -> Points:
    """The rows of both, first those of ``first``."""
    return Points(
        np.concatenate([first.levels, second.levels]), np.concatenate([first.numbers, second.numbers]), first.categories
    )
