"""Survival beside references: gaps, an interval that covers, and groups that are large enough."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from metrics.fidelity.references import FULL, MATCHED, compared
from metrics.fidelity.restricted_mean import restricted_mean
from metrics.fidelity.survival import SurvivalReport, difference, survival_references
from records.schema import Schema


def report_of(train: pl.DataFrame, holdout: pl.DataFrame, synthetic: pl.DataFrame, schema: Schema) -> SurvivalReport:
    return survival_references(compared(train, holdout, synthetic, schema, rng=np.random.default_rng(0)))


def test_every_reference_is_there(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    report = report_of(train, holdout, fresh, schema)
    assert report.largest is not None
    assert report.restricted_mean is not None
    assert set(report.largest) == set(report.restricted_mean) == {*FULL, *MATCHED}
    assert report.largest["holdout"] < report.largest["independent_matched"]
    assert report.restricted_mean["holdout"].lower < 0 < report.restricted_mean["holdout"].upper


def test_copy_has_no_gap(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    report = report_of(train, holdout, train, schema)
    assert report.largest is not None
    assert report.restricted_mean is not None
    assert (report.largest["synthetic"], report.restricted_mean["synthetic"].value) == (0, 0)


def test_interval_covers_in_95_of_100_repetitions() -> None:
    """Error rate: with true coverage .95, 400 repetitions fall outside 92.5 to 97.5 % in 2 of 100 runs."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        sides = []
        for rows in (150, 100):
            death, censored = rng.exponential(20, rows), rng.uniform(5, 60, rows)
            sides.append(restricted_mean(np.minimum(death, censored), death <= censored, 30.0))
        between = difference(*sides)
        held += between.lower <= 0 <= between.upper
    assert 0.925 <= held / 400 <= 0.975


def test_broken_group_is_the_worst(
    draw: Callable[[int, int], pl.DataFrame], holdout: pl.DataFrame, schema: Schema
) -> None:
    train, synthetic = draw(800, 1), draw(800, 4)
    broken = synthetic.with_columns(
        event=pl.when(pl.col("stage") == "iii").then(pl.lit("0").cast(pl.Enum(["0", "1"]))).otherwise("event")
    )
    report = report_of(train, holdout, broken, schema)
    assert (report.worst_groups[0]["column"], report.worst_groups[0]["level"]) == ("Stage <II>", "Stage III")
    assert report.worst_groups[0]["largest"]["synthetic"] > 0.5
    assert report.group_column == "Stage <II>"
    assert [g["level"] for g in report.groups] == ["Stage I", "Stage II", "Stage III"]
    assert all(g["patients"] % 5 == 0 for g in report.groups)


def test_small_groups_are_left_out(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    rare = train.with_columns(stage=pl.when(pl.int_range(pl.len()) < 40).then(pl.lit("iii")).otherwise(pl.lit("i")))
    rare = rare.with_columns(pl.col("stage").cast(pl.Enum(["i", "ii", "iii"])))
    report = report_of(rare, holdout.head(30), rare, schema)
    assert [g["level"] for g in report.groups] == ["Stage I"]
    assert report.groups[0]["largest"]["holdout"] is None


@pytest.mark.parametrize("broken", ["time", "event"])
def test_nobody_followed_has_a_reason(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema, broken: str) -> None:
    nobody = train.with_columns(pl.lit(None).cast(schema[broken].dtype).alias(broken))
    report = report_of(train, holdout, nobody, schema)
    assert report.largest is None
    assert report.reason == "no patient has a known time and event in train or the synthetic table"


def test_schema_without_follow_up_has_a_reason(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    without = schema.select(n for n in schema.names if n not in ("time", "event"))
    assert report_of(train, holdout, train, without).reason == "the schema has no follow-up time and event"
