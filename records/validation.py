"""Checking a table against its schema: all problems in one error, never a row value.

Belongs here: casting to schema types and counting breaches. Does not belong here: mending the table.
"""

from collections.abc import Iterator

import polars as pl

from records.date_reading import read_dates
from records.errors import Problem, TableError
from records.outcome import binary_outcome
from records.schema import Column, Kind, Schema

MEND_ROWS = "correct these rows or widen the codebook"


def validate(frame: pl.DataFrame, schema: Schema, *, source: str) -> pl.DataFrame:
    """The table in schema form: exactly the schema's columns in the schema's types.

    Dates written as text are read as ``date_reading`` says; those that cannot be read are counted.

    Parameters
    ----------
    frame : polars.DataFrame
        Raw table; columns outside the codebook are ignored.
    source : str
        Name of the table in the error.

    Raises
    ------
    TableError
        With *all* problems: missing columns, wrong types, unknown levels, values out of bounds, missing values,
        repeated patients, broken constraints, outcomes with one class.
    """
    typed = frame.clear()
    problems = [
        Problem(name, "be in the table", "no such column", "add it or map it in the codebook")
        for name in schema.names
        if name not in frame.columns
    ]
    if frame.height == 0:
        problems.append(Problem("the table", "have rows", "0 rows", "export it again"))
    present = [column for column in schema.columns if column.name in frame.columns]
    if frame.height:
        typed = frame.select(_typed(column, frame[column.name]) for column in present)
        found = {c.name: list(_column_problems(frame[c.name], typed[c.name], c)) for c in present}
        problems += [problem for breaches in found.values() for problem in breaches]
        problems += _table_problems(typed, schema.select(name for name, breaches in found.items() if not breaches))
    if problems:
        raise TableError(source, problems)
    return typed


def _typed(column: Column, raw: pl.Series) -> pl.Expr | pl.Series:
    dtype = raw.dtype
    if column.kind is Kind.DATE and dtype in (pl.String, pl.Categorical, pl.Enum) and column.earliest and column.latest:
        return read_dates(raw, earliest=column.earliest, latest=column.latest).dates
    if not _readable(dtype, column.kind):
        return pl.repeat(None, pl.len(), dtype=column.dtype).alias(column.name)
    value = pl.col(column.name)
    if dtype in (pl.Categorical, pl.Enum):
        value, dtype = value.cast(pl.String), pl.String()
    if dtype.is_float():
        value = value.fill_nan(None)
    if column.kind is Kind.CATEGORY:
        return _level_text(value, dtype).cast(column.dtype, strict=False)
    if column.kind is Kind.INTEGER:
        number = value.cast(pl.Float64, strict=False)
        return pl.when(number == number.round()).then(number).cast(pl.Int64, strict=False).alias(column.name)
    return value.cast(column.dtype, strict=False)


def _readable(dtype: pl.DataType, kind: Kind) -> bool:
    """Whether a stored type can stand for the kind at all: no list, bytes or duration can, and no date for a number."""
    text = (pl.String, pl.Categorical, pl.Enum, pl.Null)
    if kind is Kind.DATE:
        return dtype in (*text, pl.Date, pl.Datetime)
    if kind is Kind.TEXT and dtype in (pl.Date, pl.Datetime):
        return True
    return dtype in (*text, pl.Boolean) or dtype.is_numeric()


def _level_text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Levels as text: 1, 1.0 and true all become "1"."""
    if dtype == pl.Boolean:
        return value.cast(pl.Int8).cast(pl.String)
    if dtype.is_float():
        whole = value.cast(pl.Int64, strict=False)
        return pl.when(value == whole).then(whole.cast(pl.String)).otherwise(value.cast(pl.String))
    return value.cast(pl.String).str.replace(r"^(-?\d+)\.0+$", "${1}")


def _column_problems(raw: pl.Series, typed: pl.Series, column: Column) -> Iterator[Problem]:
    empty = int((raw.fill_nan(None) if raw.dtype.is_float() else raw).null_count())
    if empty == raw.len():
        yield Problem(column.name, "hold values", f"{empty} rows, all missing", "fill it or drop it from the codebook")
        return
    if empty and not column.missing:
        yield Problem(column.name, "have no missing values", f"{empty} rows missing", MEND_ROWS)
    if misfits := typed.null_count() - empty:
        rule = "hold levels of the codebook" if column.kind is Kind.CATEGORY else f"be of type {column.kind}"
        yield Problem(column.name, rule, f"{misfits} rows that do not fit", MEND_ROWS)
    low, high = (column.earliest, column.latest) if column.kind is Kind.DATE else (column.minimum, column.maximum)
    if low is not None and high is not None and (outside := int((~typed.is_between(low, high)).sum())):
        yield Problem(column.name, f"lie within {low} to {high}", f"{outside} rows outside", MEND_ROWS)


def _table_problems(typed: pl.DataFrame, schema: Schema) -> Iterator[Problem]:
    """Breaches of what several rows or columns must hold together; ``schema`` has the columns without a breach."""
    if schema.identifier is not None:
        name = schema.identifier.name
        if repeated := typed.height - typed[name].n_unique():
            yield Problem(name, "name each patient once", f"{repeated} repeated rows", "bring each patient to one row")
    for constraint in schema.constraints:
        if broken := int(typed.select(constraint.broken().sum()).item()):
            yield Problem("each row", f"hold that {constraint.reason}", f"{broken} rows that do not", MEND_ROWS)
    for outcome in schema.outcomes:
        if (classes := binary_outcome(typed, schema, outcome).drop_nulls().n_unique()) < 2:
            remedy = "add patients with and without the event"
            yield Problem(outcome.name, "have both classes", f"{classes} class(es)", remedy)
