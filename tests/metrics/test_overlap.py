"""A split that is no split is refused; one that is passes, also where rows repeat by chance."""

import numpy as np
import polars as pl
import pytest

from metrics.overlap import refuse_overlap
from records.errors import TableError
from records.schema import Schema
from tests.metrics.conftest import Draw


def test_an_honest_split_passes(schema: Schema, draw: Draw) -> None:
    for seed in range(20):
        assert refuse_overlap(draw(400, seed), draw(200, seed + 100), draw(400, seed + 200), schema) is None


def test_an_honest_split_of_few_columns_passes(schema: Schema, draw: Draw) -> None:
    """Hospital, stage and smoker: nearly every row repeats."""
    small = schema.select(["hospital", "stage", "smoker"])
    for seed in range(20):
        tables = [draw(60, seed + i).select(small.names) for i in (0, 100, 200)]
        assert refuse_overlap(tables[0], tables[1], tables[2], small) is None


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_a_holdout_from_the_training_table_is_refused(schema: Schema, draw: Draw, share: float) -> None:
    train, fresh = draw(400, 1), draw(200, 2)
    taken = round(share * 200)
    holdout = pl.concat([train[:taken], fresh[taken:]]).drop("patient", strict=False)
    with pytest.raises(TableError, match="the holdout must not repeat training patients") as error:
        refuse_overlap(train, holdout, draw(400, 3), schema)
    assert str(train["age"][0]) + "," not in str(error.value)


def test_shared_identifiers_are_refused(schema: Schema, draw: Draw) -> None:
    named = [draw(100, s).with_columns(patient=pl.Series([f"p{i + s}" for i in range(100)])) for s in (0, 90)]
    with pytest.raises(TableError, match="10 of 100 that are"):
        refuse_overlap(named[0], named[1], draw(100, 5), schema)


def test_a_copy_of_the_holdout_is_refused(schema: Schema, draw: Draw) -> None:
    holdout = draw(200, 2)
    copy = holdout[np.random.default_rng(0).integers(200, size=400)]
    with pytest.raises(TableError, match="the synthetic table must not repeat held-out patients"):
        refuse_overlap(draw(400, 1), holdout, copy, schema)


def test_a_copy_of_the_training_table_is_no_error(schema: Schema, draw: Draw) -> None:
    train = draw(400, 1)
    assert refuse_overlap(train, draw(200, 2), train, schema) is None
