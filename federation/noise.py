"""Noise of which each party draws a part, so that nobody knows the whole.

Belongs here: a party's part, and what the whole costs. Does not belong here: exact samplers (``sampling``), or where noise is
added (``protocols``).

Of ``parties`` that draw noise up to ``collusion`` may subtract their own. Each draws as if the others were so few, so that
what is left protects as stated; without collusion the whole is larger than needed by ``parties / (parties - collusion)`` in
variance. With ``collusion`` 0 the whole is exactly what one trusted curator would add: it protects against those who get
the result, not against a party that knows its own part.

Sums. Parts are discrete Gaussian of variance ``sigma^2 / m`` with ``m = parties - collusion``. Their sum is nearly, not
exactly, discrete Gaussian; ``gaussian_rho`` holds for the sum as it is (Kairouz, Liu and Steinke, 2021, Theorem 1).

Choices. Each score gets one-sided geometric noise and the largest wins, which is ``epsilon``-differentially private for
``q = exp(-epsilon / (2 sensitivity))``. Fix the noise of all others: candidate ``i`` wins if its noise reaches a threshold,
which one patient moves by at most ``2 sensitivity``; the chance of that is ``q ^ threshold``, so it changes by at most
``e^epsilon``. With exponential noise this is permute-and-flip (McKenna and Sheldon, 2020; Ding et al., 2021). Geometric
noise is a sum of ``m`` negative binomials of shape ``1 / m``, which is a party's part. What colluders add on top is a
constant to them and changes nothing in the argument.

References
----------
Kairouz, Liu and Steinke, 2021, The distributed discrete Gaussian mechanism for federated learning with secure
aggregation, arXiv:2102.06387. McKenna and Sheldon, 2020, Permute-and-flip, arXiv:2010.12603. Ding, Kifer, Steinke et
al., 2021, arXiv:2105.07260. Bun and Steinke, 2016 (epsilon-DP is epsilon^2 / 2 in zCDP).
"""

import math
import random
from dataclasses import dataclass

import numpy as np

from federation.sampling import discrete_gaussian, negative_binomial
from records.errors import ParameterError


@dataclass(frozen=True)
class Drawers:
    """The ``parties`` that draw noise, of which ``collusion`` may subtract their own."""

    parties: int
    collusion: int

    def __post_init__(self) -> None:
        if not 0 <= self.collusion < self.parties:
            raise ParameterError(
                f"collusion must lie between 0 and {self.parties - 1}, got {self.collusion}; choose a smaller one"
            )

    @property
    def honest(self) -> int:
        """Parts that always remain."""
        return self.parties - self.collusion


def gaussian_part(
    shape: tuple[int, ...], sigma: float, drawers: Drawers, bits: random.Random | None = None
) -> np.ndarray:
    """This party's part of noise of scale ``sigma``.

    Parameters
    ----------
    bits : random.Random or None
        Source of random bits; ``None`` takes the operating system's. A seeded source is for tests only: who knows the
        seed can take the noise away.
    """
    part = sigma / math.sqrt(drawers.honest)
    return discrete_gaussian(part, int(np.prod(shape)), bits or random.SystemRandom()).reshape(shape)


def gaussian_rho(sigma: float, cells: int, drawers: Drawers, sensitivity: float = 1.0) -> float:
    """zCDP of one table of whole numbers against those who know the colluders' parts.

    One patient changes the table by at most ``sensitivity`` in L2 norm; a table of counts by 1, in one cell. Kairouz, Liu
    and Steinke (2021), Theorem 1; for parts of scale 3 or more it is ``sensitivity^2 / (2 sigma^2)`` to 30 digits.
    """
    if not (math.isfinite(sigma) and sigma > 0):
        raise ParameterError(f"sigma must be positive and finite, got {sigma}; choose a smaller epsilon")
    honest = drawers.honest
    part = sigma**2 / honest
    away = 10 * sum(math.exp(-2 * math.pi**2 * part * k / (k + 1)) for k in range(1, honest))
    moved = sensitivity / sigma
    return min(moved**2 + away * cells / 2, (moved + away * math.sqrt(cells)) ** 2) / 2


def choice_rho(epsilon: float) -> float:
    """zCDP of a choice with ``choice_part`` for the same ``epsilon``."""
    return epsilon**2 / 2


def choice_part(
    candidates: int, sensitivity: int, epsilon: float, drawers: Drawers, bits: random.Random | None = None
) -> np.ndarray:  # fmt: skip
    """This party's part of the noise of whole-number scores.

    Parameters
    ----------
    sensitivity : int
        Most by which one patient changes a score.
    epsilon : float
        Pure differential privacy of the choice.
    """
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise ParameterError(f"epsilon must be positive and finite, got {epsilon}; choose for instance 0.1")
    rate = epsilon / (2 * sensitivity)
    return negative_binomial(drawers.honest, rate, candidates, bits or random.SystemRandom())
