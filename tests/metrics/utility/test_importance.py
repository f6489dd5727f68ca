"""Permutation importance against sklearn, and agreement of models that do and do not rely on the same features."""

import json

import numpy as np
import polars as pl
import pytest
from sklearn.inspection import permutation_importance as sklearn_importance
from threadpoolctl import threadpool_limits

from metrics.utility.importance import importance, permutation_importance
from metrics.utility.train_test import train_test
from records.schema import Schema

pytestmark = pytest.mark.slow


def test_equals_sklearn_within_its_own_spread(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    trained = train_test(train, holdout, fresh, schema, schema.outcomes[0], seed=0)
    model, test = trained.fits["logistic"]["trtr"].model, trained.test
    with threadpool_limits(limits=1):
        ours = permutation_importance(model, test, repeats=40, rng=np.random.default_rng(0))
        theirs = sklearn_importance(model, test.matrix, test.label, scoring="roc_auc", n_repeats=40, random_state=0)
    error = np.hypot(ours.std(axis=1), theirs.importances_std) / np.sqrt(40)
    assert (np.abs(ours.mean(axis=1) - theirs.importances_mean) <= 4 * error + 1e-12).all()


def test_copy_agrees_wholly(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    trained = train_test(train, holdout, train, schema, schema.outcomes[0], seed=0)
    report = importance(trained, rng=np.random.default_rng(0))
    assert report.rank_agreement == pytest.approx(1.0)
    assert report.top_overlap == 1.0
    assert {report.features[0]["name"], report.features[1]["name"]} <= {"age", "marker", "stage"}


def test_lost_association_falls_in_the_synthetic_ranking_only(
    train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema
) -> None:
    """The synthetic table keeps every association but that of the most important column."""
    real = importance(
        train_test(train, holdout, train, schema, schema.outcomes[1], seed=0), rng=np.random.default_rng(0)
    )
    lost = real.features[0]["name"]
    broken = train.with_columns(train[lost].shuffle(seed=1))
    report = importance(
        train_test(train, holdout, broken, schema, schema.outcomes[1], seed=0), rng=np.random.default_rng(0)
    ).to_json()
    assert report["features"][0]["name"] == lost
    assert report["features"][0]["tstr"] < report["features"][0]["trtr"] / 3
    assert report["rank_agreement"] < 1
    json.dumps(report, allow_nan=False)


def test_untrainable_side_gives_a_reason(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    healthy = train.filter(pl.col("recurrence") == "0")
    report = importance(
        train_test(train, holdout, healthy, schema, schema.outcomes[1], seed=0), rng=np.random.default_rng(0)
    )
    assert report.rank_agreement is None
    assert "one class only" in report.reason
