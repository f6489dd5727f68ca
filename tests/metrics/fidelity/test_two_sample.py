"""The two-sample test: 0.5 where nothing differs, 1 where everything does, and an interval that holds."""

import numpy as np
import polars as pl
import pytest

from metrics.fidelity.references import FULL, MATCHED, compared
from metrics.fidelity.two_sample import TwoSampleReport, cross_validated_auc, two_sample
from records.schema import Column, Kind, Role, Schema

COLUMNS = [
    Column(name=f"x{i}", label=f"X {i}", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=-9, maximum=9) for i in range(6)
]


@pytest.fixture(scope="module")
def report(train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> TwoSampleReport:
    rng = np.random.default_rng(0)
    return two_sample(compared(train, holdout, fresh, schema, rng=rng), rng=rng)


def test_fresh_patients_and_holdout_are_not_told_apart(report: TwoSampleReport) -> None:
    assert report.auc is not None
    for name in ("synthetic", "synthetic_matched", "holdout"):
        area = report.auc[name]
        assert area is not None
        assert area.lower < 0.5 < area.upper


def test_independent_columns_are_told_apart(report: TwoSampleReport) -> None:
    assert report.auc is not None
    for name in ("independent", "independent_matched"):
        area = report.auc[name]
        assert area is not None
        assert area.lower > 0.6


def test_every_table_is_told_at_equal_sizes(report: TwoSampleReport) -> None:
    assert report.rows == dict.fromkeys(FULL, 500) | dict.fromkeys(MATCHED, 300)
    assert set(report.auc or {}) == {*FULL, *MATCHED}


def test_copy_is_not_told_apart(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    rng = np.random.default_rng(0)
    areas = two_sample(compared(train, holdout, train, schema, rng=rng), rng=rng).auc
    assert areas is not None
    assert areas["synthetic"] is not None
    assert areas["synthetic"].value < 0.55


def test_disjoint_tables_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(300, 6)) + 6 * (np.arange(300) < 150)[:, None]
    area = cross_validated_auc(matrix, np.arange(300) < 150, COLUMNS, rng)
    assert (area.value, area.upper) == (1, 1)


def test_few_rows_have_a_reason(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    rng = np.random.default_rng(0)
    small = two_sample(compared(train, holdout, train.head(30), schema, rng=rng), rng=rng)
    assert small.auc is None
    assert small.reason == "30 rows a side are too few for a classifier, at least 50 are needed"
    little_holdout = two_sample(compared(train, holdout.head(30), train, schema, rng=rng), rng=rng)
    assert little_holdout.auc is not None
    assert little_holdout.auc["holdout"] is None
    assert little_holdout.auc["synthetic"] is not None


def test_column_without_values_says_whether_it_is_known() -> None:
    rng = np.random.default_rng(0)
    label, matrix = np.arange(200) < 100, rng.normal(size=(200, 6))
    matrix[:, 0] = np.nan
    assert abs(cross_validated_auc(matrix, label, COLUMNS, rng).value - 0.5) < 0.15


@pytest.mark.slow
def test_interval_holds_one_half_under_the_null() -> None:
    """Error rate: with true coverage .95 fewer than 36 of 40 intervals hold 0.5 in 5 of 100 runs of the test."""
    held = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        area = cross_validated_auc(rng.normal(size=(300, 6)), np.arange(300) < 150, COLUMNS, rng)
        held += area.lower <= 0.5 <= area.upper
    assert held >= 36
