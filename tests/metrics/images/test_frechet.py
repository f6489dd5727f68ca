"""Frechet distance against scipy's matrix root and a closed form; KID without bias."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from metrics.images.frechet import frechet_distance, kernel_distance, kernel_interval


def test_frechet_equals_the_matrix_root() -> None:
    rng = np.random.default_rng(0)
    one = rng.standard_normal((200, 6)) @ rng.standard_normal((6, 6))
    other = rng.standard_normal((150, 6)) @ rng.standard_normal((6, 6)) + 1
    a, b = np.cov(one.T), np.cov(other.T)
    wanted = ((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(a + b - 2 * sqrtm(a @ b).real)
    assert frechet_distance(one, other) == pytest.approx(wanted, rel=1e-6)


def test_frechet_of_shifted_and_scaled_normals() -> None:
    points = np.random.default_rng(0).standard_normal((500, 3))
    variance = points.var(axis=0, ddof=1).sum()
    assert frechet_distance(points, points) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(points, points + 2) == pytest.approx(12)
    centred = points - points.mean(axis=0)
    assert frechet_distance(centred, 3 * centred) == pytest.approx(4 * variance)


def test_frechet_of_more_features_than_rows_is_finite() -> None:
    rng = np.random.default_rng(0)
    assert 0 < frechet_distance(rng.standard_normal((10, 40)), rng.standard_normal((12, 40))) < 100


def test_kernel_distance_equals_loops() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((7, 3)), rng.standard_normal((5, 3))

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (float(x @ y) / 3 + 1) ** 3

    within = [
        np.mean([kernel(side[i], side[j]) for i in range(len(side)) for j in range(len(side)) if i != j])
        for side in (one, other)
    ]
    across = np.mean([kernel(x, y) for x in one for y in other])
    assert kernel_distance(one, other) == pytest.approx(within[0] + within[1] - 2 * across)


def test_kernel_distance_is_unbiased() -> None:
    """Mean over 300 pairs of samples of one distribution lies within 3 standard errors of 0."""
    rng = np.random.default_rng(0)
    found = [kernel_distance(rng.standard_normal((20, 4)), rng.standard_normal((20, 4))) for _ in range(300)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(300)


def test_kernel_interval_tells_a_shift() -> None:
    rng = np.random.default_rng(0)
    same, shifted = (
        kernel_interval(rng.standard_normal((400, 4)), rng.standard_normal((400, 4)) + by, rng) for by in (0, 1)
    )
    assert same.lower < 0 < same.upper
    assert shifted.lower > 0
    assert np.isnan(kernel_interval(np.zeros((3, 2)), np.zeros((3, 2)), rng).value)
