"""Nothing that leaks reaches the design matrix."""

import numpy as np
import polars as pl
import pytest

from metrics.utility.features import design_matrix, feature_columns, labelled, linear_encoder
from metrics.utility.prediction import utility
from records.schema import Schema


def test_leaking_outcome_time_and_event_columns_are_left_out(schema: Schema) -> None:
    names = {outcome.name: {c.name for c in feature_columns(schema, outcome)} for outcome in schema.outcomes}
    assert names["death_1y"] == {"age", "marker", "stage", "smoker", "recurrence"}
    assert names["recurrence"] == {"age", "marker", "stage", "smoker"}


@pytest.mark.parametrize("column", ["doctor_guess", "hospital", "patient", "extra"])
def test_changing_a_barred_column_changes_no_number(train: pl.DataFrame, schema: Schema, column: str) -> None:
    changed = train.with_columns(pl.lit(train[column][0]).cast(train.schema[column]).alias(column))
    before, after = (labelled(frame, schema, schema.outcomes[0]) for frame in (train, changed))
    assert np.array_equal(before.matrix, after.matrix, equal_nan=True)


def test_censored_before_horizon_is_left_out(train: pl.DataFrame, schema: Schema) -> None:
    unknown = train.filter((pl.col("event") == "0") & (pl.col("time") < 365)).height
    assert labelled(train, schema, schema.outcomes[0]).rows == train.height - unknown


def test_encoder_takes_levels_and_missing_unseen_in_training(train: pl.DataFrame, schema: Schema) -> None:
    columns = feature_columns(schema, schema.outcomes[0])
    known = train.drop_nulls().filter(pl.col("stage") == "i")
    encoder = linear_encoder(columns).fit(design_matrix(known, columns))
    assert np.isfinite(encoder.transform(design_matrix(train, columns))).all()


def test_leaking_column_would_have_helped(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    """The barred column is worth barring: unbarred, it lifts the AUC."""
    unbarred = tuple(c.model_copy(update={"leakage": False}) for c in schema.columns)
    open_schema = schema.model_copy(update={"columns": unbarred})
    areas = [
        utility(train, holdout, fresh, s, s.outcomes[0], seed=0, bootstraps=10).trtr_auc for s in (schema, open_schema)
    ]
    assert areas[1] > areas[0] + 0.1
