"""From a table of a codebook to numbers whose distances mean something.

Belongs here: scaling by the codebook's public bounds, so that every holder's numbers are comparable and nothing is learnt from
data. Does not belong here: distances (``nearest``).
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from hub.valuation.nearest import Labelled
from records.errors import ParameterError
from records.outcome import binary_outcome
from records.schema import Column, Kind, Outcome, Schema

APART = 2**-0.5  # two different levels lie 1 apart, as the two ends of a number


def labelled(frame: pl.DataFrame, schema: Schema, outcome: Outcome) -> tuple[Labelled, np.ndarray]:
    """Patients with a known outcome as numbers, and which rows of ``frame`` they are.

    Returns
    -------
    Labelled, numpy.ndarray of bool, shape (frame.height,)
    """
    columns = [c for c in schema.features() if c.name != outcome.column]
    if not columns:
        raise ParameterError(f"{schema.name} must have features, got none; see the roles in its codebook")
    label = binary_outcome(frame, schema, outcome)
    known = label.is_not_null()
    return Labelled(
        numbers(frame.filter(known), columns), label.drop_nulls().to_numpy().astype(np.int64)
    ), known.to_numpy()


def numbers(frame: pl.DataFrame, columns: Sequence[Column]) -> np.ndarray:
    """Numbers in 0 to 1 by their bounds, one place per level, and one more that tells missing values, shape (rows, places)."""
    return np.column_stack([place for column in columns for place in _places(frame[column.name], column)])


def _places(values: pl.Series, column: Column) -> list[np.ndarray]:
    missing = values.is_null().to_numpy()
    if column.kind is Kind.CATEGORY:
        codes = values.cast(column.dtype).to_physical().fill_null(0).to_numpy()
        found = [np.where(missing, 0.0, codes == level) * APART for level in range(len(column.levels))]
    else:
        low, high = float(column.minimum or 0), float(column.maximum or 0)
        scaled = (values.cast(pl.Float64).fill_null((low + high) / 2).to_numpy() - low) / (high - low)
        found = [np.clip(scaled, 0, 1)]
    return [*found, missing * APART] if column.missing else found
