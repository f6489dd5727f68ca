"""A validated table made ready for release but for its quasi-identifiers: pseudonyms, dates, text, coarse covariates.

Belongs here: row-wise changes before the search for anonymity, and the schema they lead to. Does not belong here: the
search itself (``anonymity``), or the table that differential privacy is run on (``pipeline``), whose quasi-identifiers
the codebook alone coarsens.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from deidentification.dates import days, days_column
from deidentification.generalisation import coarsened, generalised, generalised_column
from deidentification.pseudonyms import pseudonymise
from deidentification.schema import PSEUDONYM
from deidentification.shift import DEFAULT_SPAN, shifted, shifts
from records.errors import CodebookError
from records.schema import Column, Kind, Role, Schema

BY_ANONYMITY = (Role.QUASI_IDENTIFIER, Role.SITE)
CODE_SYSTEMS = ("ICD-10", "NUTS")


@dataclass(frozen=True)
class Prepared:
    """The table in its new columns, their schema, and what became of the old ones, in words."""

    frame: pl.DataFrame
    schema: Schema
    changes: dict[str, str]


def prepared(frame: pl.DataFrame, schema: Schema, key: bytes) -> Prepared:
    """Pseudonyms for the identifier, other identifiers and free text dropped, dates changed, covariates coarsened.

    Dates become days since the codebook's ``index_date``; a codebook with dates and without one has them moved by
    each patient's own shift, which keeps intervals and weekdays roughly, and calendar dates not at all.

    Parameters
    ----------
    frame : polars.DataFrame, n rows
        Validated.
    key : bytes
        The project's key.

    Raises
    ------
    CodebookError
        The schema has no identifier, or two columns of one name come out of it.
    """
    if schema.identifier is None:
        raise CodebookError(
            f"{schema.name} must have an identifier, the unit that privacy protects, got none; give a column the role"
        )
    ids = frame[schema.identifier.name]
    moved = shifts(ids, key) if _shifts_dates(schema) else None
    kept, expressions, changes = [], [], {}
    for column in schema.columns:
        for made, expression, change in _made(column, schema, moved):
            kept.append(made)
            expressions.append(expression.alias(made.name))
            changes[column.name] = change
        changes.setdefault(column.name, _dropped(column, schema))
    _refuse_equal_names(kept, schema)
    done = frame.with_columns(pseudonymise(ids, key)).select(expressions).sort(PSEUDONYM.name)
    return Prepared(done, Schema(name=schema.name, title=schema.title, columns=tuple(kept)), changes)


def _refuse_equal_names(made: list[Column], schema: Schema) -> None:
    if equal := sorted(name for name, count in Counter(column.name for column in made).items() if count > 1):
        raise CodebookError(
            f"{schema.name} must give columns of different names, got two of {', '.join(equal)}; rename one in the codebook"
        )


def _shifts_dates(schema: Schema) -> bool:
    return schema.index_date is None and any(
        c.kind is Kind.DATE and c.role is not Role.IDENTIFIER for c in schema.columns
    )


def _made(column: Column, schema: Schema, moved: pl.Series | None) -> Iterator[tuple[Column, pl.Expr, str]]:
    """The new column, its values and the change in words; nothing for a column that is dropped."""
    if column == schema.identifier:
        yield PSEUDONYM, pl.col(PSEUDONYM.name), "replaced by a keyed pseudonym"
    elif column.role is Role.IDENTIFIER or _free_text(column) or column.name == schema.index_date:
        return
    elif column.kind is Kind.DATE and moved is not None:
        yield column, shifted(column.name, moved), f"moved by a shift per patient, up to {DEFAULT_SPAN} days"
    else:
        dated = column.kind is Kind.DATE
        plain, values = (days_column(column, schema), days(column, schema)) if dated else (column, pl.col(column.name))
        made, values, change = _coarse(plain, values)
        yield made, values, f"days since {schema.index_date}; {change}" if dated else change


def _coarse(column: Column, values: pl.Expr) -> tuple[Column, pl.Expr, str]:
    """Quasi-identifiers are only capped here; what else they lose, the search decides."""
    if column.role in BY_ANONYMITY:
        if column.top_code is None:
            return column, values, "kept for the search"
        return column, values.clip(upper_bound=column.top_code).cast(column.dtype), f"capped at {column.top_code:g}"
    changed = coarsened(column) or bool(column.groups)
    return generalised_column(column), generalised(column, values), "coarsened by the codebook" if changed else "kept"


def _free_text(column: Column) -> bool:
    coded = column.role in BY_ANONYMITY and any(system in column.codes for system in CODE_SYSTEMS)
    return column.kind is Kind.TEXT and column.role is not Role.SITE and not coded


def _dropped(column: Column, schema: Schema) -> str:
    if column.name == schema.index_date:
        return "removed: day 0"
    return "removed: identifier" if column.role is Role.IDENTIFIER else "removed: free text"
