"""Exact mechanisms from the operating system's entropy, in integer arithmetic that floating point cannot betray.

Belongs here: discrete Gaussian noise (Canonne, Kamath and Steinke, 2020, Algorithms 1 to 3) and the exponential
mechanism (McSherry and Talwar, 2007). Does not belong here: how much noise (``records.accounting``), or draws by whole arrays
(``federation.sampling``).
"""

import random
from fractions import Fraction

import numpy as np

_UNITS = 1024


def discrete_gaussian(sigma: float, size: int, bits: random.Random | None = None) -> np.ndarray:
    """Independent draws with probability proportional to ``exp(-x^2 / (2 sigma^2))`` over the integers.

    Parameters
    ----------
    sigma : float
        Scale, > 0.
    size : int
    bits : random.Random or None
        Source of random integers; ``None`` takes the operating system's. A seeded source is for tests only: who
        knows the seed can take the noise away.

    Returns
    -------
    numpy.ndarray of int64, shape (size,)
    """
    source = bits or random.SystemRandom()
    variance = Fraction(sigma) ** 2
    scale = int(sigma) + 1
    return np.array([_gaussian(variance, scale, source) for _ in range(size)], dtype=np.int64)


def exponential_mechanism(scores: np.ndarray, sensitivity: float, epsilon: float, bits: random.Random | None) -> int:
    """Index drawn with probability proportional to ``exp(epsilon * score / (2 * sensitivity))``, by rejection.

    Scores are rounded to multiples of ``sensitivity / 1024``, which adds that much to the sensitivity; the scale
    accounts for it, so that the choice is ``epsilon``-differentially private and costs ``epsilon ** 2 / 8`` in zCDP
    (Cesar and Rogers, 2021).

    Parameters
    ----------
    scores : numpy.ndarray of float, shape (candidates,)
    sensitivity : float
        Most by which one patient changes a score, > 0.
    epsilon : float
    bits : random.Random or None
        See ``discrete_gaussian``.
    """
    source = bits or random.SystemRandom()
    units = np.rint(scores / sensitivity * _UNITS).astype(np.int64)
    behind = (units.max() - units).tolist()
    step = Fraction(epsilon) / (2 * (_UNITS + 1))
    while True:
        candidate = source.randrange(len(behind))
        if _bernoulli_exp(behind[candidate] * step, source):
            return candidate


def _gaussian(variance: Fraction, scale: int, bits: random.Random) -> int:
    while True:
        candidate = _laplace(scale, bits)
        bias = (abs(candidate) - variance / scale) ** 2 / (2 * variance)
        if _bernoulli_exp(bias, bits):
            return candidate


def _laplace(scale: int, bits: random.Random) -> int:
    while True:
        low = bits.randrange(scale)
        if not _bernoulli_exp(Fraction(low, scale), bits):
            continue
        high = 0
        while _bernoulli_exp(Fraction(1), bits):
            high += 1
        magnitude = low + scale * high
        negative = bits.getrandbits(1)
        if not (negative and magnitude == 0):
            return -magnitude if negative else magnitude


def _bernoulli_exp(gamma: Fraction, bits: random.Random) -> bool:
    while gamma > 1:
        if not _bernoulli_exp(Fraction(1), bits):
            return False
        gamma -= 1
    count = 1
    while bits.randrange(gamma.denominator * count) < gamma.numerator:
        count += 1
    return count % 2 == 1
