"""Nearest synthetic rows by Gower's distance as the three risks use it: numbers scaled by their observed range.

Belongs here: which synthetic rows are nearest to a patient on the columns that an attacker knows. Does not belong
here: what the attacker does with them (``linkability``, ``inference_risk``), or distances on ranks (``distance``).

A category that differs counts 1 and a number its difference over the range of both tables; missing is a level of a
category; a number missing on one side counts 1 and on both sides 0. Ties are broken at random for each patient, so
that many equal rows give the average of what they say. (The anonymeter package takes a number missing on one side for
infinitely far, and breaks ties by its sort.)

References
----------
Gower, 1971, Biometrics 27:857. Giomi et al., 2023, PoPETs 2023(2):312.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from metrics.fidelity.total_variation import indicators
from records.discretisation import encode, value_levels
from records.schema import Column, Kind

PAIRS_AT_ONCE = 4_000_000
TIE = np.float32(1e-6)


def nearest_rows(
    queries: pl.DataFrame,
    references: pl.DataFrame,
    columns: Sequence[Column],
    *,
    neighbours: int = 1,
    rng: np.random.Generator,
) -> np.ndarray:
    """Positions of the nearest references of each query.

    Parameters
    ----------
    queries, references : polars.DataFrame
        Schema form; ``references`` holds at least one row.
    neighbours : int
        At least 1; at most all references are returned.

    Returns
    -------
    numpy.ndarray of int, shape (queries.height, neighbours)
        In no particular order.
    """
    count = min(neighbours, references.height)
    coded = _levels(queries, columns), _levels(references, columns)
    scaled = _numbers(queries, references, [c for c in columns if c.numeric])
    step = max(1, PAIRS_AT_ONCE // references.height)
    found = np.empty((queries.height, count), dtype=np.int64)
    for start in range(0, queries.height, step):
        block = slice(start, start + step)
        total = _distances(coded[0][block], coded[1], scaled[0][:, block], scaled[1])
        total += TIE * rng.random(total.shape, dtype=np.float32)
        found[block] = total.argmin(1)[:, None] if count == 1 else total.argpartition(count - 1, axis=1)[:, :count]
    return found


def _levels(frame: pl.DataFrame, columns: Sequence[Column]) -> np.ndarray:
    categories = [c for c in columns if c.kind is Kind.CATEGORY]
    if not categories:
        return np.zeros((frame.height, 0), dtype=np.float32)
    return indicators(encode(frame, categories), [value_levels(c) + 1 for c in categories])


def _numbers(
    queries: pl.DataFrame, references: pl.DataFrame, columns: Sequence[Column]
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers over the range of both tables, NaN for missing: float32, shape (columns, rows) each."""
    tables = [_values(frame, columns) for frame in (queries, references)]
    both = np.concatenate(tables, axis=1)
    known = np.isfinite(both)
    top, bottom = (
        edge(both, axis=1, where=known, initial=start) for edge, start in ((np.max, -np.inf), (np.min, np.inf))
    )
    spread = np.where(top > bottom, top - bottom, 1.0)[:, None]
    return (tables[0] / spread).astype(np.float32), (tables[1] / spread).astype(np.float32)


def _values(frame: pl.DataFrame, columns: Sequence[Column]) -> np.ndarray:
    table = np.empty((len(columns), frame.height))
    for position, column in enumerate(columns):
        table[position] = frame[column.name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return table


def _distances(levels: np.ndarray, others: np.ndarray, numbers: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Gower distances up to a constant, shape (rows, others): each equal category brings rows nearer by 1."""
    total = -(levels @ others.T)
    for one, other in zip(numbers, beside, strict=True):
        gap = np.abs(one[:, None] - other[None, :])
        lone, blank = np.isnan(one), np.isnan(other)
        if lone.any() or blank.any():
            gap = np.where(lone[:, None] | blank[None, :], lone[:, None] != blank[None, :], gap)
        total += gap
    return total
