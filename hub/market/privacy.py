"""A budget that is bought, as the epsilon of the order it pays for.

Belongs here: zCDP rho to epsilon and back. Does not belong here: the price (``prices``), what is left (``budget``).

The conversion is the tightest closed form known, as the data side uses it: a looser one would order more privacy loss than was
bought.

References
----------
Canonne, Kamath and Steinke (2020), The discrete Gaussian for differential privacy, Corollary 13.
"""

import math

from scipy.optimize import brentq, minimize_scalar

from records.errors import ParameterError

DELTA = 1e-5
LEAST, MOST = 1e-6, 20.0


def epsilon_of(rho: float, delta: float = DELTA) -> float:
    """The least epsilon that rho-zCDP implies at ``delta``."""
    _within(rho, delta)

    def at(log_excess: float) -> float:
        excess = math.exp(log_excess)
        alpha = 1 + excess
        return alpha * rho - math.log(alpha * delta) / excess + math.log(excess / alpha)

    best = minimize_scalar(at, bounds=(-12, 25), method="bounded", options={"xatol": 1e-10})
    return max(0.0, at(float(best.x)))  # type: ignore[attr-defined]


def rho_of(epsilon: float, delta: float = DELTA) -> float:
    """The rho whose epsilon at ``delta`` is ``epsilon``."""
    if not (math.isfinite(epsilon) and 0 < epsilon <= 40):
        raise ParameterError("epsilon must be above 0 and at most 40, got another; choose another")
    if epsilon >= epsilon_of(MOST, delta):
        return MOST
    if epsilon <= epsilon_of(LEAST, delta):
        return LEAST
    found = brentq(lambda log_rho: epsilon_of(math.exp(log_rho), delta) - epsilon, math.log(LEAST), math.log(MOST))
    return math.exp(float(found))  # type: ignore[arg-type]


def _within(rho: float, delta: float) -> None:
    if not (math.isfinite(rho) and 0 < rho <= MOST and 0 < delta < 1):
        raise ParameterError(
            f"rho must be above 0 and at most {MOST:g}, and delta between 0 and 1, got others; choose others"
        )
