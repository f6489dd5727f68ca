"""Level numbers back to values in schema types.

Belongs here: drawing a value inside its bin, on the column's recording grid. Does not belong here: which level.
"""

import numpy as np
import polars as pl

from records.discretisation import edges, value_levels
from records.schema import Column, Kind


def decode_column(codes: np.ndarray, column: Column, rng: np.random.Generator) -> pl.Series:
    """Values of one column; the level for missing becomes null, numbers stay in their bin and on the column's step."""
    if column.kind is Kind.CATEGORY:
        names = np.array([*column.levels, None], dtype=object)
        return pl.Series(column.name, names[codes].tolist(), dtype=column.dtype)
    values = _inside(np.minimum(codes, value_levels(column) - 1), column, rng)
    series = pl.Series(column.name, values).cast(column.dtype)
    return pl.select(pl.when(pl.Series(codes < value_levels(column))).then(series)).to_series().alias(column.name)


def _inside(codes: np.ndarray, column: Column, rng: np.random.Generator) -> np.ndarray:
    """Uniform over the grid points of each bin: the lower edge belongs to the bin, the upper only to the last one."""
    bounds = edges(column)
    low, high = bounds[codes], bounds[codes + 1]
    step = column.step or (1.0 if column.kind is Kind.INTEGER else 0.0)
    if not step:
        return low + rng.random(codes.size) * (high - low)
    origin = bounds[0]
    first = np.ceil((low - origin) / step - 1e-9)
    last = np.ceil((high - origin) / step - 1e-9) - 1
    top = (codes == value_levels(column) - 1) & (high <= (column.maximum or 0))
    last = np.maximum(np.where(top, np.floor((high - origin) / step + 1e-9), last), first)
    drawn = first + np.floor(rng.random(codes.size) * (last - first + 1))
    highest = bounds[-1] if column.maximum is None else column.maximum
    return np.minimum(np.round(origin + drawn * step, 9), highest)
