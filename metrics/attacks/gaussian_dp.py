"""Gaussian differential privacy: mu from scores of two worlds, and epsilon from mu.

Belongs here: the arithmetic of mu-Gaussian DP. Does not belong here: whether a mechanism is of that kind, which the
caller assumes (``audit``).

References
----------
Dong, Roth and Su, 2022, Gaussian Differential Privacy, JRSS B 84:3. DeLong et al., 1988, Biometrics 44:837.
"""

from math import exp, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from metrics.discrimination import Z95, delong

MOST_EPSILON = 1e3


def gaussian_mu(with_canary: np.ndarray, without: np.ndarray, *, confidence: float = 0.95) -> float:
    """Lower bound of mu, at least 0, from DeLong's bound of the AUC.

    One run of either world is added at the wrong end, so that worlds that never overlap give a finite bound too.
    """
    both = np.concatenate([with_canary, without])
    scores = np.concatenate([with_canary, [both.min()], without, [both.max()]])
    area = delong(scores, np.arange(len(scores)) <= len(with_canary))
    lower = area.value - float(norm.ppf(confidence)) * (area.value - area.lower) / Z95
    return max(0.0, sqrt(2) * float(norm.ppf(max(lower, 0.0))))


def gaussian_epsilon(mu: float, delta: float) -> float:
    """Smallest epsilon at ``delta`` of mu-Gaussian differential privacy (Dong, Roth and Su, 2022, Corollary 1)."""

    def excess(epsilon: float) -> float:
        log_second = epsilon + float(norm.logcdf(-epsilon / mu - mu / 2))
        return float(norm.cdf(-epsilon / mu + mu / 2)) - exp(min(log_second, 0.0)) - delta

    if mu <= 0 or excess(0.0) <= 0:
        return 0.0
    return MOST_EPSILON if excess(MOST_EPSILON) > 0 else float(brentq(excess, 0.0, MOST_EPSILON, xtol=1e-9))  # type: ignore[arg-type]
