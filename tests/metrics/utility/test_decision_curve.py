"""Net benefit against its definition, and laws that hold for any risks."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.plots.decision_curve import decision_curve_plot
from metrics.utility.decision_curve import THRESHOLDS, decision_curves, net_benefit
from records.errors import ParameterError


def _by_definition(risk: np.ndarray, label: np.ndarray, threshold: float) -> float:
    treated = risk >= threshold
    true, false = np.sum(treated & label), np.sum(treated & ~label)
    return (true - false * threshold / (1 - threshold)) / label.size


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_equals_the_definition_with_and_without_weights(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    risk, label = rng.integers(0, 101, rows) / 100, rng.random(rows) < 0.3
    times = rng.integers(1, 4, rows)
    weights = np.vstack([np.ones(rows), times])
    found = net_benefit(risk, label, weights)
    repeated = np.repeat(risk, times), np.repeat(label, times)
    for at in range(0, THRESHOLDS.size, 7):
        assert found[0, at] == pytest.approx(_by_definition(risk, label, THRESHOLDS[at]), abs=1e-12)
        assert found[1, at] == pytest.approx(_by_definition(*repeated, THRESHOLDS[at]), abs=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_no_model_beats_knowing_the_outcome(seed: int) -> None:
    rng = np.random.default_rng(seed)
    risk, label = rng.random(50), rng.random(50) < 0.4
    ones = np.ones((1, 50))
    assert (net_benefit(risk, label, ones) <= net_benefit(label.astype(float), label, ones) + 1e-12).all()


def _cohort() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    risk = rng.beta(1, 3, 4000)
    return risk, rng.random(4000) < risk


def test_same_risks_lose_nothing_and_noise_loses() -> None:
    risk, label = _cohort()
    rng = np.random.default_rng(0)
    same = decision_curves({"trtr": risk, "tstr": risk}, label, rng=rng)
    assert same.largest_loss["loss"] == 0
    worse = decision_curves({"trtr": risk, "tstr": rng.permutation(risk)}, label, rng=rng)
    assert worse.largest_loss["lower"] > 0.02
    assert worse.largest_loss["loss"] >= worse.mean_loss["loss"] > 0
    assert worse.useful["trtr"] > 0.9 > worse.useful["tstr"]
    assert 0.05 <= worse.largest_loss["threshold"] <= 0.5


def test_missing_side_small_holdout_and_plot() -> None:
    risk, label = _cohort()
    rng = np.random.default_rng(0)
    one = decision_curves({"trtr": risk}, label, rng=rng).to_json()
    assert one["largest_loss"] is None
    assert "tstr" in one["reason"]
    few = decision_curves({"trtr": risk[:10], "tstr": risk[:10]}, label[:10], rng=rng).to_json()
    assert "too few" in few["reason"]
    both = decision_curves({"trtr": risk, "tstr": risk}, label, rng=rng).to_json()
    for report in (one, few, both):
        json.dumps(report, allow_nan=False)
        assert decision_curve_plot(report).startswith(b"\x89PNG")


def test_range_outside_the_thresholds_is_refused() -> None:
    risk, label = _cohort()
    with pytest.raises(ParameterError, match="sensible must rise"):
        decision_curves({"trtr": risk}, label, rng=np.random.default_rng(0), sensible=(0.5, 0.2))
