"""The suite's intervals cover a leak of known strength."""

import numpy as np
import pytest

from metrics.attacks.suite import ATTACKS, membership_suite
from tests.metrics.attacks.planted import WIDE, leaking_release

REPETITIONS = 100
# Mean of 1,500 other repetitions (standard error 0.001) with 100 members and 100 controls, half of the members copied
# with noise 0.6.
NOISY_AUC = {"density ratio": 0.6935, "Gen-LRA": 0.7099, "nearest copy": 0.7082, "record linkage": 0.6589}


@pytest.mark.slow
@pytest.mark.parametrize(("copied", "noise"), [(0.3, 1e-3), (0.5, 0.6)])
def test_intervals_cover_a_known_leak(copied: float, noise: float) -> None:
    """Of 100 intervals at 95 %, fewer than 89 that cover have probability 0.004 in each of the 8 comparisons."""
    covered = dict.fromkeys(ATTACKS, 0)
    truth = NOISY_AUC if noise > 0.1 else dict.fromkeys(ATTACKS, copied + (1 - copied) / 2)
    for seed in range(REPETITIONS):
        rng = np.random.default_rng([seed, 2])
        report = membership_suite(*leaking_release(100, 100, copied=copied, noise=noise, rng=rng), WIDE, rng=rng)
        for result in report.attacks:
            if result.group == "all":
                covered[result.attack] += result.auc_lower <= truth[result.attack] <= result.auc_upper
    assert min(covered.values()) >= 89, covered
