"""The discrete Gaussian has its distribution; a halved sigma is caught."""

import random

import numpy as np
import pytest
from scipy.stats import chisquare

from records.noise import discrete_gaussian


def p_value(draws: np.ndarray, sigma: float) -> float:
    support = np.arange(-int(4 * sigma), int(4 * sigma) + 1)
    expected = np.exp(-(support**2) / (2 * sigma**2))
    expected /= expected.sum()
    inside = draws[np.abs(draws) <= support[-1]]
    kept = expected * inside.size >= 5
    observed = np.array([(inside == x).sum() for x in support[kept]])
    return float(chisquare(observed, expected[kept] / expected[kept].sum() * observed.sum()).pvalue)


@pytest.mark.parametrize("sigma", [0.7, 3.3, 12.0])
def test_distribution(sigma: float) -> None:
    """Fixed seed; fails wrongly with probability 0.001 over seeds."""
    assert p_value(discrete_gaussian(sigma, 8000, random.Random(1)), sigma) > 0.001


def test_a_planted_bug_is_caught() -> None:
    assert p_value(discrete_gaussian(3.3 / 2, 8000, random.Random(1)), 3.3) < 1e-6
