"""The audit accuses honest mechanisms at its stated rate only, is tight, and catches planted bugs."""

import json

import numpy as np
import pytest
from scipy.stats import binom, norm

from metrics.attacks.audit import audit, audit_scores
from metrics.attacks.gaussian_dp import gaussian_epsilon, gaussian_mu
from records.accounting import epsilon_to_rho, rho_to_epsilon
from records.errors import ParameterError

DELTA = 1e-5


def gaussian_count(noise: float, jump: float = 1.0):
    """A count that the canary raises by ``jump``, with normal noise of standard deviation ``noise``."""
    return lambda with_canary, rng: jump * with_canary + rng.normal(0, noise)


def stated_noise(epsilon: float) -> float:
    """Of one count that holds ``epsilon`` at ``DELTA``."""
    return (2 * epsilon_to_rho(epsilon, DELTA)) ** -0.5


def zcdp_claim(epsilon: float, delta: float) -> float:
    """What a mechanism that holds ``epsilon`` at ``DELTA`` by zCDP claims at another delta."""
    return rho_to_epsilon(epsilon_to_rho(epsilon, DELTA), delta)


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_honest_mechanisms_are_accused_at_the_stated_rate(epsilon: float) -> None:
    """Randomised response spends all it claims. 400 audits at 95 %: more than 32 accusations with probability 0.003."""
    rng = np.random.default_rng(0)
    truth = np.exp(epsilon) / (1 + np.exp(epsilon))
    bounds = []
    for _ in range(400):
        scores = (rng.random(600) < truth).astype(float), (rng.random(600) > truth).astype(float)
        report = audit_scores(*scores, claimed_epsilon=epsilon, delta=0.0)
        bounds.append(report.epsilon_lower)
        assert report.violated == (report.epsilon_lower > epsilon)
    assert np.sum(np.array(bounds) > epsilon) <= 32
    assert binom.sf(32, 400, 0.05) < 0.004
    assert np.median(bounds) > 0.4 * epsilon


def test_the_gaussian_bound_holds_at_the_stated_rate() -> None:
    """400 audits of normal noise: mu is overstated in 5 % of them, in more than 32 with probability 0.003."""
    rng = np.random.default_rng(1)
    found = [gaussian_mu(rng.normal(0.5, 1, 500), rng.normal(0, 1, 500)) for _ in range(400)]
    assert 6 <= np.sum(np.array(found) > 0.5) <= 32


def test_a_gaussian_count_is_audited_tightly() -> None:
    """Claim epsilon 1 at delta 1e-5: the bound under Gaussian DP reaches 60 % of the claim, and never exceeds it."""
    run = gaussian_count(stated_noise(1))
    report = audit(run, claimed_epsilon=1, delta=DELTA, trials=10_000, rng=np.random.default_rng(0))
    assert 0.6 < report.gaussian_epsilon_lower < 1
    assert report.verdict == "not refuted"
    assert not report.gaussian_violated


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 5.0])
def test_half_the_noise_is_caught_without_assumption(epsilon: float) -> None:
    """The zCDP claim at delta 0.05, where few runs suffice; the honest mechanism passes the same audit."""
    claim = {"claimed_epsilon": zcdp_claim(epsilon, 0.05), "delta": 0.05, "trials": 20_000}
    right, wrong = (
        audit(gaussian_count(scale * stated_noise(epsilon)), **claim, rng=np.random.default_rng(0))
        for scale in (1, 0.5)
    )
    assert not right.violated
    assert wrong.violated


def test_half_the_noise_is_caught_at_the_stated_delta() -> None:
    """Epsilon 1 at delta 1e-5 itself takes 200,000 runs in each world without an assumption."""
    rng, noise = np.random.default_rng(0), 0.5 * stated_noise(1)
    scores = rng.normal(1, noise, 200_000), rng.normal(0, noise, 200_000)
    report = audit_scores(*scores, claimed_epsilon=1, delta=DELTA)
    assert report.violated
    assert report.gaussian_epsilon_lower > 1.7


def test_sensitivity_per_row_is_caught() -> None:
    """A patient with five rows, noise for one row."""
    run = gaussian_count(stated_noise(1), jump=5)
    report = audit(run, claimed_epsilon=1, delta=DELTA, trials=4000, rng=np.random.default_rng(0))
    assert report.violated


@pytest.mark.parametrize("side", [1, -1])
def test_an_event_that_one_world_alone_has_is_found_on_either_side(side: int) -> None:
    report = audit(
        lambda canary, rng: side * float(canary),
        claimed_epsilon=1,
        delta=DELTA,
        trials=400,
        rng=np.random.default_rng(0),
    )
    assert report.epsilon_lower > 3
    json.dumps(report.to_json(), allow_nan=False)


def test_no_difference_gives_no_bound() -> None:
    report = audit(lambda canary, rng: 0.0, claimed_epsilon=1, delta=DELTA, trials=100, rng=np.random.default_rng(0))
    assert report.epsilon_lower == 0
    assert report.gaussian_epsilon_lower == 0


@pytest.mark.parametrize(("mu", "delta"), [(0.2, 1e-5), (1.0, 1e-5), (1.0, 0.05), (6.0, 1e-6)])
def test_gaussian_epsilon_solves_its_equation(mu: float, delta: float) -> None:
    epsilon = gaussian_epsilon(mu, delta)
    assert np.isclose(
        norm.cdf(-epsilon / mu + mu / 2) - np.exp(epsilon) * norm.cdf(-epsilon / mu - mu / 2), delta, rtol=1e-4
    )
    assert epsilon <= rho_to_epsilon(mu**2 / 2, delta)


def test_parameters_out_of_range_are_refused() -> None:
    scores = np.zeros(50)
    with pytest.raises(ParameterError, match="trials must be at least 20, got 5"):
        audit_scores(scores[:5], scores[:5], claimed_epsilon=1, delta=DELTA)
    with pytest.raises(ParameterError, match="delta must lie between 0 and 1, got 2"):
        audit_scores(scores, scores, claimed_epsilon=1, delta=2)
    with pytest.raises(ParameterError, match="confidence must lie between"):
        audit_scores(scores, scores, claimed_epsilon=1, delta=0, confidence=0.1)
    with pytest.raises(ParameterError, match="scores must be numbers, got 50 that are not"):
        audit_scores(scores * np.nan, scores, claimed_epsilon=1, delta=0)
