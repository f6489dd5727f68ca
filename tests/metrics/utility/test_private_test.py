"""The private AUC: sensitivity, spend, coverage of the truth, and error that falls with the budget."""

import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from metrics.utility.private_test import Noise, auc_of_counts, class_counts, private_auc
from records.errors import ParameterError
from records.noise import discrete_gaussian

DISTANCE = 1.2
TRUTH = float(norm.cdf(DISTANCE / np.sqrt(2)))


def _cohort(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Normal scores of two classes, whose AUC is known, squeezed into 0 to 1."""
    label = rng.random(rows) < 0.3
    return expit(rng.normal(DISTANCE * label - 0.5)), label


def _noise(seed: int) -> Noise:
    bits = random.Random(seed)
    return lambda sigma, size: discrete_gaussian(sigma, size, bits)


@given(st.integers(0, 2**32 - 1))
def test_one_patient_changes_one_count_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score, label = _cohort(20, rng)
    grid = np.linspace(0, 1, 11)
    change = class_counts(score, label, grid) - class_counts(score[1:], label[1:], grid)
    assert np.sort(change.ravel())[-1] == 1
    assert np.abs(change).sum() == 1


@given(st.integers(0, 2**32 - 1))
def test_counts_give_the_auc_of_the_rounded_score(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score, label = rng.random(30), np.arange(30) < 10
    grid = np.linspace(0, 1, 6)
    expected = roc_auc_score(label, np.floor(score * 5))
    assert auc_of_counts(class_counts(score, label, grid)) == pytest.approx(expected)


def test_spend_is_the_gaussian_mechanisms() -> None:
    score, label = _cohort(500, np.random.default_rng(0))
    report = private_auc(score, label, rho=0.02, noise=_noise(0), rng=np.random.default_rng(0)).to_json()
    assert report["spend"]["sigma"] == pytest.approx(5.0)
    assert (report["spend"]["rho"], report["spend"]["queries"]) == (0.02, 50)
    json.dumps(report, allow_nan=False)


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "rho"), [(2000, 0.05), (600, 0.1), (600, 10.0)])
def test_interval_covers_the_population_auc(rows: int, rho: float) -> None:
    """At least 93 % of 300 repetitions; at a true 95 % this fails in 8 % of seeds, these seeds are fixed."""
    covered = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        score, label = _cohort(rows, rng)
        report = private_auc(score, label, rho=rho, noise=_noise(seed), rng=rng, simulations=500)
        covered += report.auc_lower <= TRUTH <= report.auc_upper
    assert covered / 300 >= 0.93


def test_error_falls_with_the_budget() -> None:
    errors = []
    for rho in (0.02, 0.2, 20.0):
        found = []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            score, label = _cohort(1000, rng)
            report = private_auc(score, label, rho=rho, noise=_noise(seed), rng=rng, simulations=50)
            found.append(report.auc - roc_auc_score(label, score))
        errors.append(float(np.sqrt(np.mean(np.square(found)))))
    assert errors[0] > 2 * errors[1] > 2 * errors[2]
    assert errors[2] < 0.01


def test_drowned_in_noise_is_unknown() -> None:
    score, label = _cohort(40, np.random.default_rng(0))
    report = private_auc(score, label, rho=0.001, noise=_noise(0), rng=np.random.default_rng(0))
    assert report.auc is None
    assert "larger rho" in report.reason
    assert report.spend["rho"] == 0.001


def test_bad_scores_tell_nothing_and_bad_parameters_are_refused() -> None:
    score, label = _cohort(100, np.random.default_rng(0))
    score[:3] = [np.nan, -5, 7]
    rng = np.random.default_rng(0)
    assert class_counts(score, label, np.linspace(0, 1, 6)).sum() == 100
    with pytest.raises(ParameterError, match="rho must be positive"):
        private_auc(score, label, rho=0, noise=_noise(0), rng=rng)
    with pytest.raises(ParameterError, match="edges must rise"):
        private_auc(score, label, rho=1, noise=_noise(0), rng=rng, edges=np.array([0, 0.7, 0.2, 1]))
    with pytest.raises(ParameterError, match="one entry per patient"):
        private_auc(score[1:], label, rho=1, noise=_noise(0), rng=rng)
