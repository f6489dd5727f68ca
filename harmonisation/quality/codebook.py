"""The same kinds of checks on a cohort as it is, by its codebook, where no OMOP is used.

Belongs here: the check types that make sense of one table. Does not belong here: refusing a table (``records.validation``):
here a table with faults is measured, not refused.
"""

from collections.abc import Iterator

import polars as pl

from harmonisation.quality.results import Result, Results, joined
from records.schema import Column, Kind, Role, Schema

ANY, IMPLAUSIBLE = 100.0, 1.0
_READ_AS = {Kind.INTEGER: pl.Float64, Kind.NUMBER: pl.Float64, Kind.DATE: pl.Date}


def check_cohort(frame: pl.DataFrame, schema: Schema) -> Results:
    """Check a cohort's table by its codebook.

    Parameters
    ----------
    frame : polars.DataFrame
        Columns under the codebook's names, as text or in schema types.
    schema : Schema

    Returns
    -------
    Results
        cdmField, cdmDatatype, isRequired, isPrimaryKey, fkDomain (levels), measureValueCompleteness, plausibleValueLow,
        plausibleValueHigh and codebookConstraint.
    """
    typed = frame.select(_typed(column, frame) for column in schema.columns if column.name in frame.columns)
    columns = (_column(frame, typed, column, schema.name) for column in schema.columns)
    return joined(schema.title, (*columns, _constraints(typed, schema)))


def _column(frame: pl.DataFrame, typed: pl.DataFrame, column: Column, table: str) -> Iterator[Result]:
    name, rows = column.name, frame.height
    present = name in frame.columns
    yield Result("cdmField", table, name, violated=int(not present), denominator=1)
    if not present or not rows:
        reason = "there is no record to check" if present else f"field {name} does not exist"
        yield from (Result(check, table, name, reason=reason) for check, _ in _counts(pl.Series(), pl.Series(), column))
        return
    for check, (violated, among, threshold) in _counts(frame[name], typed[name], column):
        reason = None if among else "there is no record to check"
        yield Result(check, table, name, violated=violated, denominator=among, threshold=threshold, reason=reason)


def _counts(raw: pl.Series, typed: pl.Series, column: Column) -> Iterator[tuple[str, tuple[int, int, float]]]:
    rows, missing = raw.len(), raw.null_count()
    known = rows - missing
    if column.kind in _READ_AS:
        wrong = known - (typed.len() - typed.null_count())
        yield "cdmDatatype", (wrong, known, 0.0)
    if column.kind is Kind.CATEGORY:
        yield "fkDomain", (known - (typed.len() - typed.null_count()), known, 0.0)
    if column.missing:
        yield "measureValueCompleteness", (missing, rows, ANY)
    else:
        yield "isRequired", (missing, rows, 0.0)
    if column.role is Role.IDENTIFIER:
        yield "isPrimaryKey", (int(raw.drop_nulls().is_duplicated().sum()), rows, 0.0)
    low, high = _bounds(column)
    if low is not None and high is not None:
        among = typed.len() - typed.null_count()
        empty = not typed.len()
        yield "plausibleValueLow", (0 if empty else int((typed < low).sum()), among, IMPLAUSIBLE)
        yield "plausibleValueHigh", (0 if empty else int((typed > high).sum()), among, IMPLAUSIBLE)


def _bounds(column: Column) -> tuple[object, object]:
    return (column.earliest, column.latest) if column.kind is Kind.DATE else (column.minimum, column.maximum)


def _typed(column: Column, frame: pl.DataFrame) -> pl.Expr:
    value = pl.col(column.name)
    if column.kind is Kind.CATEGORY:
        text = value.cast(pl.String)
        return pl.when(text.is_in(list(column.levels))).then(text)
    if column.kind is Kind.DATE and frame.schema[column.name] == pl.String:
        return value.str.to_date("%Y-%m-%d", strict=False)
    if column.kind is Kind.INTEGER:
        number = value.cast(pl.Float64, strict=False)
        return pl.when(number == number.round()).then(number).alias(column.name)
    return value.cast(_READ_AS.get(column.kind, pl.String), strict=False)


def _constraints(typed: pl.DataFrame, schema: Schema) -> Iterator[Result]:
    kept = schema.select(typed.columns).constraints
    for constraint in schema.constraints:
        if constraint not in kept or not typed.height:
            yield Result("codebookConstraint", schema.name, concept=constraint.reason, reason="a column does not exist")
            continue
        broken = int(typed.select(constraint.broken().sum()).item())
        yield Result(
            "codebookConstraint", schema.name, concept=constraint.reason, violated=broken, denominator=typed.height
        )
