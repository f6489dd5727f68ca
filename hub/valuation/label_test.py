"""Do a holder's labels say anything? A permutation test against free riders with random labels.

Belongs here: the chance that labels in random order agree as well with what all others' patients say. Does not belong here: the
values (``knn_shapley``).

A linear model of everybody else's records and of the test patients gives each of the holder's records a risk; the statistic is the
sum of ranks of its cases (Mann-Whitney). Null hypothesis: a holder's labels have nothing to do with its features, so that any order
was as likely. Whatever the model, a free-riding name is then taken for useful with a chance of at most the level, exactly. Per name,
not for all names together: a correction would let somebody with many names take the honest ones' pay. Where most records lie, the
model lies too, and small honest hospitals may fail: the power is in the documentation.

References
----------
Mann and Whitney (1947), Ann Math Stat 18:50. Phipson and Smyth (2010), Permutation p-values should never be zero.
"""

import numpy as np
from scipy.stats import rankdata

from hub.valuation.nearest import Labelled

AT_ONCE = 4_000_000
RIDGE = 5.0  # patients' worth of shrinkage


def label_p_values(
    records: Labelled, tests: Labelled, credits_of: np.ndarray, permutations: int, rng: np.random.Generator
) -> np.ndarray:
    """One-sided p-value of each holder, shape (holders,); 1 where it has one class only.

    Parameters
    ----------
    credits_of : numpy.ndarray, shape (holders, records)
        Part of each record that is each holder's; a record with any part is tested as its.
    """
    every, known = _sums(records), _sums(tests)
    found = np.ones(len(credits_of))
    for holder, credit in enumerate(credits_of):
        mine = records.at(credit > 0)
        if len(np.unique(mine.labels)) < 2:
            continue
        own = _sums(mine)
        rest = [all_of_them + neutral - less for all_of_them, neutral, less in zip(every, known, own, strict=True)]
        found[holder] = _p_value(_risk(mine, *rest), mine.labels, permutations, rng)
    return found


def _sums(held: Labelled) -> tuple[np.ndarray, np.ndarray]:
    design = _designed(held)
    return design.T @ design, design.T @ (held.labels > 0)


def _risk(held: Labelled, products: np.ndarray, responses: np.ndarray) -> np.ndarray:
    shrink = RIDGE * np.eye(len(products))
    # Rounding must not rank equal patients.
    return np.round(_designed(held) @ np.linalg.solve(products + shrink, responses), 9)


def _designed(held: Labelled) -> np.ndarray:
    return np.column_stack([np.ones(held.rows), held.features])


def _p_value(risk: np.ndarray, labels: np.ndarray, permutations: int, rng: np.random.Generator) -> float:
    ranks, cases = rankdata(risk), int((labels > 0).sum())
    seen, reached, left = ranks[labels > 0].sum(), 0, permutations
    while left > 0:
        some = min(left, max(1, AT_ONCE // len(labels)))
        mixed = rng.permuted(np.broadcast_to(ranks, (some, len(ranks))), axis=1)
        reached += int((mixed[:, :cases].sum(axis=1) >= seen).sum())
        left -= some
    return (1 + reached) / (1 + permutations)
