"""Worst-case patients: whose presence a mechanism should find hardest to hide.

Belongs here: one-row tables built from a schema and a table, and the neighbouring table that holds one. Does not
belong here: running a mechanism on them (``audit``).

Differential privacy promises the same for every patient that the codebook allows, so that an audit looks where a
mistake would show: at levels few or no patients have, and at missing values.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from records.discretisation import discrete_columns, edges, encode, encode_column, level_count, value_levels
from records.schema import Column, Kind, Role, Schema

NAME = "canary"


def canaries(table: pl.DataFrame, schema: Schema) -> dict[str, pl.DataFrame]:
    """Worst-case patients; each change is made only if all constraints of the schema still hold.

    Parameters
    ----------
    table : polars.DataFrame
        Schema form, at least one row.

    Returns
    -------
    dict of str to polars.DataFrame
        One row each, in schema form. ``rare``: the rarest level that occurs, column by column. ``unseen``: a level
        that no patient has, where there is one, else the rarest. ``missing``: missing wherever allowed, else rare.
    """
    columns = [c for c in discrete_columns(schema) if c.role is not Role.IDENTIFIER]
    codes = encode(table, columns)
    held = [np.bincount(codes[:, at], minlength=level_count(c)) for at, c in enumerate(columns)]
    rarity = np.sum([np.log(n[codes[:, at]]) for at, n in enumerate(held)], axis=0)
    start = _named(table.select(schema.names)[int(rarity.argmin())], schema)
    wishes = {
        "rare": [np.argsort(np.where(n > 0, n, table.height + 1), kind="stable") for n in held],
        "unseen": [np.argsort(n, kind="stable") for n in held],
    }
    wishes["missing"] = [
        np.array([value_levels(c)]) if c.missing else order for c, order in zip(columns, wishes["rare"], strict=True)
    ]
    return {name: _changed(start, columns, orders, schema) for name, orders in wishes.items()}


def added(table: pl.DataFrame, canary: pl.DataFrame) -> pl.DataFrame:
    """The neighbouring table: one patient more; columns that the canary lacks are dropped."""
    return pl.concat([table.select(pl.col(n).cast(kind) for n, kind in canary.schema.items()), canary])


def _named(row: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """No identifier of a patient stays in the canary."""
    texts = [c.name for c in schema.with_role(Role.IDENTIFIER) if c.kind is Kind.TEXT]
    return row.cast(schema.polars()).with_columns(pl.lit(NAME).alias(n) for n in texts)  # type: ignore[arg-type]


def _changed(row: pl.DataFrame, columns: list[Column], orders: list[np.ndarray], schema: Schema) -> pl.DataFrame:
    """Each column set to the first level of its order that the constraints allow."""
    for column, order in zip(columns, orders, strict=True):
        tried = (row.with_columns(_value(column, int(level))) for level in order)
        row = next(_allowed(tried, column, order, schema), row)
    return row


def _allowed(rows: Iterator[pl.DataFrame], column: Column, order: np.ndarray, schema: Schema) -> Iterator[pl.DataFrame]:
    for row, level in zip(rows, order, strict=True):
        inside = encode_column(row[column.name], column)[0] == level
        if inside and not any(row.select(c.broken().alias("broken"))["broken"][0] for c in schema.constraints):
            yield row


def _value(column: Column, level: int) -> pl.Series:
    """A value of the level; a number is the first recorded one in its bin."""
    if level == value_levels(column):
        return pl.Series(column.name, [None], dtype=column.dtype)
    if column.kind is Kind.CATEGORY:
        return pl.Series(column.name, [list(column.levels)[level]], dtype=column.dtype)
    low = float(edges(column)[level])
    return pl.Series(column.name, [np.ceil(low) if column.kind is Kind.INTEGER else low]).cast(column.dtype)
