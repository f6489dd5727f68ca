"""Conditional sampling: what a user may ask drawn rows to carry.

Belongs here: the check of ``given=`` against the codebook, once for all synthesizers. Does not belong here: how a
model conditions on it.
"""

import polars as pl

from records.errors import ParameterError
from records.schema import Schema
from records.validation import validate


def conditions(given: pl.DataFrame, schema: Schema, n: int | None) -> pl.DataFrame:
    """One condition per drawn row, in schema types.

    Parameters
    ----------
    given : polars.DataFrame
        Some of the schema's columns; one row that holds for all drawn rows, or one row for each of them.
    schema : Schema
    n : int or None
        Number of drawn rows; ``None`` takes one per row of ``given``.

    Raises
    ------
    ParameterError
        A column is not in the schema, or the number of rows fits neither 1 nor ``n``.
    TableError
        A value is outside the codebook's levels or bounds.
    """
    if unknown := sorted(set(given.columns) - set(schema.names)):
        raise ParameterError(f"given must hold columns of {schema.name}, got {', '.join(unknown)}; drop them")
    if not given.columns or given.height not in {1, n or given.height}:
        raise ParameterError(f"given must have one row or {n}, got {given.height}; repeat it or change n")
    wanted = schema.select(given.columns).model_copy(update={"outcomes": ()})  # a condition may be of one class
    checked = validate(given, wanted, source="given")
    return pl.concat([checked] * n) if n is not None and checked.height == 1 else checked
