"""Do synthetic images lie where real ones lie, and everywhere they lie? Precision, recall, density and coverage.

Belongs here: neighbour balls in feature space. Does not belong here: features (``features``) or the same question of
tables (``fidelity.manifold``, whose balls are closed because records tie; these are open, as published).

References
----------
Kynkaanniemi et al., 2019, NeurIPS (precision and recall). Naeem et al., 2020, ICML (density and coverage).
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

NEIGHBOURS = 5


@dataclass(frozen=True)
class Coverage:
    """Scores of one set against real images; all but density lie in 0..1.

    Parameters
    ----------
    precision : float
        Share of the set that lies in a ball of a real image.
    recall : float
        Share of real images that lie in a ball of the set.
    density : float
        Mean number of real balls an image lies in, over the neighbours; about 1 for real images.
    coverage : float
        Share of real balls that hold an image; for real images on average ``expected_coverage``.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def coverage(real: np.ndarray, table: np.ndarray, neighbours: int = NEIGHBOURS) -> Coverage:
    """Scores of ``table`` against ``real``; features of shape (rows, features), more rows than neighbours each."""
    between = cdist(real, table)
    inside = between < _radii(real, neighbours)[:, None]
    return Coverage(
        precision=float(inside.any(axis=0).mean()),
        recall=float((between < _radii(table, neighbours)[None]).any(axis=1).mean()),
        density=float(inside.sum() / (neighbours * len(table))),
        coverage=float(inside.any(axis=1).mean()),
    )


def expected_coverage(real: int, table: int, neighbours: int = NEIGHBOURS) -> float:
    """Expected coverage of two samples of one distribution (Naeem et al., lemma 2), whatever the distribution."""
    misses = [(real - 1 - k) / (real + table - 1 - k) for k in range(neighbours)]
    return float(1 - np.prod(misses))


def _radii(points: np.ndarray, neighbours: int) -> np.ndarray:
    """Distance of each point to its nearest other ones' last, shape (rows,)."""
    between = cdist(points, points)
    np.fill_diagonal(between, np.inf)
    return np.partition(between, neighbours - 1, axis=1)[:, neighbours - 1]
