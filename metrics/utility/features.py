"""The design matrix of a downstream classifier, built from the schema alone.

Belongs here: which columns a classifier may see and how they become numbers. Does not belong here: the classifiers
(``utility``) or the outcome's definition (``records.outcome``). Leaking columns, outcomes, follow-up time and event
never enter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from records.outcome import binary_outcome
from records.schema import Column, Kind, Outcome, Schema

MOST_NATIVE_LEVELS = 254


@dataclass(frozen=True)
class LabelledTable:
    """Rows with a known outcome: ``matrix`` shape (rows, columns) with NaN for missing, ``label`` bool (rows,)."""

    matrix: np.ndarray
    label: np.ndarray

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.label)

    @property
    def events(self) -> int:
        """Number of rows with the event."""
        return int(self.label.sum())

    @property
    def two_classes(self) -> bool:
        """Whether both outcomes occur."""
        return 0 < self.events < self.rows


def feature_columns(schema: Schema, outcome: Outcome) -> list[Column]:
    """Columns a classifier of ``outcome`` may see: the schema's features without the outcome's own column."""
    return [column for column in schema.features() if column.name != outcome.column]


def design_matrix(frame: pl.DataFrame, columns: Sequence[Column]) -> np.ndarray:
    """Numbers as they are, categories as level numbers, missing as NaN.

    Returns
    -------
    numpy.ndarray of float, shape (rows, len(columns))
    """
    matrix = np.empty((frame.height, len(columns)))
    for position, column in enumerate(columns):
        matrix[:, position] = _numbers(frame[column.name], column)
    return matrix


def _numbers(values: pl.Series, column: Column) -> np.ndarray:
    known = values.cast(column.dtype).to_physical() if column.kind is Kind.CATEGORY else values
    return known.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def labelled(frame: pl.DataFrame, schema: Schema, outcome: Outcome) -> LabelledTable:
    """Design matrix and label of the rows whose outcome is known; patients censored before the horizon are left out."""
    label = binary_outcome(frame, schema, outcome)
    known = frame.filter(label.is_not_null())
    matrix = design_matrix(known, feature_columns(schema, outcome))
    return LabelledTable(matrix, label.drop_nulls().to_numpy().astype(bool))


def category_positions(columns: Sequence[Column]) -> list[int]:
    """Positions of the categories in the design matrix."""
    return [i for i, column in enumerate(columns) if column.kind is Kind.CATEGORY]


def native_categories(columns: Sequence[Column]) -> list[int]:
    """Positions of the categories that a histogram tree takes natively (its bins are a byte)."""
    return [i for i in category_positions(columns) if len(columns[i].levels) <= MOST_NATIVE_LEVELS]


def linear_encoder(columns: Sequence[Column]) -> ColumnTransformer:
    """Encoder for linear models: standardised numbers, median for missing plus an indicator, one-hot levels.

    The levels come from the codebook and missing is a level of its own, so that a level unseen in one table neither
    breaks nor shifts the matrix.
    """
    categories = category_positions(columns)
    numbers = [i for i in range(len(columns)) if i not in set(categories)]
    levels: Any = [np.append(np.arange(len(columns[i].levels), dtype=float), np.nan) for i in categories]
    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(impute, StandardScaler()), numbers),
            ("levels", OneHotEncoder(categories=levels or "auto", sparse_output=False), categories),
        ]
    )
