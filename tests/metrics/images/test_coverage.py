"""Precision, recall, density and coverage against the authors' package and a published expectation."""

import numpy as np
import pytest
from prdc import compute_prdc

from metrics.images.coverage import coverage, expected_coverage


@pytest.mark.parametrize("neighbours", [3, 5])
@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_equal_to_the_authors_package(neighbours: int, shift: float) -> None:
    rng = np.random.default_rng(0)
    real, table = rng.standard_normal((120, 5)), rng.standard_normal((90, 5)) + shift
    theirs = compute_prdc(real_features=real, fake_features=table, nearest_k=neighbours)
    assert vars(coverage(real, table, neighbours)) == pytest.approx(theirs)


def test_expectation_holds_whatever_the_distribution() -> None:
    """Mean coverage over 200 pairs of samples lies within 3 standard errors of the expectation."""
    for draw in (np.random.default_rng(0).standard_normal, np.random.default_rng(1).standard_exponential):
        found = [coverage(draw((60, 3)), draw((40, 3))).coverage for _ in range(200)]
        assert abs(np.mean(found) - expected_coverage(60, 40)) < 3 * np.std(found) / np.sqrt(200)


def test_collapse_is_precise_but_covers_little() -> None:
    rng = np.random.default_rng(0)
    real = rng.standard_normal((200, 3))
    found = coverage(real, 0.01 * rng.standard_normal((200, 3)))
    assert found.precision > 0.9
    assert found.recall < 0.1
    assert found.coverage < 0.3
