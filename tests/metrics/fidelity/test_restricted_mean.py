"""Restricted mean survival time and its variance against lifelines and the bootstrap."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time
from scipy.integrate import IntegrationWarning

from metrics.fidelity.kaplan_meier import gap, kaplan_meier
from metrics.fidelity.restricted_mean import restricted_mean


def drawn(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    death, censored = rng.exponential(20, rows), rng.uniform(5, 40, rows)
    return np.ceil(np.minimum(death, censored)), death <= censored


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(20, 150), st.floats(0.2, 1.0))
def test_value_equals_lifelines(seed: int, rows: int, share: float) -> None:
    time, event = drawn(seed, rows)
    horizon = share * time.max()
    expected = restricted_mean_survival_time(KaplanMeierFitter().fit(time, event), t=horizon)
    assert restricted_mean(time, event, horizon).value == pytest.approx(expected, rel=1e-9)


def test_variance_without_censoring_equals_lifelines() -> None:
    """lifelines gives the variance of one patient's restricted time; the estimate's is that over the patients."""
    time = np.repeat(np.arange(2.0, 12.0, 2.0), [9, 4, 6, 3, 8])
    fitted = KaplanMeierFitter().fit(time, np.ones(30))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IntegrationWarning)  # lifelines integrates steps numerically
        _, variance = restricted_mean_survival_time(fitted, t=9.0, return_variance=True)  # type: ignore[misc]
    found = restricted_mean(time, np.ones(30, bool), 9.0).variance
    assert found == pytest.approx(variance / 30, rel=1e-5)
    assert found == pytest.approx(np.minimum(time, 9).var() / 30, rel=1e-12)


def test_variance_with_censoring_equals_the_bootstrap() -> None:
    time, event = drawn(7, 300)
    rng = np.random.default_rng(0)
    rows = rng.integers(300, size=(2000, 300))
    means = [restricted_mean(time[r], event[r], 25.0).value for r in rows]
    assert restricted_mean(time, event, 25.0).variance == pytest.approx(np.var(means), rel=0.1)


def test_difference_equals_the_gap_of_the_curves() -> None:
    (first, a), (second, b) = drawn(1, 90), drawn(2, 120)
    between = gap(kaplan_meier(first, a), kaplan_meier(second, b), 30.0)
    difference = restricted_mean(second, b, 30.0).value - restricted_mean(first, a, 30.0).value
    assert difference == pytest.approx(between.restricted_mean, rel=1e-9)


def test_everybody_dies_at_once_or_nobody_dies() -> None:
    once = restricted_mean(np.full(5, 3.0), np.ones(5, bool), 10.0)
    assert (once.value, once.variance) == (3, 0)
    nobody = restricted_mean(np.full(5, 3.0), np.zeros(5, bool), 3.0)
    assert (nobody.value, nobody.variance) == (3, 0)
