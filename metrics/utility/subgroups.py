"""Subgroups of patients: levels of sex, site and other quasi-identifiers, and bands of age.

Belongs here: which groups there are, from the codebook, and who is in them. Does not belong here: what is measured in a
group (``metrics.fairness``).

Numbers are cut at the codebook's bins, merged in public order to four bands of as many bins each. Of more than twelve
levels, the twelve most frequent among real patients with at least 50 real patients are groups; nothing is said of the
others. Missing is a group of its own.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from records.discretisation import edges, encode_column, value_levels
from records.schema import Column, Kind, Role, Schema

MOST_BANDS = 4
MOST_LEVELS = 12
FEWEST_OF_MANY = 50


@dataclass(frozen=True)
class Subgroup:
    """A group of one column: the level numbers that make it up (see ``records.discretisation``)."""

    column: Column
    label: str
    codes: tuple[int, ...]

    def members(self, frame: pl.DataFrame) -> np.ndarray:
        """Who belongs to it, bool, shape (rows,)."""
        return np.isin(encode_column(frame[self.column.name], self.column), self.codes)


def grouping_columns(schema: Schema) -> list[Column]:
    """Quasi-identifiers and site, of kinds that have levels or bounds."""
    wanted = schema.with_role(Role.QUASI_IDENTIFIER, Role.SITE)
    return [c for c in wanted if c.kind is Kind.CATEGORY or c.numeric]


def subgroups(schema: Schema, real: pl.DataFrame) -> list[Subgroup]:
    """All groups, column by column in the schema's order.

    Parameters
    ----------
    real : polars.DataFrame
        Real patients, whose counts choose among more than twelve levels.
    """
    return [group for column in grouping_columns(schema) for group in groups_of(column, real)]


def groups_of(column: Column, real: pl.DataFrame) -> list[Subgroup]:
    """The groups of one column; see ``subgroups``."""
    groups = _bands(column) if column.numeric else _levels(column, real)
    if column.missing:
        groups.append(Subgroup(column, "missing", (value_levels(column),)))
    return groups


def _bands(column: Column) -> list[Subgroup]:
    bounds = edges(column)
    bins = len(bounds) - 1
    parts = [part.tolist() for part in np.array_split(np.arange(bins), min(MOST_BANDS, bins))]
    return [
        Subgroup(
            column, _band(float(bounds[part[0]]), float(bounds[part[-1] + 1]), last=part[-1] == bins - 1), (*part,)
        )
        for part in parts
    ]


def _band(low: float, high: float, *, last: bool) -> str:
    return f"{low:g} to {high:g}" if last else f"{low:g} to below {high:g}"


def _levels(column: Column, real: pl.DataFrame) -> list[Subgroup]:
    names = list(column.levels.values())
    chosen = range(len(names))
    if len(names) > MOST_LEVELS:
        counts = np.bincount(encode_column(real[column.name], column), minlength=len(names))[: len(names)]
        most = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
        chosen = sorted(int(i) for i in most if counts[i] >= FEWEST_OF_MANY)
    return [Subgroup(column, names[i], (i,)) for i in chosen]
