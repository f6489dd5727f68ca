"""Tail probabilities of test statistics.

Belongs here: closed forms of the normal and the chi-squared distribution. Does not belong here: the statistics.

References
----------
Abramowitz and Stegun (1964), Handbook of mathematical functions, 26.4.4 and 26.4.5.
"""

import math

NORMAL_95 = 1.959963984540054


def normal_two_sided(z: float) -> float:
    """Probability of a standard normal number at least as far from 0."""
    return math.erfc(abs(z) / math.sqrt(2))


def chi_squared(statistic: float, degrees: int) -> float:
    """Probability of at least ``statistic``."""
    half = max(statistic, 0.0) / 2
    if degrees % 2 == 0:
        term, total = 1.0, 1.0
        for i in range(1, degrees // 2):
            term *= half / i
            total += term
        return math.exp(-half) * total
    total, term = math.erfc(math.sqrt(half)), 2 * math.sqrt(half / math.pi) * math.exp(-half)
    for i in range(1, (degrees + 1) // 2):
        total += term
        term *= half / (i + 0.5)
    return total
