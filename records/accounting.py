"""Conversion between zero-concentrated and approximate differential privacy.

Belongs here: rho, epsilon, delta and noise scale, which synthesizers, ledgers and prices must convert alike. Does not
belong here: drawing noise (``noise``), or what a mechanism costs (``models``).
"""

import math
from collections.abc import Callable

from records.errors import ParameterError

GOLDEN = (math.sqrt(5) - 1) / 2


def rho_to_epsilon(rho: float, delta: float) -> float:
    """Smallest epsilon such that rho-zCDP implies (epsilon, delta)-DP.

    Canonne, Kamath and Steinke (2020), The discrete Gaussian for differential privacy, Corollary 13: the infimum over
    ``alpha > 1`` of ``alpha rho + log(1 / (alpha delta)) / (alpha - 1) + log(1 - 1 / alpha)``.
    """
    return max(0.0, _epsilon_at(best_order(rho, delta) - 1, rho, delta))


def best_order(rho: float, delta: float) -> float:
    """Renyi order at which rho-zCDP implies the smallest epsilon; it falls as ``rho`` grows."""
    _refuse_out_of_range(rho, delta)

    def bound(log_excess: float) -> float:
        return _epsilon_at(math.exp(log_excess), rho, delta)

    return 1 + math.exp(_lowest(bound, -12.0, 25.0))


def _epsilon_at(excess: float, rho: float, delta: float) -> float:
    alpha = 1 + excess
    return alpha * rho - math.log(alpha * delta) / excess + math.log(excess / alpha)


def epsilon_to_rho(epsilon: float, delta: float) -> float:
    """Largest rho whose epsilon at ``delta`` does not exceed ``epsilon``.

    Raises
    ------
    ParameterError
        ``epsilon`` is not positive, or ``delta`` is not between 0 and 1.
    """
    if not (0 < epsilon < 1e4):
        raise ParameterError(f"epsilon must lie between 0 and 10000, got {epsilon}; choose for instance 1")
    _refuse_out_of_range(1.0, delta)
    low, high = -40.0, 15.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if rho_to_epsilon(math.exp(middle), delta) <= epsilon else (low, middle)
    return math.exp(low) * (1 - 1e-9)


def _lowest(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that first falls and then rises is lowest, by golden sections."""
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > 1e-10:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = function(right)
    return (low + high) / 2


def sigma_for(rho: float, queries: int) -> float:
    """Noise scale of ``queries`` sensitivity-1 counts that cost ``rho`` together (Bun and Steinke, 2016)."""
    _refuse_out_of_range(rho, 0.5)
    return math.sqrt(queries / (2 * rho))


def _refuse_out_of_range(rho: float, delta: float) -> None:
    if not (math.isfinite(rho) and rho > 0):
        raise ParameterError(f"rho must be positive and finite, got {rho}; choose a larger epsilon")
    if not 0 < delta < 1:
        raise ParameterError(f"delta must lie between 0 and 1, got {delta}; choose for instance 1e-5")
