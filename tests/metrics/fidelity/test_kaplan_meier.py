"""The product-limit estimate against lifelines."""

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from metrics.fidelity.kaplan_meier import gap, kaplan_meier


@pytest.mark.parametrize("seed", range(4))
def test_curve_and_band_equal_lifelines(seed: int) -> None:
    rng = np.random.default_rng(seed)
    time, event = rng.integers(0, 40, 120).astype(float), rng.random(120) < 0.6
    curve, other = kaplan_meier(time, event), KaplanMeierFitter().fit(time, event)
    grid = np.linspace(0, time.max(), 90)
    assert np.allclose(curve.at(grid), other.survival_function_at_times(grid), atol=1e-12)
    band = other.confidence_interval_survival_function_
    inside = (curve.survival[1:] < 1) & (curve.survival[1:] > 0)
    assert np.allclose(curve.lower[1:][inside], band.iloc[:, 0].loc[curve.times[1:]][inside], atol=1e-9)
    assert np.allclose(curve.upper[1:][inside], band.iloc[:, 1].loc[curve.times[1:]][inside], atol=1e-9)


def test_gap_of_known_curves() -> None:
    first = kaplan_meier(np.array([5.0, 10.0]), np.array([True, False]))
    second = kaplan_meier(np.array([10.0, 10.0]), np.array([False, False]))
    between = gap(first, second, 10.0)
    assert (between.largest, between.mean, between.restricted_mean) == (0.5, 0.25, 2.5)


def test_curve_hides_steps_with_few_at_risk() -> None:
    shown = kaplan_meier(np.arange(15.0), np.ones(15, dtype=bool)).shown(np.array([0.0, 5.0, 6.0, 14.0, 20.0]))
    assert [value is None for value in shown["survival"]] == [False, False, True, True, True]
