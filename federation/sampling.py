"""Exact draws of whole-number noise, by whole arrays.

Belongs here: distributions given by their chances, and the discrete Gaussian. Does not belong here: how much noise and
whose (``noise``).

A draw compares a uniform number of 128 bits with cumulative chances that are known to 60 digits. Nearly always its first
64 bits decide, which numpy compares; the rest is drawn where they do not. What floating point computes is taken only where
its error cannot change the answer, so the distribution is right to 2^-120, not to the 2^-53 of floating-point samplers
(Mironov, 2012, shows what the latter give away): a number drawn adds less than 2^-118 to a delta. ``records.noise`` has
the same distribution without any error, one value at a time and a hundred times as slow.

References
----------
Canonne, Kamath and Steinke, 2020, The discrete Gaussian for differential privacy. Mironov, 2012, On significance of the
least significant bits for differential privacy.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Iterator
from decimal import Context, Decimal, localcontext
from functools import lru_cache

import numpy as np

from records.errors import ParameterError

MOST_VALUES = 2_000_000
MOST_SIGMA = 2.0**32  # products of values and their place in a block stay below 2^63
_BITS, _WORD = 128, 64
_TAIL = Decimal(2) ** -120
_DIGITS = Context(prec=60)
_BLOCKS = 512  # of a Gaussian's scale: values in a block are so alike that few are rejected
_UNSURE = 2.0**-48


class Table:
    """Chances of 0, 1, 2, ..., from the first on until nearly nothing is left."""

    def __init__(self, chances: Iterator[Decimal]) -> None:
        total, thresholds = Decimal(0), list[int]()
        for chance in chances:
            total += chance
            if 1 - total <= _TAIL:
                break
            if len(thresholds) == MOST_VALUES:
                raise ParameterError(
                    f"noise must have at most {MOST_VALUES} values, got more; ask for a larger epsilon"
                )
            thresholds.append(int(total * 2**_BITS))
        self._high = np.array([t >> _WORD for t in thresholds], dtype=np.uint64)
        self._low = np.array([t & (2**_WORD - 1) for t in thresholds], dtype=np.uint64)

    def draw(self, size: int, source: random.Random) -> np.ndarray:
        """Independent draws; ``int64``."""
        words = uniform_words(size, source)
        first, last = (np.searchsorted(self._high, words, side) for side in ("left", "right"))
        for i in np.flatnonzero(first != last):
            first[i] += bisect_right(self._low[first[i] : last[i]].tolist(), source.getrandbits(_WORD))
        return first.astype(np.int64)


def uniform_words(size: int, source: random.Random) -> np.ndarray:
    """Independent uniform 64-bit words."""
    return np.frombuffer(source.randbytes(8 * size), dtype="<u8")


def negative_binomial(parts: int, rate: float, size: int, source: random.Random) -> np.ndarray:
    """Draws of which ``parts`` add up to a geometric number with ``q = exp(-rate)``: the shape is ``1 / parts``."""
    if not 120 * math.log(2) / MOST_VALUES < rate < math.inf:
        raise ParameterError(f"noise must have at most {MOST_VALUES} values, got more; ask for a larger epsilon")
    return _negative_binomial_table(parts, rate).draw(size, source)


def discrete_gaussian(sigma: float, size: int, source: random.Random) -> np.ndarray:
    """Draws with chances proportional to ``exp(-x^2 / (2 sigma^2))`` over all whole numbers; ``int64``."""
    if not 0 < sigma <= MOST_SIGMA:
        raise ParameterError(f"sigma must lie between 0 and 2^32, got {sigma}; choose a smaller one")
    width = 1 << max(0, math.ceil(math.log2(sigma / _BLOCKS)))
    table, kept, found = _half_gaussian_table(sigma, width), list[np.ndarray](), 0
    while found < size:
        candidates = _gaussian_candidates(table, sigma, width, size - found + (size - found) // 50 + 8, source)
        kept.append(candidates)
        found += candidates.size
    return np.concatenate([*kept, np.zeros(0, np.int64)])[:size]


def _gaussian_candidates(table: Table, sigma: float, width: int, size: int, source: random.Random) -> np.ndarray:
    """A block is drawn as if all its values had the chance of its first, then a value of it, which may be rejected."""
    start = table.draw(size, source) * width
    words = uniform_words(size, source)
    offset = ((words >> np.uint64(1)) & np.uint64(width - 1)).astype(np.int64)
    negative = (words & np.uint64(1)).astype(bool)
    value = start + offset
    # Zero has one sign only.
    accepted = ~((value == 0) & negative)
    if width > 1:
        accepted &= _below_exp(offset * (2 * start + offset), sigma, source)
    return np.where(negative, -value, value)[accepted]


def _below_exp(numerators: np.ndarray, sigma: float, source: random.Random) -> np.ndarray:
    """True with chance ``exp(-numerator / (2 sigma^2))``."""
    words = uniform_words(numerators.size, source)
    apart = np.exp(-numerators / (2 * sigma**2)) - words / 2.0**_WORD
    below = apart > 0
    for i in np.flatnonzero(np.abs(apart) < _UNSURE):
        with localcontext(_DIGITS):
            uniform = (int(words[i]) << _WORD) + source.getrandbits(_WORD)
            below[i] = uniform < (-Decimal(int(numerators[i])) / (2 * Decimal(sigma) ** 2)).exp() * 2**_BITS
    return below


@lru_cache(maxsize=8)
def _negative_binomial_table(parts: int, rate: float) -> Table:
    def chances() -> Iterator[Decimal]:
        q, shape = (-Decimal(rate)).exp(), 1 / Decimal(parts)
        chance, value = ((1 - q).ln() * shape).exp(), 0
        while True:
            yield chance
            chance, value = chance * q * (value + shape) / (value + 1), value + 1

    with localcontext(_DIGITS):
        return Table(chances())


@lru_cache(maxsize=8)
def _half_gaussian_table(sigma: float, width: int) -> Table:
    """Of blocks that begin at 0, ``width``, ``2 width``, ..."""

    def weights() -> Iterator[Decimal]:
        first = (-((Decimal(width) / Decimal(sigma)) ** 2) / 2).exp()
        weight, ratio, change = Decimal(1), first, first * first
        while weight > _TAIL / 100:
            yield weight
            weight, ratio = weight * ratio, ratio * change

    with localcontext(_DIGITS):
        listed = list(weights())
        total = sum(listed)
        return Table(weight / total for weight in listed)
