"""Predicates over a table, many at once: which ones hold for exactly one row.

Belongs here: conjunctions of conditions on columns and their evaluation. Does not belong here: which ones an attacker
forms (``singling_out``).

Every condition is an interval on one column of numbers: ``= v`` is [v, v], ``>= v`` is [v, largest], ``is missing`` is
[inf, inf], since missing is stored as infinity. ``!= v`` is a negated interval and never holds for missing, as in SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from records.schema import Column, Kind

MISSING = np.inf
LARGEST = np.finfo(float).max
FIRST_ROWS = 256
CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Predicates:
    """Conjunctions: ``columns`` (int), ``low``, ``high`` (float) and ``negated`` (bool), each of shape (predicates, conditions)."""

    columns: np.ndarray
    low: np.ndarray
    high: np.ndarray
    negated: np.ndarray

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, at: np.ndarray | slice) -> "Predicates":
        return Predicates(self.columns[at], self.low[at], self.high[at], self.negated[at])

    def distinct(self) -> "Predicates":
        """Each different predicate once, in order of first occurrence; conditions count in the order of columns."""
        order = np.argsort(self.columns, axis=1)
        parts = [np.take_along_axis(part, order, axis=1) for part in (self.columns, self.low, self.high, self.negated)]
        _, first = np.unique(np.hstack([part.astype(float) for part in parts]), axis=0, return_index=True)
        return self[np.sort(first)]


def joined(parts: Sequence[Predicates]) -> Predicates:
    """Predicates of the same number of conditions, one after the other."""
    return Predicates(
        np.concatenate([p.columns for p in parts]),
        np.concatenate([p.low for p in parts]),
        np.concatenate([p.high for p in parts]),
        np.concatenate([p.negated for p in parts]),
    )


def numbered(frame: pl.DataFrame, columns: Sequence[Column]) -> np.ndarray:
    """The table's different rows as numbers: level numbers of categories, infinity for missing.

    Returns
    -------
    numpy.ndarray of float, shape (columns, different rows)
    """
    rows = frame.select(pl.col(c.name).cast(c.dtype) for c in columns).unique(maintain_order=True)
    table = np.empty((len(columns), rows.height))
    for position, column in enumerate(columns):
        values = rows[column.name].to_physical() if column.kind is Kind.CATEGORY else rows[column.name]
        table[position] = values.cast(pl.Float64).fill_null(MISSING).to_numpy()
    return table


def counts(table: np.ndarray, predicates: Predicates) -> np.ndarray:
    """Rows for which each predicate holds.

    Returns
    -------
    numpy.ndarray of int, shape (predicates,)
    """
    step = max(1, CELLS_AT_ONCE // max(table.shape[1], 1))
    blocks = [_holding(table, predicates[i : i + step]).sum(axis=1) for i in range(0, len(predicates), step)]
    return np.concatenate(blocks) if blocks else np.zeros(0, dtype=int)


def singles(table: np.ndarray, predicates: Predicates) -> np.ndarray:
    """Whether each predicate holds for exactly one row.

    Rows are read in growing blocks, and a predicate that holds twice is not read further.

    Returns
    -------
    numpy.ndarray of bool, shape (predicates,)
    """
    found, open_, start, size = np.zeros(len(predicates), dtype=int), np.arange(len(predicates)), 0, FIRST_ROWS
    while start < table.shape[1] and open_.size:
        found[open_] += counts(table[:, start : start + size], predicates[open_])
        open_ = open_[found[open_] < 2]
        start, size = start + size, 4 * size
    return found == 1


def _holding(table: np.ndarray, predicates: Predicates) -> np.ndarray:
    holds = np.ones((len(predicates), table.shape[1]), dtype=bool)
    for slot in range(predicates.columns.shape[1]):
        values = table[predicates.columns[:, slot]]
        inside = (values >= predicates.low[:, slot, None]) & (values <= predicates.high[:, slot, None])
        negated = predicates.negated[:, slot]
        if negated.any():
            inside[negated] = ~inside[negated] & (values[negated] != MISSING)
        holds &= inside
    return holds
