"""Strength of association of two columns of any kind, and the matrix of all pairs of a table.

Belongs here: Spearman's correlation, the correlation ratio and Cramer's V. Does not belong here: comparing two tables
(``association``).

References
----------
Spearman, 1904, Am J Psychol 15:72. Pearson, 1905 (correlation ratio eta). Bergsma, 2013, J Korean Stat Soc 42:323
(bias-corrected Cramer's V).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from records.discretisation import value_levels
from records.schema import Column

FEWEST_COMPLETE = 20
MEASURES = {2: "Spearman's correlation", 1: "correlation ratio", 0: "Cramer's V"}  # by how many are numbers


@dataclass(frozen=True)
class _Values:
    """A column as numbers: ``codes`` are dense ranks or level numbers (rows,), below ``levels`` where known."""

    codes: np.ndarray
    levels: int
    known: np.ndarray
    numbers: np.ndarray | None


def measure(first: Column, second: Column) -> str:
    """Name of the measure used for two columns."""
    return MEASURES[int(first.numeric) + int(second.numeric)]


def association_matrix(frame: pl.DataFrame, codes: np.ndarray, columns: Sequence[Column]) -> np.ndarray:
    """Association of all pairs of columns, each on the rows in which both are known.

    Parameters
    ----------
    frame : polars.DataFrame
        The columns, missing as null.
    codes : numpy.ndarray of int, shape (rows, columns)
        Their level numbers.

    Returns
    -------
    numpy.ndarray of float, shape (columns, columns)
        Symmetric, 1 on the diagonal. Numbers: -1 to 1; else 0 to 1. NaN where a column has one value only or fewer
        than 20 rows are complete.
    """
    values = [_values(frame[c.name], codes[:, at], c) for at, c in enumerate(columns)]
    matrix = np.eye(len(columns))
    for i in range(len(columns)):
        for j in range(i):
            matrix[i, j] = matrix[j, i] = _associated(values[i], values[j])
    return matrix


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation of two columns given as whole numbers in their order, e.g. dense ranks."""
    return _correlation(_mid_ranks(first), _mid_ranks(second))


def correlation_ratio(numbers: np.ndarray, levels: np.ndarray) -> float:
    """Correlation ratio eta: square root of the share of variance that lies between levels, 0 to 1."""
    counts = np.bincount(levels)
    centred = numbers - numbers.mean()
    sums, total = np.bincount(levels, weights=centred), float(centred @ centred)
    seen = counts > 0
    if seen.sum() < 2 or total <= 0:
        return float("nan")
    return float(np.sqrt(min(1.0, float((sums[seen] ** 2 / counts[seen]).sum()) / total)))


def cramers_v(counts: np.ndarray) -> float:
    """Bias-corrected Cramer's V of a table of counts, 0 to 1; empty rows and columns do not count."""
    kept = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    total = kept.sum()
    if min(kept.shape) < 2:
        return float("nan")
    expected = np.outer(kept.sum(axis=1), kept.sum(axis=0)) / total
    freedom = (kept.shape[0] - 1) * (kept.shape[1] - 1)
    phi = max(0.0, float(((kept - expected) ** 2 / expected).sum()) / total - freedom / (total - 1))
    sides = [size - (size - 1) ** 2 / (total - 1) for size in kept.shape]
    return float(min(1.0, np.sqrt(phi / (min(sides) - 1)))) if min(sides) > 1 else float("nan")


def _values(values: pl.Series, codes: np.ndarray, column: Column) -> _Values:
    if not column.numeric:
        levels = value_levels(column)
        return _Values(codes.astype(np.int64), levels, codes < levels, None)
    known = values.is_not_null().to_numpy()
    numbers = values.cast(pl.Float64).fill_null(0.0).to_numpy()
    distinct, ranks = np.unique(numbers, return_inverse=True)
    return _Values(ranks, len(distinct), known, numbers)


def _associated(first: _Values, second: _Values) -> float:
    both = first.known & second.known
    if both.sum() < FEWEST_COMPLETE:
        return float("nan")
    one, other = first.codes[both], second.codes[both]
    if first.numbers is not None and second.numbers is not None:
        return spearman(one, other)
    if first.numbers is not None:
        return correlation_ratio(first.numbers[both], other)
    if second.numbers is not None:
        return correlation_ratio(second.numbers[both], one)
    cells = np.bincount(one * second.levels + other, minlength=first.levels * second.levels)
    return cramers_v(cells.reshape(first.levels, second.levels).astype(float))


def _mid_ranks(codes: np.ndarray) -> np.ndarray:
    """Average ranks of whole numbers from 0 on, by counting instead of sorting."""
    counts = np.bincount(codes)
    return (np.cumsum(counts) - (counts - 1) / 2)[codes]


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    one, other = first - first.mean(), second - second.mean()
    spread = float(np.sqrt(one @ one) * np.sqrt(other @ other))
    return float(np.clip(one @ other / spread, -1, 1)) if spread > 0 else float("nan")
