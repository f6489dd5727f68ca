"""An image table as arrays for a family of synthesizers: pixels from -1 to 1, a class, other columns as numbers.

Belongs here: scaling by public bounds, and back. Does not belong here: learning.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from records.discretisation import edges
from records.images import ImageSchema, ImageTable
from records.schema import Column, Kind

UNKNOWN = -1


@dataclass(frozen=True)
class Seen:
    """Slices of patients.

    Parameters
    ----------
    pixels : numpy.ndarray of float32, [n, h, w]
        From -1 to 1, the bounds of the window.
    masks : numpy.ndarray of uint8, [n, h, w], or None
    classes : numpy.ndarray of int, [n]
        Level of the main label, -1 where it is not known.
    columns : numpy.ndarray of float, [n, q]
        Other labels and clinical columns from -1 to 1, 0 where they are not known.
    schema : ImageSchema
    """

    pixels: NDArray[np.float32]
    masks: NDArray[np.uint8] | None
    classes: NDArray[np.int64]
    columns: NDArray[np.float64]
    schema: ImageSchema

    @property
    def class_count(self) -> int:
        """Levels of the main label."""
        return len(self.schema.label.levels)


@dataclass(frozen=True)
class Drawn:
    """Synthetic pixels from -1 to 1, and masks where the codebook has them.

    A simulator adds the columns of its patients as in ``Seen``, NaN where it does not know them.
    """

    pixels: NDArray[np.floating]
    masks: NDArray[np.uint8] | None = None
    columns: NDArray[np.float64] | None = None


def seen(table: ImageTable, schema: ImageSchema) -> Seen:
    """What a family learns from."""
    low, high = schema.window
    pixels = np.clip((table.pixels - np.float32(low)) * np.float32(2 / (high - low)) - 1, -1, 1).astype(np.float32)
    return Seen(pixels, table.masks, classes(table.rows, schema), columns(table.rows, schema), schema)


def in_window(pixels: NDArray[np.floating], schema: ImageSchema) -> NDArray[np.float32]:
    """Pixels in the codebook's unit."""
    low, high = schema.window
    return np.clip(low + (pixels + 1) / 2 * (high - low), low, high).astype(np.float32)


def classes(rows: pl.DataFrame, schema: ImageSchema) -> NDArray[np.int64]:
    """Level of the main label in each row."""
    return rows[schema.label.name].to_physical().cast(pl.Int64).fill_null(UNKNOWN).to_numpy()


def columns(rows: pl.DataFrame, schema: ImageSchema) -> NDArray[np.float64]:
    """All other columns but text and dates, from -1 to 1; a category is one number for each level after the first."""
    found = [_numbers(rows[c.name], c) for c in _others(schema)]
    return np.concatenate(found, axis=1) if found else np.zeros((rows.height, 0))


def simulated_columns(rows: pl.DataFrame, schema: ImageSchema) -> NDArray[np.float64]:
    """As ``columns``, of a simulator's patients; NaN in columns that it does not have."""
    found = [np.zeros((rows.height, 0))]
    for column in _others(schema):
        width = len(column.levels) - 1 if column.kind is Kind.CATEGORY else 1
        if column.name not in rows.columns:
            found.append(np.full((rows.height, width), np.nan))
            continue
        values = rows[column.name]
        if column.kind is Kind.CATEGORY:
            values = values.cast(pl.String).cast(pl.Enum(list(column.levels)), strict=False)
        found.append(_numbers(values, column))
    return np.concatenate(found, axis=1)


def _others(schema: ImageSchema) -> list[Column]:
    return [c for c in schema.table.columns if c.name != schema.label.name and c.kind not in (Kind.TEXT, Kind.DATE)]


def _numbers(values: pl.Series, column: Column) -> NDArray[np.float64]:
    if column.kind is Kind.CATEGORY:
        codes = values.to_physical().cast(pl.Int64).fill_null(UNKNOWN).to_numpy()
        levels = np.arange(1, len(column.levels))
        return np.where(codes[:, None] < 0, 0.0, np.where(codes[:, None] == levels, 1.0, -1.0))
    # places among the codebook's bins, since bounds may be far wider than what occurs
    cuts = edges(column)
    placed = np.interp(
        values.cast(pl.Float64).fill_null(float(cuts[0])).to_numpy(), cuts, np.linspace(-1, 1, len(cuts))
    )
    return np.where(values.is_null().to_numpy(), 0.0, placed)[:, None]
