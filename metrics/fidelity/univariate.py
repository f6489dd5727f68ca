"""Distances of single columns: Kolmogorov-Smirnov and Wasserstein for numbers, Jensen-Shannon for categories.

Belongs here: one column at a time, on its known values. Does not belong here: missing values (``missingness``), bins
(``table``) or associations (``association``).

References
----------
Lin, 1991, IEEE Trans Inf Theory 37:145 (Jensen-Shannon; its square root is a metric). Ramdas, Garcia Trillos and
Cuturi, 2017, Entropy 19:47 (Wasserstein-1 as the area between distribution functions).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from metrics.fidelity.references import Compared
from metrics.plain import plain
from records.discretisation import value_levels
from records.schema import Column

MEASURES = ("kolmogorov_smirnov", "wasserstein", "jensen_shannon")
NOTHING_KNOWN = "no value is known in train or in the synthetic table"


@dataclass(frozen=True)
class UnivariateReport:
    """Aggregates only; figures are ``None`` where ``reason`` says why.

    Parameters
    ----------
    columns : sequence of mapping
        Per column ``name``, ``label``, ``kind``, ``reason``, and per measure the tables' distances to train:
        ``kolmogorov_smirnov`` (0 to 1) and ``wasserstein`` (share of the public range, 0 to 1) of numbers,
        ``jensen_shannon`` (0 to 1, base 2) of categories; the other measures are ``None``.
    mean, max : mapping of str to (mapping of str to float)
        Measure to table to the mean (largest) distance over columns.
    """

    reason: str | None
    columns: Sequence[Mapping[str, Any]] = ()
    mean: Mapping[str, Mapping[str, float]] | None = None
    max: Mapping[str, Mapping[str, float]] | None = None

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def univariate(tables: Compared) -> UnivariateReport:
    """Distance of every column of every table to train."""
    if tables.reason is not None:
        return UnivariateReport(tables.reason)
    columns = [_column(tables, at) for at in range(len(tables.columns))]
    return UnivariateReport(
        None, columns, _over(columns, tables.others, np.mean), _over(columns, tables.others, np.max)
    )


def _column(tables: Compared, at: int) -> dict[str, Any]:
    column = tables.columns[at]
    measured = (_number if column.numeric else _category)(tables, at)
    known = any(np.isfinite(distances["synthetic"]) for distances in measured.values())
    return {
        "name": column.name,
        "label": column.label,
        "kind": column.kind,
        "reason": None if known else NOTHING_KNOWN,
        **dict.fromkeys(MEASURES),
        **measured,
    }


def _number(tables: Compared, at: int) -> dict[str, dict[str, float]]:
    column = tables.columns[at]
    known = {name: _sorted(frame[column.name]) for name, frame in tables.frames.items()}
    both = {name: number_distances(known["train"], known[name]) for name in tables.others}
    return {
        "kolmogorov_smirnov": {name: steps for name, (steps, _) in both.items()},
        "wasserstein": {name: area / _range(column) for name, (_, area) in both.items()},
    }


def _category(tables: Compared, at: int) -> dict[str, dict[str, float]]:
    levels = value_levels(tables.columns[at])
    counts = {name: np.bincount(codes[:, at], minlength=levels)[:levels] for name, codes in tables.codes.items()}
    return {"jensen_shannon": {n: jensen_shannon(counts["train"], counts[n]) for n in tables.others}}


def _sorted(values: pl.Series) -> np.ndarray:
    return np.sort(values.drop_nulls().cast(pl.Float64).to_numpy())


def _range(column: Column) -> float:
    return float(column.maximum or 0.0) - float(column.minimum or 0.0)


def number_distances(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Kolmogorov-Smirnov statistic and Wasserstein-1 distance, from one sweep over both distribution functions.

    Parameters
    ----------
    first, second : numpy.ndarray of float
        Sorted known values.

    Returns
    -------
    tuple of float
        Statistic, 0 to 1, and distance, in the unit of the values; NaN if either has no value.
    """
    if not (first.size and second.size):
        return float("nan"), float("nan")
    steps = np.unique(np.concatenate([first, second]))
    shares = [np.searchsorted(values, steps, side="right") / values.size for values in (first, second)]
    gaps = np.abs(shares[0] - shares[1])
    return float(gaps.max()), float(gaps[:-1] @ np.diff(steps))


def jensen_shannon(first: np.ndarray, second: np.ndarray) -> float:
    """Jensen-Shannon distance, base 2, of two vectors of counts: 0 (same) to 1 (disjoint); NaN if one is empty."""
    if not (first.sum() and second.sum()):
        return float("nan")
    one, other = first / first.sum(), second / second.sum()
    middle = (one + other) / 2
    return float(np.sqrt(max(0.0, (_divergence(one, middle) + _divergence(other, middle)) / 2)))


def _divergence(shares: np.ndarray, middle: np.ndarray) -> float:
    seen = shares > 0
    return float(shares[seen] @ np.log2(shares[seen] / middle[seen]))


def _over(columns: Sequence[Mapping[str, Any]], names: Sequence[str], summary: Any) -> dict[str, dict[str, float]]:
    """Summary over the columns in which a table has a distance; measures without a column are left out."""
    found: dict[str, dict[str, float]] = {}
    for measure in MEASURES:
        rows = [column[measure] for column in columns if column[measure] is not None]
        known = {name: [row[name] for row in rows if np.isfinite(row[name])] for name in names}
        if rows:
            found[measure] = {n: float(summary(values)) if values else float("nan") for n, values in known.items()}
    return found
