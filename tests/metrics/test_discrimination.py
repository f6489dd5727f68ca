"""Rank statistics against sklearn, scipy and their stated error rates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from metrics.discrimination import auc, clopper_pearson, delong, resampling_weights, roc_on_grid, weighted_aucs
from metrics.utility.calibration import calibration_points


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(4, 60), st.integers(2, 9))
def test_auc_with_ties_equals_sklearn(seed: int, rows: int, values: int) -> None:
    rng = np.random.default_rng(seed)
    score, label = rng.integers(values, size=rows).astype(float), rng.permutation(rows) < rows // 2
    assert auc(score, label) == pytest.approx(roc_auc_score(label, score), abs=1e-12)
    assert delong(score, label).value == pytest.approx(roc_auc_score(label, score), abs=1e-12)


def test_weighted_auc_equals_auc_of_the_resample() -> None:
    rng = np.random.default_rng(0)
    score, label = rng.normal(size=50).round(1), rng.random(50) < 0.4
    weights = resampling_weights(50, 20, rng)
    assert weights.sum(axis=1).tolist() == [50] * 20
    for row, found in zip(weights.astype(int), weighted_aucs(score, label, weights), strict=True):
        assert found == pytest.approx(roc_auc_score(np.repeat(label, row), np.repeat(score, row)), abs=1e-12)


def test_auc_of_one_class_is_unknown() -> None:
    assert np.isnan(auc(np.array([0.1, 0.2]), np.array([True, True])))


def test_delong_covers_the_truth_at_its_rate() -> None:
    """True AUC 0.76; 400 samples at 95 %: fewer than 366 covered has probability 0.001."""
    rng, truth, covered = np.random.default_rng(0), 0.7602499389, 0
    label = np.arange(160) < 80
    for _ in range(400):
        found = delong(rng.normal(size=160) + label, label)
        covered += found.lower <= truth <= found.upper
    assert covered >= 366


@pytest.mark.parametrize(("hits", "trials"), [(0, 20), (3, 20), (20, 20)])
def test_clopper_pearson_equals_scipy(hits: int, trials: int) -> None:
    expected = binomtest(hits, trials).proportion_ci(method="exact")
    found = clopper_pearson(hits, trials)
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_curve_and_groups_have_no_entry_per_patient() -> None:
    rng = np.random.default_rng(0)
    score, label = rng.random(400), rng.random(400) < 0.5
    assert len(roc_on_grid(score, label)["tpr"]) == 101
    points = calibration_points(score, label)
    assert len(points) == 10
    assert min(point["rows"] for point in points) >= 10
    assert calibration_points(score[:9], label[:9]) == []
