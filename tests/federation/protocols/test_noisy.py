"""Noisy tables: the noise is the stated one, costs what was declared, and small noisy counts are left out."""

import math

import numpy as np
import pytest

from federation.jobs.job import Job
from federation.noise import Drawers, gaussian_rho
from federation.protocols.counts import contingency, histogram
from federation.protocols.linkage import linked_contingency
from federation.protocols.noisy import sigma_for
from records.errors import BudgetError
from tests.federation.parties import a_job, computed, hospitals
from tests.federation.protocols.test_linkage import HOLDERS, SITES

NCCTG, POOLED, _ = hospitals("lung", "ncctg_lung")


def _noise(job: Job) -> np.ndarray:
    counts = computed(histogram, NCCTG, job)["columns"][0]["counts"]
    exact = computed(histogram, NCCTG, a_job("histogram", ["time"], minimum_count=0))["columns"][0]["counts"]
    return np.array(counts) - np.array(exact)


@pytest.mark.parametrize("collusion", [0, 1, 2])
def test_the_noise_has_the_stated_spread(collusion: int):
    job = a_job("histogram", ["time"], minimum_count=0, rho=0.02, collusion=collusion)
    draws = np.concatenate([_noise(job) for _ in range(60)])
    sd = computed(histogram, NCCTG, job)["privacy"]["sd"]
    assert sd == pytest.approx(5 * math.sqrt(3 / (3 - collusion)), rel=1e-6)
    # The standard deviation of a sample of normal numbers is within 5 / sqrt(2 n) of the true one but for 1 in a million.
    assert draws.std() == pytest.approx(sd, rel=5 / math.sqrt(2 * len(draws)))
    assert abs(draws.mean()) < 5 * sd / math.sqrt(len(draws))


def test_several_tables_share_the_budget():
    result = computed(histogram, NCCTG, a_job("histogram", ["sex", "ecog"], rho=0.5, epsilon=4.0, delta=1e-5))
    assert result["privacy"]["sigma"] == pytest.approx(math.sqrt(2), rel=2e-3)
    assert result["privacy"]["epsilon"] == 4.0


def test_noisy_counts_below_the_minimum_are_left_out():
    job = a_job("contingency", ["sex", "ecog"], rho=0.5, minimum_count=30)
    counts = [n for row in computed(contingency, NCCTG, job)["counts"] for n in row]
    assert None in counts
    assert all(n is None or n >= 30 for n in counts)


def test_linked_tables_get_noise_too():
    job = a_job("linked_contingency", ["stage", "performance", "treatment"], rho=0.1, parameters={"holders": HOLDERS})
    assert computed(linked_contingency, SITES, job)["privacy"]["rho"] == 0.1


@pytest.mark.parametrize("rho", [0.01, 0.5, 20.0])
@pytest.mark.parametrize("drawers", [Drawers(3, 1), Drawers(8, 3)])
def test_the_scale_costs_no_more_than_declared(rho: float, drawers: Drawers):
    sigma = sigma_for(rho, [10, 1000], drawers)
    cost = sum(gaussian_rho(sigma, cells, drawers) for cells in (10, 1000))
    assert cost <= rho
    assert sigma >= math.sqrt(1 / rho)


def test_more_than_the_jobs_budget_is_never_spent(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("federation.protocols.noisy.sigma_for", lambda *_: 0.5)
    with pytest.raises(BudgetError, match="at most the job's rho"):
        computed(histogram, NCCTG, a_job("histogram", ["sex"], rho=0.01))
