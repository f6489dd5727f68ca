"""Calibration slope and intercept against statsmodels, and on predictions that are wrong in a known way."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from metrics.utility.calibration import recalibration


def _cohort(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = expit(rng.normal(-1, 1.2, rows))
    return risk, rng.random(rows) < risk


def test_equals_statsmodels() -> None:
    risk, label = _cohort(800)
    scores = logit(risk)
    joint = sm.GLM(label.astype(float), sm.add_constant(scores), family=sm.families.Binomial()).fit()
    large = sm.GLM(label.astype(float), np.ones(800), family=sm.families.Binomial(), offset=scores).fit()
    found = recalibration(risk, label)
    assert found["calibration_intercept"] == pytest.approx(joint.params[0], abs=1e-8)
    assert found["calibration_slope"] == pytest.approx(joint.params[1], abs=1e-8)
    assert found["calibration_in_the_large"] == pytest.approx(large.params[0], abs=1e-8)
    bounds = [found["calibration_slope_lower"], found["calibration_slope_upper"]]
    assert bounds == pytest.approx(joint.conf_int()[1], abs=1e-6)


@pytest.mark.parametrize(("stretch", "shift"), [(1.0, 0.0), (2.0, 0.0), (0.5, 0.0), (1.0, 0.7)])
def test_undoes_a_known_distortion(stretch: float, shift: float) -> None:
    """Logits multiplied by 2 give slope 1/2; risks too high by a shift give its negative in the large."""
    risk, label = _cohort(20_000)
    found = recalibration(expit(stretch * logit(risk) + shift), label)
    assert found["calibration_slope"] == pytest.approx(1 / stretch, rel=0.06)
    if stretch == 1.0:
        assert found["calibration_in_the_large"] == pytest.approx(-shift, abs=0.06)


@pytest.mark.parametrize("label", [[0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 1, 1]])
def test_no_maximum_is_unknown(label: list[int]) -> None:
    found = recalibration(np.array([0.1, 0.2, 0.8, 0.9]), np.array(label, dtype=bool))
    assert np.isnan(found["calibration_slope"])


def test_constant_risk_has_no_slope_but_a_mean() -> None:
    found = recalibration(np.full(100, 0.5), np.arange(100) < 20)
    assert np.isnan(found["calibration_slope"])
    assert found["calibration_in_the_large"] == pytest.approx(logit(0.2))
