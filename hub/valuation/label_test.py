"""Do a holder's labels say anything? A permutation test against free riders with random labels.

Belongs here: p-values and their adjustment for many holders. Does not belong here: the values (``knn_shapley``).

Null hypothesis: a holder's labels have nothing to do with its features, so that any order of them was as likely. With ``B`` random
orders the chance to call such a holder useful is at most the level, exactly; adjusted by Holm, the chance to pay any free rider of
a valuation, however many names they take. A small honest hospital may fail the test too: its power is in the documentation.

References
----------
Phipson and Smyth (2010), Permutation p-values should never be zero. Holm (1979), Scand J Stat 6:65.
"""

from collections.abc import Sequence

import numpy as np

from hub.valuation.knn_shapley import Scoring, label_effects
from hub.valuation.nearest import Labelled

AT_ONCE = 4_000_000


def label_p_values(
    records: Labelled, tests: np.ndarray, scoring: Scoring, credits_of: np.ndarray, permutations: int,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Chance that a holder's labels in random order are worth as much, shape (holders,); one-sided, not adjusted.

    Parameters
    ----------
    credits_of : numpy.ndarray, shape (holders, records)
    """
    found = np.ones(len(credits_of))
    for holder, credit in enumerate(credits_of):
        if credit.any():
            effects = label_effects(records, tests, scoring, credit)
            found[holder] = _p_value(effects, records.labels[credit > 0], permutations, rng)
    return found


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Adjusted p-values: those at most the level have a family-wise error of at most the level."""
    raw = np.asarray(p_values, dtype=float)
    order = np.argsort(raw)
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1)), 1.0)
    return adjusted


def _p_value(effects: np.ndarray, labels: np.ndarray, permutations: int, rng: np.random.Generator) -> float:
    rows = np.arange(len(labels))
    seen, reached, left = effects[rows, labels].sum(), 0, permutations
    while left > 0:
        some = min(left, max(1, AT_ONCE // len(labels)))
        mixed = rng.permuted(np.broadcast_to(labels, (some, len(labels))), axis=1)
        # Sums in another order differ by rounding: equal ones must count as equal.
        reached += int((effects[rows, mixed].sum(axis=1) >= seen - 1e-12).sum())
        left -= some
    return (1 + reached) / (1 + permutations)
