"""Dates become whole days since the patient's index date (diagnosis, admission), so that no calendar date survives.

Belongs here: the days column of a date column, in the schema and in the table. Does not belong here: coarsening the
days (``generalisation``) or dates inside free text, which is dropped.
"""

from datetime import date

import polars as pl

from records.errors import CodebookError
from records.schema import Column, Kind, Ordering, Schema

EARLIEST_DAYS = -32872
"""90 years: a birth date further back would tell an age above 89 (45 CFR 164.514(b)(2)(i)(C))."""


def days_name(column: Column) -> str:
    """Name of the days column that stands for a date column."""
    return f"{column.name}_days"


def index_column(schema: Schema) -> Column | None:
    """The date that days are counted from; ``None`` if the schema has no dates.

    Raises
    ------
    CodebookError
        There are dates and no index date, or the index date is no date.
    """
    dates = [column.name for column in schema.columns if column.kind is Kind.DATE]
    if dates and schema.index_date not in dates:
        raise CodebookError(
            f"{schema.name} must name a date column as index_date to turn dates into days, got {schema.index_date} "
            f"with the date columns {dates}; set index_date in the codebook or leave the dates out"
        )
    return schema[schema.index_date] if schema.index_date in dates and schema.index_date else None


def days_column(column: Column, schema: Schema) -> Column:
    """The integer column that stands for a date column, with public bounds in days.

    The bounds follow from the two columns' public dates, are cut at 90 years before the index date, and at 0 if a
    constraint orders the date before or after the index date.

    Parameters
    ----------
    column : Column
        A date column, not the index date.
    schema : Schema
        The schema that holds it.
    """
    index = index_column(schema)
    if index is None:
        raise KeyError(f"{column.name} is not a date of {schema.name}")
    low, high = _bounds(column, index, schema)
    return Column(
        name=days_name(column), label=f"{column.label}, days since {index.label}", role=column.role, kind=Kind.INTEGER,
        unit="d", minimum=low, maximum=high, missing=column.missing or index.missing, leakage=column.leakage,
        codes=column.codes, step=1, top_code=column.top_code, generalise=column.generalise,
    )  # fmt: skip


def days(column: Column, schema: Schema) -> pl.Expr:
    """Expression for the days column: date minus index date, in days, cut at the public bounds; Int64."""
    target = days_column(column, schema)
    elapsed = (pl.col(column.name) - pl.col(schema.index_date or "")).dt.total_days()
    return elapsed.clip(_whole(target.minimum), _whole(target.maximum)).cast(pl.Int64).alias(target.name)


def _bounds(column: Column, index: Column, schema: Schema) -> tuple[int, int]:
    low = max((_date(column.earliest) - _date(index.latest)).days, EARLIEST_DAYS)
    high = (_date(column.latest) - _date(index.earliest)).days
    orders = {(c.lower, c.upper) for c in schema.constraints if isinstance(c, Ordering)}
    if (index.name, column.name) in orders and high > 0:
        low = max(low, 0)
    if (column.name, index.name) in orders and low < 0:
        high = min(high, 0)
    return low, high


def _date(bound: date | None) -> date:
    assert bound is not None  # records.schema refuses a date column without public dates
    return bound


def _whole(bound: float | None) -> int:
    assert bound is not None  # records.schema refuses an integer column without bounds
    return int(bound)
