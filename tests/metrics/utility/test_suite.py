"""One call measures everything and its JSON is whole."""

import json

import polars as pl
import pytest

from metrics.utility.prediction import utility
from metrics.utility.suite import utility_suite
from records.schema import Schema

PARTS = {"decision_curve", "importance", "cox", "inference", "subgroups"}


@pytest.mark.slow
def test_is_the_utility_report_and_five_more(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    whole = utility_suite(train, holdout, fresh, schema, schema.outcomes[0], seed=0)
    alone = utility(train, holdout, fresh, schema, schema.outcomes[0], seed=0).to_json()
    assert set(whole) == set(alone) | PARTS | {"reasons"}
    assert {name: whole[name] for name in alone} == alone
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole


@pytest.mark.slow
def test_exact_copy_scores_perfectly(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    report = utility_suite(train, holdout, train, schema, schema.outcomes[0], seed=0)
    assert report["tstr_loss"] == 0
    assert report["decision_curve"]["largest_loss"]["loss"] == 0
    assert report["importance"]["rank_agreement"] == pytest.approx(1)
    assert report["cox"]["interval_overlap"] == pytest.approx(1)
    assert report["inference"]["found"]["share"] == 1
    assert report["subgroups"]["worst"]["loss"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("rows", [0, 3, 60])
def test_tiny_tables_do_not_crash(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema, rows: int
) -> None:
    for tables in ((train, holdout, fresh[:rows]), (train, holdout[:rows], fresh), (train[:rows], holdout, fresh)):
        report = utility_suite(*tables, schema, schema.outcomes[0], seed=0)
        assert json.loads(json.dumps(report, allow_nan=False)) == report
