"""What a column's values tell without telling of anybody: kind, rounded quantiles, frequent levels.

Belongs here: aggregates of one column. Does not belong here: comparing them (``ranking``). Neither the smallest nor the
largest value is kept, and of a small column nothing; a text with many different values shows none of them.
"""

from dataclasses import dataclass, field

import polars as pl

from records.schema import Kind

FEWEST, MOST_LEVELS, DIGITS = 20, 12, 2


@dataclass(frozen=True)
class Profile:
    """Aggregates of a column.

    Parameters
    ----------
    kind : Kind
    known : int
        Values that are not missing.
    quantiles : tuple of three floats or None
        5 %, 50 % and 95 %, to two significant digits.
    levels : frozenset of str
        Levels that at least 20 patients have, in small letters.
    """

    kind: Kind
    known: int
    quantiles: tuple[float, float, float] | None = None
    levels: frozenset[str] = field(default_factory=frozenset)


def profile(values: pl.Series) -> Profile:
    """The profile of a column as it lies in a raw table, text or numbers."""
    values = values.drop_nulls()
    if values.dtype in (pl.Date, pl.Datetime):
        return Profile(Kind.DATE, values.len())
    text = values.cast(pl.String)
    numbers = text.cast(pl.Float64, strict=False).drop_nulls()
    numeric = numbers.len() == values.len() and values.len() > 0
    distinct = values.n_unique()
    if numeric and distinct > MOST_LEVELS:
        quantiles = _quantiles(numbers) if numbers.len() >= FEWEST else None
        return Profile(Kind.NUMBER, values.len(), quantiles)
    if distinct > MOST_LEVELS:
        return Profile(Kind.TEXT, values.len())
    counted = text.value_counts()
    frequent = counted.filter(pl.col("count") >= FEWEST)[text.name].to_list()
    return Profile(Kind.CATEGORY, values.len(), levels=frozenset(_level(level) for level in frequent))


def _quantiles(numbers: pl.Series) -> tuple[float, float, float]:
    low, middle, high = (float(numbers.quantile(share) or 0.0) for share in (0.05, 0.5, 0.95))
    return _rounded(low), _rounded(middle), _rounded(high)


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _level(text: str) -> str:
    """``1.0`` and ``1`` are one level."""
    return text.removesuffix(".0").casefold()
