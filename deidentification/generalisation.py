"""Coarsening by the codebook: ages top-coded, numbers to band midpoints, categories to coarser levels.

Belongs here: row-wise changes that the codebook fixes beforehand, in the schema and in the table. Does not belong
here: bands chosen from the data. Generalising until every class is large (Sweeney, 2002) lets one patient change
many rows, and would void the differential privacy of whatever is computed next.
"""

import math
from fractions import Fraction
from typing import Any

import polars as pl

from records.discretisation import DEFAULT_BINS
from records.errors import CodebookError
from records.schema import Column, Kind

_ON_THE_EDGE = 1e-9  # in band widths: 0.3 / 0.1 must not fall below band 3


def generalised_column(column: Column) -> Column:
    """The column after coarsening: fewer levels, or bounds, step and bins that fit the midpoints.

    Applying it twice changes nothing. ``top_code`` and ``generalise`` stay, for the catalogue.

    Raises
    ------
    CodebookError
        The coarsening leaves fewer than two values, or does not fit the column's kind.
    """
    if column.kind is Kind.CATEGORY and column.groups:
        return _changed(column, levels=coarse_levels(column), groups={})
    if not coarsened(column):
        return column
    _refuse_unfit(column)
    low, high = _extreme(column, column.minimum), _extreme(column, column.maximum)
    if low >= high:
        raise CodebookError(
            f"{column.name} must keep at least two values after de-identification, got top_code {column.top_code} and "
            f"generalise {column.generalise} on {column.minimum:g} to {column.maximum:g}; mend the codebook"
        )
    bins = _bins(column, low, high)
    return _changed(column, minimum=low, maximum=high, bins=bins, step=_step(column, low, high))


def generalised(column: Column, values: pl.Expr | None = None) -> pl.Expr:
    """Expression that coarsens the values of a column in schema form; nulls stay null.

    Numbers above ``top_code`` become ``top_code``; then with band width w: ``floor(x / w) * w + w / 2`` (integers:
    ``+ w // 2``), cut at the public bounds.

    Parameters
    ----------
    column : Column
        Before coarsening.
    values : polars.Expr or None
        Its values, if they are not the table's column of that name.
    """
    values = pl.col(column.name) if values is None else values
    if column.kind is Kind.CATEGORY and column.groups:
        coarse = pl.Enum(list(coarse_levels(column)))
        values = values.cast(pl.String).replace(dict(column.groups)).cast(coarse)
    elif coarsened(column):
        values = _coarse(values, column).cast(column.dtype)
    return values.alias(column.name)


def coarsened(column: Column) -> bool:
    """Whether de-identification changes the values of a numeric column."""
    return column.numeric and (column.top_code is not None or column.generalise is not None)


def coarse_levels(column: Column) -> dict[str, str]:
    """Levels (code to label) that remain after grouping, in codebook order."""
    kept = {column.groups.get(level, level) for level in column.levels}
    return {level: label for level, label in column.levels.items() if level in kept}


def _coarse(values: pl.Expr, column: Column) -> pl.Expr:
    low, high = _limits(column)
    if column.generalise is None:
        return values.clip(low, high)
    width = _width(column)
    capped = values.clip(upper_bound=high)
    if column.kind is Kind.INTEGER:
        return (capped // width * width + width // 2).clip(low, high)
    return ((capped / width + _ON_THE_EDGE).floor() * width + width / 2).clip(low, high)


def _limits(column: Column) -> tuple[float, float]:
    """Bounds that coarse values are cut at; whole numbers for an integer column."""
    low, high = float(column.minimum or 0), float(column.maximum or 0)
    if column.top_code is not None:
        high = min(high, column.top_code)
    return (math.ceil(low), math.floor(high)) if column.kind is Kind.INTEGER else (low, high)


def _width(column: Column) -> float:
    width = float(column.generalise or 0)
    return int(width) if column.kind is Kind.INTEGER else width


def _extreme(column: Column, bound: float | None) -> float:
    """Coarse value of a bound."""
    return float(pl.select(_coarse(pl.lit(bound).cast(column.dtype), column)).item())


def _refuse_unfit(column: Column) -> None:
    width = column.generalise
    if width is None:
        return
    if width <= 0 or (column.kind is Kind.INTEGER and width != int(width)):
        rule = "positive and whole" if column.kind is Kind.INTEGER else "positive"
        raise CodebookError(f"{column.name} must have a {rule} band width, got generalise {width:g}; mend the codebook")


def _bins(column: Column, low: float, high: float) -> tuple[float, ...]:
    """Cut points inside the new bounds, moved to the nearest band edge, so that a level's label stays true."""
    if column.generalise is None:
        return tuple(cut for cut in column.bins if low < cut <= high)
    width = column.generalise
    cuts = column.bins or _band_edges(width, low, high)
    moved = sorted({round(math.floor(cut / width + 0.5) * width, 9) for cut in cuts})
    return tuple(cut for cut in moved if low < cut <= high)


def _band_edges(width: float, low: float, high: float) -> tuple[float, ...]:
    """Edges of all bands if they are few enough to serve as bins, else none (then the default bins apply)."""
    first, last = math.floor(low / width) + 1, math.ceil(high / width)
    few = 0 < last - first <= 2 * DEFAULT_BINS
    return tuple(edge * width for edge in range(first, last)) if few else ()


def _step(column: Column, low: float, high: float) -> float | None:
    """Largest step that every midpoint and both bounds are multiples of."""
    if column.generalise is None:
        return column.step
    width = Fraction(str(_width(column)))
    middle = width // 2 if column.kind is Kind.INTEGER else width / 2
    parts = [Fraction(str(part)) for part in (width, middle, low, high)]
    scale = math.lcm(*(part.denominator for part in parts))
    return float(Fraction(math.gcd(*(int(part * scale) for part in parts)), scale))


def _changed(column: Column, **changes: Any) -> Column:
    """A validated copy (``model_copy`` would not validate)."""
    return Column.model_validate({**column.model_dump(), **changes})
