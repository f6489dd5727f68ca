"""Gen-LRA: would a candidate make the synthetic patients next to it likelier than the population does?

Belongs here: one score. Does not belong here: how candidates are drawn and judged (``suite``).

The population's density is a kernel density estimate of the reference. Adding the candidate ``x`` to its ``m``
patients changes the likelihood of the synthetic patients ``s`` nearest to ``x`` by
``sum(log((m p(s) + K(s, x)) / ((m + 1) p(s))))``. The kernel is ``exp(-distance / bandwidth)``: on the Gower distance
the product of a Laplace kernel for numbers and of Aitchison and Aitken's for categories. Its constant cancels.

The bandwidth is a share of the mean distance from ``s`` to its five nearest reference patients. With one bandwidth for
all, a near miss in an empty region outweighs an exact copy in a crowded one: on exact copies of the Copenhagen cohort
the AUC was .93, and .98 with the local one; with 30 % of the cells replaced they differed by 0.01. One synthetic neighbour and a share of
0.2 were the best of 12 choices.

References
----------
Ward, Wang and Cheng, 2025, arXiv:2508.21146 (Gen-LRA). Aitchison and Aitken, 1976, Biometrika 63:413. Terrell and
Scott, 1992, Ann. Statist. 20:1236 (bandwidth by nearest neighbours of the point).
"""

import numpy as np
from scipy.special import logsumexp

from metrics.distance import Points, distances

# A block that stays in the processor's cache takes two thirds of the time of one that does not.
PAIRS_AT_ONCE = 250_000
SYNTHETIC_NEIGHBOURS = 1
REFERENCE_NEIGHBOURS = 5
BANDWIDTH_SHARE = 0.2
SMALLEST_BANDWIDTH = 1e-3


def gen_lra(
    candidates: Points, synthetic: Points, reference: Points, *, neighbours: int = SYNTHETIC_NEIGHBOURS
) -> np.ndarray:
    """Log likelihood ratio of the nearest synthetic records with and without the candidate.

    Parameters
    ----------
    candidates, synthetic, reference : Points
    neighbours : int
        Synthetic records next to the candidate whose likelihood is compared.

    Returns
    -------
    numpy.ndarray of float, shape (candidates.rows,)
        Higher is more likely a member.
    """
    apart, rows = _nearest_rows(candidates, synthetic, neighbours)
    used, positions = np.unique(rows, return_inverse=True)
    width, without = (part[positions.reshape(rows.shape)] for part in _population(synthetic[used], reference))
    gain = np.logaddexp(0.0, -apart / width - without) - np.log1p(1 / reference.rows)
    return gain.sum(axis=1)


def _population(queries: Points, reference: Points) -> tuple[np.ndarray, np.ndarray]:
    """Bandwidth at each query and log of the sum of kernels over the reference, each of shape (queries.rows,)."""
    near, step = min(REFERENCE_NEIGHBOURS, reference.rows), max(1, PAIRS_AT_ONCE // reference.rows)
    widths, sums = [], []
    for start in range(0, queries.rows, step):
        apart = distances(queries[start : start + step], reference).astype(float)
        typical = np.partition(apart, near - 1, axis=1)[:, :near].mean(axis=1)
        widths.append(np.maximum(BANDWIDTH_SHARE * typical, SMALLEST_BANDWIDTH))
        sums.append(logsumexp(-apart / widths[-1][:, None], axis=1))
    return np.concatenate(widths), np.concatenate(sums)


def _nearest_rows(queries: Points, references: Points, neighbours: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the nearest references and their row numbers, each of shape (queries.rows, neighbours)."""
    count, step = min(neighbours, references.rows), max(1, PAIRS_AT_ONCE // references.rows)
    apart, rows = [], []
    for start in range(0, queries.rows, step):
        block = distances(queries[start : start + step], references)
        rows.append(np.argpartition(block, count - 1, axis=1)[:, :count])
        apart.append(np.take_along_axis(block, rows[-1], axis=1))
    return np.concatenate(apart).astype(float), np.concatenate(rows)
