"""The columns of a regression at one party: standardised by pooled means, levels with too few patients merged.

Belongs here: which columns a model has, known to all parties alike, and this party's rows of them. Does not belong here:
fitting (``newton``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from federation.jobs.job import Job
from federation.protocols.scaling import Scale
from federation.protocols.suppression import SUPPRESSED as HIDDEN
from federation.protocols.suppression import Left, large_enough, left_out, opened_counts, opened_where
from federation.runtime import Runtime
from records.discretisation import encode_column, value_levels
from records.errors import ParameterError
from records.schema import Column, Kind


@dataclass(frozen=True)
class Design:
    """Names, pooled centres and spreads of the model's columns, and this party's standardised rows.

    Parameters
    ----------
    rows : numpy.ndarray of float, shape (patients here, columns)
    patients : int
        Pooled number of patients.
    """

    names: tuple[str, ...]
    centres: np.ndarray
    spreads: np.ndarray
    rows: np.ndarray
    patients: int

    def original(self, coefficients: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients and covariance in the columns' own units; an intercept, if there is one, comes first."""
        change = np.diag(1 / self.spreads)
        if len(coefficients) == len(self.names) + 1:
            whole = np.eye(len(coefficients))
            whole[1:, 1:] = change
            whole[0, 1:] = -self.centres / self.spreads
            change = whole
        return change @ coefficients, change @ covariance @ change.T


async def design(
    rt: Runtime, table: pl.DataFrame, columns: Sequence[Column], job: Job
) -> tuple[Design | None, list[Left]]:
    """The design over patients of ``table``, whose columns are all known; ``None`` if there are too few.

    A category has one column for each level but the first that is frequent enough; rarer levels than the job's minimum
    count are one with that first level.
    """
    if not columns:
        raise ParameterError("a model must have covariates, got none; name columns beside the outcome's")
    blocks = [_block(table[column.name], column) for column in columns]
    names, values = [n for names, _ in blocks for n in names], np.concatenate([v for _, v in blocks], axis=1)
    sums = np.stack([values.sum(axis=0), (values**2).sum(axis=0)])
    own = np.concatenate([[table.height], sums.ravel()]).astype(np.int64)
    shares = await rt.input_sum(own, own.shape)
    minimum = max(job.minimum_count, 2)
    patients = int((await opened_counts(rt, shares[:1], minimum))[0])
    if patients == HIDDEN:
        return None, [left_out("the model", job)]
    is_level = np.array([column.kind is Kind.CATEGORY for column in columns]).repeat([len(n) for n, _ in blocks])
    total, squares = shares[1:].reshape(2, -1)
    frequent = await _frequent(rt, total, is_level, minimum)
    sizes = [len(n) for n, _ in blocks]
    used = _without_references(frequent, columns, sizes) | ~is_level
    opened = await opened_where(rt, np.stack([total, squares]), np.stack([used] * 2))
    rare = [left_out(f"{names[i]}, one with the reference", job) for i in np.flatnonzero(is_level & ~frequent)]
    same = [i for i in np.flatnonzero(used).tolist() if patients * int(opened[1, i]) == int(opened[0, i]) ** 2]
    notes = [*rare, *({"what": names[i], "why": "all patients have one value"} for i in same)]
    kept = [i for i in np.flatnonzero(used).tolist() if i not in same]
    if not kept:
        raise ParameterError(
            "a model must have covariates that vary, got none; choose others or a smaller minimum_count"
        )
    centres = opened[0, kept] / patients
    spreads = np.sqrt(np.maximum(opened[1, kept] / patients - centres**2, 0))
    rows = (values[:, kept] - centres) / spreads
    steps, minima = (np.concatenate(parts)[kept] for parts in zip(*map(_units, columns), strict=True))
    named = tuple(names[i] for i in kept)
    return Design(named, minima + steps * centres, steps * spreads, rows, patients), notes


def _block(series: pl.Series, column: Column) -> tuple[list[str], np.ndarray]:
    """Names and whole numbers of a column's part of the design, shape (rows, part)."""
    if column.kind is Kind.CATEGORY:
        names = [f"{column.name}: {label}" for label in column.levels.values()]
        return names, np.eye(len(names), dtype=np.int64)[encode_column(series, column)]
    return [column.name], Scale.for_products(column).integers(series)[:, None]


def _units(column: Column) -> tuple[np.ndarray, np.ndarray]:
    if column.kind is Kind.CATEGORY:
        return np.ones(value_levels(column)), np.zeros(value_levels(column))
    scale = Scale.for_products(column)
    return np.array([scale.step]), np.array([scale.minimum])


async def _frequent(rt: Runtime, total: np.ndarray, is_level: np.ndarray, minimum: int) -> np.ndarray:
    """Levels that enough patients have; how many is not opened."""
    frequent = np.zeros(len(total), dtype=bool)
    if is_level.any():
        frequent[is_level] = await large_enough(rt, total[is_level], minimum)
    return frequent


def _without_references(frequent: np.ndarray, columns: Sequence[Column], sizes: Sequence[int]) -> np.ndarray:
    """Frequent levels but each category's first, whose count would tell those of the rare ones."""
    used, start = frequent.copy(), 0
    for column, size in zip(columns, sizes, strict=True):
        if column.kind is Kind.CATEGORY and frequent[start : start + size].any():
            used[start + int(frequent[start : start + size].argmax())] = False
        start += size
    return used
