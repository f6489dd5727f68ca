"""Discretisation by the codebook: every value becomes a level number, with the same bins for any two tables.

Belongs here: edges from public bounds and cut points, encoding, and labels. Does not belong here: anything read
from the data (data-dependent bins would have to be paid for), or turning bins back into values (``models``).
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from records.schema import Column, Kind, Schema

DEFAULT_BINS = 10
# Edges are decimals, as recorded values are: 0.3, not the 0.30000000000000004 that adding up gives.
DECIMALS = 9


def edges(column: Column) -> np.ndarray:
    """Bin edges of a numeric column, from the codebook only.

    Returns
    -------
    numpy.ndarray of float, shape (bins + 1,)
        Rising; bin ``i`` is ``[edges[i], edges[i + 1])`` and the last one includes its upper edge. Without cut points
        in the codebook there are 10 bins of one width, or one bin per value if at most 10 values can be recorded.
    """
    if column.minimum is None or column.maximum is None:
        raise KeyError(f"{column.name} has no bounds")
    if column.bins:
        return np.array([column.minimum, *column.bins, column.maximum], dtype=float)
    width = column.maximum - column.minimum
    step = column.step or (1.0 if column.kind is Kind.INTEGER else 0.0)
    if step and width / step < DEFAULT_BINS:
        return np.round(column.minimum + step * np.arange(int(width / step + 1e-9) + 2), DECIMALS)
    return np.round(np.linspace(column.minimum, column.maximum, DEFAULT_BINS + 1), DECIMALS)


def value_levels(column: Column) -> int:
    """Number of levels without the one for missing."""
    return len(column.levels) if column.kind is Kind.CATEGORY else len(edges(column)) - 1


def level_count(column: Column) -> int:
    """Number of levels; a column that may be missing has one more, the last."""
    return value_levels(column) + int(column.missing)


def level_labels(column: Column) -> list[str]:
    """Readable name of each level, in order."""
    if column.kind is Kind.CATEGORY:
        names = list(column.levels.values())
    else:
        bounds = edges(column)
        names = [f"{low:g} to {high:g}" for low, high in zip(bounds[:-1], bounds[1:], strict=True)]
    return names + (["missing"] if column.missing else [])


def discrete_columns(schema: Schema) -> list[Column]:
    """Columns that can be discretised: categories and bounded numbers."""
    return [c for c in schema.columns if c.kind is Kind.CATEGORY or c.numeric]


def encode_column(values: pl.Series, column: Column) -> np.ndarray:
    """Level numbers of one column.

    Returns
    -------
    numpy.ndarray of int32, shape (rows,)
        0 to ``level_count(column) - 1``.
    """
    missing = values.is_null().to_numpy()
    if column.kind is Kind.CATEGORY:
        codes = values.cast(column.dtype).to_physical().fill_null(0).to_numpy().astype(np.int32)
    else:
        numbers = values.cast(pl.Float64).fill_null(column.minimum).to_numpy()
        codes = np.searchsorted(edges(column)[1:-1], numbers, side="right").astype(np.int32)
    codes[missing] = value_levels(column)
    return codes


def encode(frame: pl.DataFrame, columns: Sequence[Column]) -> np.ndarray:
    """Level numbers of a table.

    Returns
    -------
    numpy.ndarray of int32, shape (rows, len(columns)), Fortran order
    """
    table = np.empty((frame.height, len(columns)), dtype=np.int32, order="F")
    for position, column in enumerate(columns):
        table[:, position] = encode_column(frame[column.name], column)
    return table
