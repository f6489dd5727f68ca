"""Train on synthetic, test on real."""

import json

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import StratifiedKFold, cross_val_score
from threadpoolctl import threadpool_limits

from metrics.utility.classifiers import classifiers, cross_validated_auc
from metrics.utility.features import feature_columns, labelled
from metrics.utility.prediction import utility
from records.schema import Schema

pytestmark = pytest.mark.slow


def test_fresh_patients_are_worth_as_much_as_real_ones(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    report = utility(train, holdout, fresh, schema, schema.outcomes[0], seed=0)
    assert report.trtr_auc > 0.7
    assert abs(report.tstr_loss) < 0.06
    assert report.tstr_loss_lower <= report.tstr_loss <= report.tstr_loss_upper
    assert report.reason is None


def test_independent_columns_are_worth_nothing(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    """Without association the AUC is 0.5 on average only: of 20 such tables one had 0.21 and another 0.70."""
    areas = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        shuffled = train.select(train[name][rng.permutation(train.height)] for name in train.columns)
        report = utility(train, holdout, shuffled, schema, schema.outcomes[0], seed=seed, bootstraps=5)
        areas.append(report.tstr_auc)
    assert 0.35 < np.mean(areas) < 0.65


@pytest.mark.parametrize("outcome", [0, 1])
def test_one_class_gives_a_reason_not_a_crash(
    train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema, outcome: int
) -> None:
    healthy = train.filter(pl.col("time") >= 365, pl.col("recurrence") == "0")
    report = utility(train, holdout, healthy, schema, schema.outcomes[outcome], seed=0, bootstraps=20).to_json()
    assert report["tstr_auc"] is None
    assert report["tstr_loss"] is None
    assert report["trtr_auc"] > 0.6
    assert "one class only in synthetic" in report["reason"]


@pytest.mark.parametrize("rows", [0, 1, 2, 4])
def test_tiny_candidates_do_not_crash(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema, rows: int
) -> None:
    report = utility(train, holdout, fresh[:rows], schema, schema.outcomes[0], seed=0, bootstraps=20)
    assert json.loads(json.dumps(report.to_json(), allow_nan=False))["rows"]["synthetic"] <= rows


def test_empty_holdout_does_not_crash(train: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> None:
    report = utility(train, train.clear(), fresh, schema, schema.outcomes[0], seed=0, bootstraps=20).to_json()
    assert report["tstr_auc"] is None
    assert "holdout" in report["reason"]


def test_same_seed_same_report(train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> None:
    first, second = (utility(train, holdout, fresh, schema, schema.outcomes[1], seed=4).to_json() for _ in range(2))
    assert json.dumps(first) == json.dumps(second)


def test_every_model_is_tested_on_its_own_table_too(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    report = utility(train, holdout, fresh, schema, schema.outcomes[0], seed=0, bootstraps=20).to_json()
    assert set(report["models"]) == {"logistic", "boosting", "forest"}
    for sides in report["models"].values():
        assert sides["tsts"]["auc"] == sides["tstr"]["cross_validated_auc"]
        assert sides["tsts"]["auc_lower"] < sides["tsts"]["auc"] < sides["tsts"]["auc_upper"]
        assert sides["tsts"]["optimism"] == pytest.approx(sides["tsts"]["auc"] - sides["tstr"]["auc"])
        assert {"calibration_slope", "calibration_intercept", "calibration_in_the_large"} <= set(sides["trtr"])
    assert report["tsts_auc"] == report["models"][report["chosen"]["tstr"]]["tsts"]["auc"]


def test_too_rosy_table_shows_as_optimism(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    """A table whose outcome follows a rule that real patients do not follow."""
    rule = (pl.col("age") > 65).cast(pl.Int8).cast(pl.String).cast(train.schema["recurrence"])
    report = utility(
        train, holdout, train.with_columns(rule.alias("recurrence")), schema, schema.outcomes[1], seed=0, bootstraps=20
    )
    assert report.tsts_auc > 0.95
    assert report.optimism > 0.2


def test_cross_validated_auc_equals_sklearn(train: pl.DataFrame, schema: Schema) -> None:
    table, columns = labelled(train, schema, schema.outcomes[0]), feature_columns(schema, schema.outcomes[0])
    folds = StratifiedKFold(3, shuffle=True, random_state=5)
    with threadpool_limits(limits=1):
        for model in classifiers(columns, 0).values():
            expected = cross_val_score(model, table.matrix, table.label, cv=folds, scoring="roc_auc").mean()
            assert cross_validated_auc(model, table, 5).value == pytest.approx(expected, abs=1e-12)
