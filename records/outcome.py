"""Outcomes derived from a table: binary tasks at a horizon, and the survival task.

Belongs here: the one definition of "had the event within the horizon" that real and synthetic data share. Does not
belong here: models that predict it.
"""

import polars as pl

from records.schema import Outcome, Schema


def binary_outcome(frame: pl.DataFrame, schema: Schema, outcome: Outcome) -> pl.Series:
    """Label of each row for a binary task.

    Patients censored before the horizon have no label: they are left out of the binary task and stay in the
    survival task.

    Returns
    -------
    polars.Series of Boolean, length ``frame.height``
        ``True`` event, ``False`` no event, null unknown.
    """
    if outcome.column is not None:
        value = pl.col(outcome.column).cast(pl.String)
        return frame.select(value.is_in(list(outcome.positive)).alias(outcome.name)).to_series()
    if schema.time is None or schema.event is None:
        raise KeyError(f"{schema.name} has no time and event column")
    time, event = pl.col(schema.time.name), pl.col(schema.event.name).cast(pl.String) == "1"
    label = (
        pl.when(event & (time <= outcome.horizon)).then(True).when(time >= outcome.horizon).then(False).otherwise(None)
    )
    return frame.select(label.alias(outcome.name)).to_series()


def survival(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Rows of the survival task with a known time and event.

    Returns
    -------
    polars.DataFrame
        Columns ``time`` (Float64, unit of the schema's time column) and ``event`` (Boolean).
    """
    if schema.time is None or schema.event is None:
        return pl.DataFrame(schema={"time": pl.Float64, "event": pl.Boolean})
    event = (pl.col(schema.event.name).cast(pl.String) == "1").alias("event")
    return frame.select(pl.col(schema.time.name).cast(pl.Float64).alias("time"), event).drop_nulls()
