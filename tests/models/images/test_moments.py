"""Moments from noisy sums: exact where there is no noise, nothing invented where there is only noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.images.moments import estimated, square, triangle


@given(seed=st.integers(0, 10_000), size=st.integers(1, 9))
def test_a_triangle_is_the_outer_product_and_squares_lengths(seed: int, size: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(4, size))
    packed = triangle(vectors)
    assert np.linalg.norm(packed, axis=1) == pytest.approx((vectors**2).sum(axis=1))
    assert square(packed[0], size) == pytest.approx(np.outer(vectors[0], vectors[0]))


def _sums(groups: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.array([float(len(x)) for x in groups]), np.stack([x.sum(axis=0) for x in groups]),
        np.stack([triangle(x).sum(axis=0) for x in groups]),
    )  # fmt: skip


def test_without_noise_the_conditional_normal_is_that_of_regression() -> None:
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(4, 4))
    groups = [rng.normal(size=(20_000, 4)) @ mixing + k for k in range(2)]
    for x, found in zip(groups, estimated(*_sums(groups), noise=(0.0, 0.0, 0.0), drawn=3), strict=True):
        covariance = np.cov(x.T, bias=True)
        slope = np.linalg.lstsq(np.c_[np.ones(len(x)), x[:, 3:]], x[:, :3], rcond=None)[0][1]
        assert found.mean == pytest.approx(x[:, :3].mean(axis=0))
        assert found.gain[:, 0] == pytest.approx(slope, abs=0.05)
        left = covariance[:3, :3] - np.outer(slope, slope) * covariance[3, 3]
        assert found.factor @ found.factor.T == pytest.approx(left, abs=0.1)


def test_noise_alone_makes_no_structure() -> None:
    """Isotropic patients under heavy noise stay isotropic, and classes that do not differ stay alike."""
    rng = np.random.default_rng(1)
    groups = [rng.normal(size=(500, 30)) for _ in range(2)]
    counts, sums, products = _sums(groups)
    noise = (5.0, 40.0, 150.0)
    noisy = [part + rng.normal(0, s, part.shape) for part, s in zip((counts, sums, products), noise, strict=True)]
    one, other = estimated(noisy[0], noisy[1], noisy[2], noise=noise, drawn=30)
    spread = np.linalg.svd(one.factor)[1] ** 2
    assert spread.max() / spread.min() < 1.5
    assert spread.mean() == pytest.approx(1, abs=0.4)
    assert np.linalg.norm(one.mean - other.mean) < 0.3 * np.linalg.norm(noisy[1][0] / 500 - noisy[1][1] / 500)


def test_an_empty_class_borrows_from_the_others() -> None:
    rng = np.random.default_rng(2)
    full = [rng.normal(3, 1, (800, 5)), rng.normal(3, 1, (800, 5)), np.zeros((0, 5))]
    empty = estimated(*_sums(full), noise=(10.0, 10.0, 10.0), drawn=5)[2]
    assert empty.count == 0
    assert empty.mean == pytest.approx(np.full(5, 3.0), abs=0.3)
    assert np.isfinite(empty.factor).all()
