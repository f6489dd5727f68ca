"""Draws have their distribution, also where the fast comparison cannot decide."""

import math
import random
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest, nbinom, norm

from federation.sampling import MOST_SIGMA, Table, _below_exp, discrete_gaussian, negative_binomial, uniform_words
from records.errors import ParameterError

DRAWS = 200_000


def fits(draws: np.ndarray, values: np.ndarray, chances: np.ndarray) -> float:
    """Chi-squared; what is rare counts as one."""
    observed = np.array([(draws == value).sum() for value in values], float)
    kept = chances * draws.size >= 5
    observed, expected = observed[kept], chances[kept] * draws.size
    rest = draws.size - expected.sum()
    if rest > 5:
        observed, expected = np.append(observed, draws.size - observed.sum()), np.append(expected, rest)
    return float(chisquare(observed, expected * observed.sum() / expected.sum()).pvalue)


def gaussian_chances(sigma: float, values: np.ndarray) -> np.ndarray:
    far = np.arange(-int(15 * sigma) - 2, int(15 * sigma) + 3)
    return np.exp(-(values**2) / (2 * sigma**2)) / np.exp(-(far**2) / (2 * sigma**2)).sum()


@pytest.mark.parametrize("sigma", [0.3, 0.5, 1.0, 7.3, 60.0])
def test_discrete_gaussian(sigma: float) -> None:
    """Fixed seed; fails wrongly in 1 of 1,000 seeds."""
    draws = discrete_gaussian(sigma, DRAWS, random.Random(1))
    values = np.arange(-int(6 * sigma) - 2, int(6 * sigma) + 3)
    assert fits(draws, values, gaussian_chances(sigma, values)) > 0.001


def test_a_planted_bug_is_caught() -> None:
    values = np.arange(-50, 51)
    draws = discrete_gaussian(7.3, DRAWS, random.Random(1))
    assert fits(draws, values, gaussian_chances(7.1, values)) < 1e-6


@pytest.mark.parametrize("sigma", [513.0, 3000.0, 2.0**20 + 0.3, MOST_SIGMA])
def test_wide_gaussians_are_drawn_in_blocks(sigma: float) -> None:
    """As good as continuous at this width, over all and within blocks; fails wrongly in 1 of 1,000 seeds."""
    draws = discrete_gaussian(sigma, DRAWS, random.Random(5))
    assert kstest(draws, norm(0, sigma).cdf).pvalue > 0.001
    width = 1 << math.ceil(math.log2(sigma / 512))
    assert chisquare(np.bincount(np.abs(draws) % width * 2 // width, minlength=2)).pvalue > 0.001
    assert fits(draws % 7, np.arange(7), np.full(7, 1 / 7)) > 0.001


@pytest.mark.parametrize(("parts", "rate"), [(1, 0.5), (2, 0.03), (5, 2.0)])
def test_negative_binomial(parts: int, rate: float) -> None:
    draws = negative_binomial(parts, rate, DRAWS, random.Random(3))
    values = np.arange(int(20 / rate) + 5)
    assert fits(draws, values, nbinom.pmf(values, 1 / parts, 1 - math.exp(-rate))) > 0.001


class Scripted(random.Random):
    """Gives the words that a test wants to see decided."""

    def __init__(self, words: list[int], bits: list[int]) -> None:
        super().__init__()
        self.words, self.bits = words, bits

    def randbytes(self, n: int) -> bytes:
        assert n == 8 * len(self.words)
        return np.array(self.words, dtype="<u8").tobytes()

    def getrandbits(self, k: int) -> int:
        assert k == 64
        return self.bits.pop(0)


def test_the_second_word_decides_where_the_first_cannot() -> None:
    """A third: its words are 0x5555... both."""
    with localcontext(prec=60):
        third, table = 0x5555555555555555, Table(iter([Decimal(1) / 3, Decimal(2) / 3]))
    words = [third - 1, third, third, third + 1]
    assert table.draw(4, Scripted(words, [third - 1, third + 1])).tolist() == [0, 0, 1, 1]


def test_a_comparison_too_close_for_floating_point() -> None:
    """exp(-1/2) to 128 bits, and one more and less."""
    with localcontext(prec=60):
        exact = int((Decimal(-1) / 2).exp() * 2**128)
    high, low = exact >> 64, exact & (2**64 - 1)
    source = Scripted([high] * 3, [low - 10**6, low + 10**6, 0])
    assert _below_exp(np.ones(3, np.int64), 1.0, source).tolist() == [True, False, True]
    assert not source.bits


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 1e6), st.integers(0, 300))
def test_as_many_as_asked_for(sigma: float, size: int) -> None:
    draws = discrete_gaussian(sigma, size, random.Random(4))
    assert draws.shape == (size,)
    assert draws.dtype == np.int64
    assert np.abs(draws).max(initial=0) < 14 * sigma + 14


def test_the_operating_systems_words() -> None:
    source = random.SystemRandom()
    assert not np.intersect1d(uniform_words(1000, source), uniform_words(1000, source)).size


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.nan, math.inf, 2.0**33])
def test_scales_out_of_range(sigma: float) -> None:
    with pytest.raises(ParameterError, match="sigma must"):
        discrete_gaussian(sigma, 3, random.Random(1))
