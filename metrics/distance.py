"""Distance between patients of mixed type, after Gower (1971), with numbers on a rank scale.

Belongs here: encoding for distances and the nearest neighbours. Does not belong here: what a small distance means
(``attacks.membership``, ``fidelity.manifold``).

A category that differs counts 1, a number the difference of its ranks in a scale table (0 to 1), a value missing on
one side between 1/2 and 1, and one missing on both sides 0; the distance is the sum. Ranks, because laboratory values
crowd into a small part of their public bounds: on copies of the Copenhagen Stroke Study with a fifth of the cells
replaced, the membership attack reached a mean AUC of .73 with ranks and .70 with bounds (30 repetitions, sd .02). A
column without a known value in the scale table falls back to its public bounds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from metrics.fidelity.total_variation import indicators
from records.discretisation import encode, value_levels
from records.schema import Column, Kind, Role, Schema

PAIRS_AT_ONCE = 250_000


@dataclass(frozen=True)
class Points:
    """A table ready for distances: ``levels`` 0/1 (rows, all levels), ``numbers`` (rows, numbers) scaled to 0..1."""

    levels: np.ndarray
    numbers: np.ndarray
    categories: int

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.numbers)

    def __getitem__(self, rows: np.ndarray | slice) -> "Points":
        return Points(self.levels[rows], self.numbers[rows], self.categories)


def compared_columns(schema: Schema) -> list[Column]:
    """Columns an attacker may know of a patient: all but identifiers, text and dates."""
    return [c for c in schema.columns if c.role is not Role.IDENTIFIER and (c.kind is Kind.CATEGORY or c.numeric)]


def rank_scales(frame: pl.DataFrame, columns: Sequence[Column]) -> dict[str, np.ndarray]:
    """Sorted known values of each numeric column, each of shape (known values,)."""
    return {c.name: np.sort(frame[c.name].drop_nulls().cast(pl.Float64).to_numpy()) for c in columns if c.numeric}


def points(frame: pl.DataFrame, columns: Sequence[Column], scales: Mapping[str, np.ndarray]) -> Points:
    """Encode a table for distances, in float32; ``scales`` come from ``rank_scales`` of a table the attacker holds."""
    categories = [c for c in columns if c.kind is Kind.CATEGORY]
    levels = indicators(encode(frame, categories), [value_levels(c) + 1 for c in categories])
    numbers = [part for c in columns if c.numeric for part in _scaled(frame[c.name], c, scales[c.name])]
    table = np.column_stack(numbers) if numbers else np.zeros((frame.height, 0))
    return Points(levels, table.astype(np.float32), len(categories))


def _scaled(values: pl.Series, column: Column, scale: np.ndarray) -> list[np.ndarray]:
    """The number scaled to 0..1 (0.5 if missing) and, if it may be missing, half an indicator of that."""
    missing = values.is_null().to_numpy()
    numbers = values.cast(pl.Float64).fill_null(0.0).to_numpy()
    scaled = np.where(missing, 0.5, _ranks(numbers, scale) if len(scale) else _within_bounds(numbers, column))
    return [scaled, missing / 2] if column.missing else [scaled]


def _ranks(numbers: np.ndarray, scale: np.ndarray) -> np.ndarray:
    ends = (np.searchsorted(scale, numbers, side=side) for side in ("left", "right"))
    return np.add(*ends) / (2 * len(scale))


def _within_bounds(numbers: np.ndarray, column: Column) -> np.ndarray:
    low, high = float(column.minimum or 0.0), float(column.maximum or 1.0)
    return (numbers - low) / (high - low)


def distances(first: Points, second: Points) -> np.ndarray:
    """Gower distances, shape (first.rows, second.rows); the categories by one matrix product."""
    total = first.categories - first.levels @ second.levels.T
    for one, other in zip(first.numbers.T, second.numbers.T, strict=True):
        total += np.abs(one[:, None] - other[None, :])
    return total


def nearest(queries: Points, references: Points, *, neighbours: int = 1) -> np.ndarray:
    """Mean distance of each query to its nearest references.

    Returns
    -------
    numpy.ndarray of float, shape (queries.rows,)
    """
    count = min(neighbours, references.rows)
    step = max(1, PAIRS_AT_ONCE // max(references.rows, 1))
    blocks = [
        np.partition(distances(queries[i : i + step], references), count - 1, axis=1)[:, :count].mean(axis=1)
        for i in range(0, queries.rows, step)
    ]
    return np.concatenate(blocks).astype(float) if blocks else np.zeros(0)
