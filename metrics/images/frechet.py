"""Distances between two sets of features: Frechet (Gaussian) and kernel (KID), with intervals.

Belongs here: the two distances. Does not belong here: which features (``features``, ``radiomics``) or references
(``fidelity``). On radiomics the former is the Frechet radiomics distance. Neither is FID, which needs Inception.

The Frechet distance is biased upwards in small samples, the more features the more: read it beside other real images of
the same number. KID is unbiased and may be negative.

References
----------
Dowson and Landau, 1982, J Multivariate Anal 12:450. Heusel et al., 2017, NeurIPS. Binkowski et al., 2018, ICLR (KID).
Konz et al., 2024, arXiv:2412.01496 (Frechet radiomics distance).
"""

import numpy as np

from metrics.discrimination import Interval

SUBSETS, MOST_IN_SUBSET = 100, 500


def frechet_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Squared Frechet distance of the Gaussians fitted to two sets, at least 0.

    Parameters
    ----------
    one, other : numpy.ndarray, shape (rows, features)
        At least 2 rows each.
    """
    gap = one.mean(axis=0) - other.mean(axis=0)
    first, second = (np.atleast_2d(np.cov(side, rowvar=False)) for side in (one, other))
    # tr sqrt(AB) = tr sqrt(A^1/2 B A^1/2), which is symmetric: no complex roots from rounding.
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ second @ root), 0, None)).sum()
    return float(max(0.0, gap @ gap + np.trace(first) + np.trace(second) - 2 * shared))


def kernel_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy under ``(x.y / features + 1) ** 3``."""
    m, n = len(one), len(other)
    own = [_kernel(side, side) for side in (one, other)]
    within = [(k.sum() - np.trace(k)) / (size * (size - 1)) for k, size in zip(own, (m, n), strict=True)]
    return float(within[0] + within[1] - 2 * _kernel(one, other).mean())


def kernel_interval(one: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> Interval:
    """Mean KID of 100 random subsets and the spread of their middle 95 %.

    The spread is that of subsets of at most 500 (at most half of the smaller set): wider than the error of the mean.
    """
    size = min(MOST_IN_SUBSET, len(one) // 2, len(other) // 2)
    if size < 2:
        return Interval(float("nan"), float("nan"), float("nan"))
    found = [
        kernel_distance(
            one[rng.choice(len(one), size, replace=False)], other[rng.choice(len(other), size, replace=False)]
        )
        for _ in range(SUBSETS)
    ]
    lower, upper = np.quantile(found, [0.025, 0.975])
    return Interval(float(np.mean(found)), float(lower), float(upper))


def _kernel(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one @ other.T / one.shape[1] + 1) ** 3
