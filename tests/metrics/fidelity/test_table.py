"""The fidelity report: references keep their order, and nothing of a single patient shows."""

import json

import numpy as np
import polars as pl
import pytest

from metrics.fidelity.table import FidelityReport, fidelity, rounded_shares
from records.files import parquet_bytes, sha256
from records.schema import Schema


@pytest.fixture(scope="module")
def report(train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> FidelityReport:
    return fidelity(train, holdout, fresh, schema, rng=np.random.default_rng(0))


def test_fresh_patients_score_like_the_holdout(report: FidelityReport) -> None:
    assert report.synthetic_matched.mean_tvd2 == pytest.approx(report.holdout.mean_tvd2, rel=0.2)
    assert report.holdout.mean_tvd2 < report.independent_matched.mean_tvd2
    assert report.independent.mean_tvd1 == 0


def test_independent_columns_are_farther(
    train: pl.DataFrame, holdout: pl.DataFrame, shuffled: pl.DataFrame, schema: Schema, report: FidelityReport
) -> None:
    independent = fidelity(train, holdout, shuffled, schema, rng=np.random.default_rng(0))
    assert independent.max_tvd2 > report.max_tvd2
    assert independent.mean_tvd2 == pytest.approx(independent.independent.mean_tvd2, rel=0.1)


def test_copy_has_no_distance(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    same = fidelity(train, holdout, train.select(schema.names), schema, rng=np.random.default_rng(0))
    assert (same.mean_tvd2, same.max_tvd2) == (0, 0)
    assert same.to_json()["survival"]["synthetic"]["largest"] == 0


def test_report_is_json_and_carries_the_hash(report: FidelityReport, fresh: pl.DataFrame) -> None:
    known = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert known["candidate_sha256"] == sha256(parquet_bytes(fresh))
    assert len(known["survival"]["grid"]) == 60


def test_missing_share_per_column(train: pl.DataFrame, report: FidelityReport) -> None:
    marker = next(c for c in report.columns if c["name"] == "marker")
    assert marker["missing_train"] == pytest.approx(train["marker"].null_count() / train.height)
    assert marker["missing_difference"] == pytest.approx(marker["missing_synthetic"] - marker["missing_train"])


def test_real_shares_hide_small_counts() -> None:
    assert rounded_shares(np.array([2, 3, 95])).tolist() == pytest.approx([0, 0.05, 0.95])


def test_identifier_is_not_compared(report: FidelityReport) -> None:
    assert "patient" not in {column["name"] for column in report.columns}


def test_empty_candidate_does_not_crash(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    empty = fidelity(train, holdout, train.clear(), schema, rng=np.random.default_rng(0))
    assert empty.mean_tvd2 == pytest.approx(0.5)
    assert empty.survival is None
