"""Exact and near copies against plain loops, and beside chance."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from metrics.attacks.copies import copies, near_share
from metrics.distance import compared_columns
from records.schema import Column, Kind, Schema

Draw = Callable[[int, int], pl.DataFrame]


def differs(one: object, other: object, column: Column) -> bool:
    if one is None or other is None:
        return one is not other
    if column.kind is Kind.CATEGORY:
        return one != other
    return abs(float(one) - float(other)) > 0.01 * (column.maximum - column.minimum) + 1e-9


def test_near_copies_equal_a_loop(train: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> None:
    small = schema.select(["age", "stage", "smoker", "marker", "hospital"])
    columns = compared_columns(small)
    rows, table = fresh[:80], train[:120]
    expected = sum(
        any(sum(differs(a[c.name], b[c.name], c) for c in columns) <= 1 for b in table.iter_rows(named=True))
        for a in rows.iter_rows(named=True)
    )
    assert 0 < expected < 80
    assert near_share(rows, table, columns).value == expected / 80


def test_one_changed_column_is_a_near_copy_only(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    turned = train.with_columns(pl.when(pl.col("age") > 60).then(pl.col("age") - 20).otherwise(pl.col("age") + 20))
    report = copies(train, holdout, turned, schema, rng=np.random.default_rng(0))
    assert report.exact_copies_train == 0
    assert report.near_copies_train == 1
    assert report.near_copies_excess > 0.9
    assert report.near_copies_lower > 0.99


def test_fresh_patients_are_no_copies(draw: Draw, schema: Schema) -> None:
    report = copies(draw(300, 1), draw(300, 2), draw(300, 3), schema, rng=np.random.default_rng(0))
    assert report.exact_copies_excess == 0
    assert report.near_copies_excess < 0.02


def test_narrow_tables_repeat_by_chance(draw: Draw, schema: Schema) -> None:
    small = schema.select(["smoker", "hospital"])
    report = copies(draw(300, 1), draw(150, 2), draw(300, 3), small, rng=np.random.default_rng(0))
    assert report.exact_copies_train == report.near_copies_train == 1
    assert report.exact_copies_excess == report.near_copies_excess == 0


@pytest.mark.parametrize("rows", [0, 1])
def test_tiny_tables(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema, rows: int) -> None:
    report = copies(train, holdout[:rows], train[:rows], schema, rng=np.random.default_rng(0)).to_json()
    assert (report["near_copies_train"] is None) == (rows == 0)
    assert (report["exact_copies_excess"] is None) == (rows == 0)
