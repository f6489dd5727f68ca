"""Hierarchies of quasi-identifiers, from the codebook.

Belongs here: which levels a column has: bands of ages, bands by halving of public bounds, groups of levels, and the
prefixes of code systems. Does not belong here: bands found in the data.

A column of codes says so in ``codes``: the key ``ICD-10`` or ``NUTS`` (its value, for instance the edition, is free).
Such a column may be text, with more codes than a codebook would list.

References
----------
Regulation (EC) No 1059/2003 (NUTS: two letters of the country, then one character per level).
"""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from deidentification.anonymity import icd10
from deidentification.anonymity.code_systems import others
from deidentification.anonymity.hierarchy import MISSING, Hierarchy, Level, all_values, level, own_values, texts
from records.errors import TableError
from records.schema import Column, Kind

AGE_BAND = 5
YEARS = "a"
DOUBLINGS = (1, 2, 4)
HALVINGS = (32, 16, 8, 4, 2)


def codebook_hierarchy(column: Column, data: pl.Series) -> Hierarchy:
    """The hierarchy of a quasi-identifier.

    Parameters
    ----------
    column : Column
        Its bounds, levels and groups; ages in years get bands of 5, 10 and 20 (or of ``generalise`` and its doubles),
        other numbers 32 to 2 bands of one width between their public bounds.
    data : polars.Series
        The column's values.

    Raises
    ------
    TableError
        A column of codes holds something else.
    """
    values = data.unique(maintain_order=False).sort()
    makers = (_code_levels, _number_levels, _date_levels, _group_levels)
    middle = next((found for make in makers if (found := make(column, values))), [])
    kept: list[Level] = [own_values(values)]
    for candidate in middle:
        if 1 < len(candidate.labels) < len(kept[-1].labels):
            kept.append(candidate)
    top = [all_values(values)] if len(values) > 1 else []
    return Hierarchy(column.name, values, (*kept, *top))


def _number_levels(column: Column, values: pl.Series) -> list[Level]:
    if not column.numeric or column.minimum is None or column.maximum is None:
        return []
    low, high = column.minimum, min(column.maximum, column.top_code or column.maximum)
    if column.unit == YEARS or column.generalise:
        first = column.generalise or AGE_BAND
        return [_bands(column, values, 0.0, first * times, (low, high)) for times in DOUBLINGS]
    whole = column.kind is Kind.INTEGER
    widths = [(high - low + whole) / parts for parts in HALVINGS]
    widths = [w for w in widths if not whole or w >= 2]
    if whole and widths:  # whole widths, each the double of the one before, so that bands nest
        finest = int(np.ceil(widths[0]))
        widths = [float(finest * 2**i) for i in range(len(widths))]
    return [_bands(column, values, low, width, (low, high)) for width in widths]


def _bands(column: Column, values: pl.Series, start: float, width: float, bounds: tuple[float, float]) -> Level:
    numbers = values.cast(pl.Float64).to_numpy()
    missing = np.isnan(numbers)
    places = np.floor((np.where(missing, start, numbers) - start) / width + 1e-9)
    lower = start + places * width
    whole = column.kind is Kind.INTEGER
    low, high = np.maximum(lower, bounds[0]), np.minimum(lower + width - whole, bounds[1])
    span = bounds[1] - bounds[0]
    labels = [
        MISSING if gone else _band(a, b, column, bounds[1]) for gone, a, b in zip(missing, low, high, strict=True)
    ]
    return level(f"bands of {width:g}", labels, np.where(missing, 0, np.clip((high - low) / span, 0, 1)).tolist())


def _band(low: float, high: float, column: Column, top: float) -> str:
    if column.top_code is not None and high >= top:
        return f"{low:g}+"
    if column.kind is Kind.INTEGER:
        return f"{low:g} to {high:g}"
    return f"[{low:g}, {high:g}" + ("]" if high >= top else ")")


def _date_levels(column: Column, values: pl.Series) -> list[Level]:
    """Months, quarters and years, as shares of the time between the public dates."""
    if column.kind is not Kind.DATE or column.earliest is None or column.latest is None:
        return []
    span = (column.latest - column.earliest).days
    year, quarter = values.dt.year().cast(pl.String), values.dt.quarter().cast(pl.String)
    written = {"months": values.dt.to_string("%Y-%m"), "quarters": year + "-Q" + quarter, "years": year}
    days = {"months": 31, "quarters": 92, "years": 366}
    losses = {name: min(1.0, days[name] / span) for name in written}
    return [
        level(name, texts(labels), [0.0 if gone else losses[name] for gone in values.is_null()])
        for name, labels in written.items()
    ]


def _group_levels(column: Column, values: pl.Series) -> list[Level]:
    if column.kind is not Kind.CATEGORY or not column.groups:
        return []
    members: dict[str, int] = {}
    for name in column.levels:
        group = column.groups.get(name, name)
        members[group] = members.get(group, 0) + 1
    groups = [column.groups.get(text, text) for text in texts(values)]
    widest = max(len(column.levels) - 1, 1)
    return [level("groups of the codebook", groups, [(members.get(g, 1) - 1) / widest for g in groups])]


def _code_levels(column: Column, values: pl.Series) -> list[Level]:
    if problems := others(column, values):
        raise TableError("the table", problems)
    if "ICD-10" in column.codes:
        steps: Sequence[tuple[str, Callable[[str], str]]] = (
            ("categories", icd10.category), ("blocks", icd10.block), ("chapters", icd10.chapter),
        )  # fmt: skip
    elif "NUTS" in column.codes:
        steps = tuple((f"NUTS {length - 2}", lambda code, n=length: code[:n]) for length in (4, 3, 2))
    else:
        return []
    return [_code_level(name, values, step) for name, step in steps]


def _code_level(name: str, values: pl.Series, step: Callable[[str], str]) -> Level:
    """Codes of one group lose the share of the table's other codes that they can no longer be told from."""
    labels = [text if text == MISSING else step(text) for text in texts(values)]
    members = Counter(labels)
    widest = max(len(labels) - 1, 1)
    return level(name, labels, [(members[label] - 1) / widest for label in labels])
