"""Bins that follow the data, paid from the budget.

Belongs here: private quantiles of numeric columns that have no clinical cut points in the codebook. Does not belong here:
discretisation by a codebook (``records.discretisation``), which costs nothing and is the default.
"""

import random

import numpy as np
import polars as pl
from scipy.optimize import isotonic_regression

from models.oracle import TableOracle
from models.selection import Selection, measure_together
from records.discretisation import encode_column, level_count, value_levels
from records.schema import Column, Kind, Schema

FINE_BINS = 200


def quantile_binned(
    table: pl.DataFrame, schema: Schema, *, bins: int, rho: float, bits: random.Random | None, exact: bool = False
) -> tuple[Schema, Selection]:
    """The schema with private quantiles as cut points of numeric columns that list none, and what that cost.

    Each such column is counted once on a public grid of ``FINE_BINS`` equal bins between its public bounds, with discrete
    Gaussian noise; the cut points are grid points, chosen from the noisy counts alone.

    Parameters
    ----------
    bins : int
        Most bins of a column, >= 2; bins that would be as narrow as the noise are merged.
    rho : float
        zCDP for all columns together.
    """
    chosen = [c for c in schema.columns if c.numeric and not c.bins and value_levels(c) > 2]
    if not chosen:
        return schema, Selection()
    fine = {c.name: _finer(c) for c in chosen}
    codes = {name: (encode_column(table[name], column), level_count(column)) for name, column in fine.items()}
    done = measure_together(
        TableOracle(codes, bits=bits, exact=exact), [(name,) for name in fine], rho, "quantiles of numeric columns"
    )
    cuts = {
        m.attributes[0]: _cuts(m.counts[: value_levels(fine[m.attributes[0]])], fine[m.attributes[0]], bins, m.sigma)
        for m in done.measurements
    }
    columns = tuple(c.model_copy(update={"bins": cuts[c.name]}) if c.name in cuts else c for c in schema.columns)
    return schema.model_copy(update={"columns": columns}), Selection([], done.mechanisms)


def _finer(column: Column) -> Column:
    low, high = float(column.minimum or 0), float(column.maximum or 0)
    grid = np.linspace(low, high, FINE_BINS + 1)[1:-1]
    grid = np.unique(np.ceil(grid)) if column.kind is Kind.INTEGER else grid
    return column.model_copy(update={"bins": tuple(float(v) for v in grid if low < v <= high)})


def _cuts(counts: np.ndarray, fine: Column, bins: int, sigma: float) -> tuple[float, ...]:
    """Grid points at which the noisy cumulative count passes each quantile; none closer than the noise tells apart."""
    total = max(float(counts.sum()), 1.0)
    # A cumulative count rises: the closest rising curve takes back much of the noise that sums up along it.
    reached = isotonic_regression(np.cumsum(counts)).x / total
    found: list[float] = []
    last = 0.0
    least = max(1 / (2 * bins), 2 * sigma / total)
    for share in np.arange(1, bins) / bins:
        at = int(np.searchsorted(reached, share))
        if at < len(fine.bins) and reached[at] - last >= least and fine.bins[at] not in found:
            found.append(fine.bins[at])
            last = float(reached[at])
    return tuple(found) or (fine.bins[len(fine.bins) // 2],)
