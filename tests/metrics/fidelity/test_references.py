"""The references: right sizes, right margins, and no association where there must be none."""

import numpy as np
import polars as pl
import pytest

from metrics.fidelity.references import FULL, MATCHED, Compared, compared, sample
from records.schema import Schema


@pytest.fixture(scope="module")
def tables(train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> Compared:
    return compared(train, holdout, fresh.head(400), schema, rng=np.random.default_rng(0))


def test_names_and_sizes(tables: Compared) -> None:
    heights = {name: frame.height for name, frame in tables.frames.items()}
    assert set(heights) == {"train", *FULL, *MATCHED}
    assert [heights[name] for name in FULL] == [400, 500, 400]
    assert {heights[name] for name in MATCHED} == {300}


@pytest.mark.parametrize(("shuffled", "source"), [("independent", "train"), ("independent_matched", "holdout")])
def test_shuffling_keeps_margins_and_breaks_rows(tables: Compared, shuffled: str, source: str) -> None:
    for name in tables.frames[source].columns:
        assert tables.frames[shuffled][name].sort().equals(tables.frames[source][name].sort())
    assert not tables.frames[shuffled].equals(tables.frames[source])


def test_bootstrap_copy_holds_train_rows_only(tables: Compared) -> None:
    for name in ("bootstrap", "bootstrap_matched"):
        known = tables.frames[name].join(tables.frames["train"], on=tables.frames["train"].columns, how="semi",
                                         nulls_equal=True)  # fmt: skip
        assert known.height == tables.frames[name].height
    assert tables.frames["bootstrap"].n_unique() < 400


def test_identifier_and_further_columns_are_left_out(tables: Compared) -> None:
    assert not {"patient", "extra"} & set(tables.frames["train"].columns)


def test_nan_counts_as_missing(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    broken = train.with_columns(doctor_guess=pl.lit(float("nan")))
    tables = compared(train, holdout, broken, schema, rng=np.random.default_rng(0))
    assert tables.frames["synthetic"]["doctor_guess"].null_count() == train.height


def test_empty_tables_have_a_reason(train: pl.DataFrame, schema: Schema) -> None:
    tables = compared(train, train.clear(), train.clear(), schema, rng=np.random.default_rng(0))
    assert tables.reason == "the synthetic table has no row"
    assert compared(train.clear(), train, train, schema, rng=np.random.default_rng(0)).reason is not None


def test_sample_takes_no_more_than_there_is(train: pl.DataFrame) -> None:
    assert sample(train, 10_000, np.random.default_rng(0)).height == train.height
    assert sample(train, 20, np.random.default_rng(0)).unique().height == 20
