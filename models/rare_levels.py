"""Merge of rare levels, paid from the budget.

Belongs here: finding the levels of long code lists that noise would drown, one level for all of them, and drawing single
ones again. Does not belong here: groups that the codebook names (``deidentification``), which cost nothing.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from models.oracle import TableOracle
from models.selection import Selection, measure_together
from models.simplex import to_shares
from records.discretisation import encode_column, level_count
from records.schema import Column, Kind, Role, Schema

LONG = 20  # levels from which a list is long: where pairs of columns have hundreds of cells
DROWNED = 3.0  # standard deviations of the noise (McKenna, Miklau and Sheldon, 2021, "compress domain")
RARE = "(rare)"


@dataclass(frozen=True)
class RareLevels:
    """Share of each rare level among its column's rare levels, by column and level; empty if nothing was merged."""

    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def merged(self, table: pl.DataFrame) -> pl.DataFrame:
        """The table with one level for all rare ones."""
        return table.with_columns(
            pl.col(name).cast(pl.String).replace(dict.fromkeys(rare, RARE)) for name, rare in self._in(table).items()
        )

    def schema(self, schema: Schema) -> Schema:
        """The schema of merged tables. Constraints that name a merged level are left to rejection on whole rows."""
        columns = tuple(self._column(c) if c.name in self.shares else c for c in schema.columns)
        return schema.model_copy(update={"columns": columns})

    def split(self, table: pl.DataFrame, schema: Schema, rng: np.random.Generator) -> pl.DataFrame:
        """The table with a level drawn by its share for every rare one, in the types of ``schema``."""
        return table.with_columns(
            _drawn(table[name], rare, rng).cast(schema[name].dtype) for name, rare in self._in(table).items()
        )

    def _in(self, table: pl.DataFrame) -> Mapping[str, Mapping[str, float]]:
        return {name: rare for name, rare in self.shares.items() if name in table.columns}

    def _column(self, column: Column) -> Column:
        kept = {code: label for code, label in column.levels.items() if code not in self.shares[column.name]}
        return column.model_copy(update={"levels": {**kept, RARE: "Rare levels"}})


def rare_levels(
    table: pl.DataFrame, schema: Schema, *, rho: float, bits: random.Random | None, exact: bool = False
) -> tuple[RareLevels, Selection]:
    """Which levels of long lists are rare, and what finding them cost: nothing where the codebook has no long list.

    Parameters
    ----------
    rho : float
        zCDP for all long columns together.
    """
    chosen = long_lists(schema)
    if not chosen:
        return RareLevels(), Selection()
    codes = {c.name: (encode_column(table[c.name], c), level_count(c)) for c in chosen}
    oracle = TableOracle(codes, bits=bits, exact=exact)
    done = measure_together(oracle, [(name,) for name in codes], rho, "rare levels of long lists")
    found = {c.name: _rare(c, m.counts, m.sigma) for c, m in zip(chosen, done.measurements, strict=True)}
    return RareLevels({name: rare for name, rare in found.items() if len(rare) > 1}), Selection([], done.mechanisms)


def long_lists(schema: Schema) -> list[Column]:
    """Categories with more than 20 levels that are not an outcome: a public fact."""
    outcomes = {o.column for o in schema.outcomes}
    return [
        c
        for c in schema.columns
        if c.kind is Kind.CATEGORY and len(c.levels) > LONG and c.role is not Role.EVENT and c.name not in outcomes
    ]


def _rare(column: Column, counts: np.ndarray, sigma: float) -> dict[str, float]:
    """Levels whose noisy count is within the noise, with shares that add up to one; one level at least stays."""
    known = counts[: len(column.levels)]
    rare = known < max(DROWNED * sigma, 1.0)
    rare[int(known.argmax())] = False
    names = [code for code, drowned in zip(column.levels, rare, strict=True) if drowned]
    return dict(zip(names, to_shares(known[rare]), strict=True)) if names else {}


def _drawn(values: pl.Series, rare: Mapping[str, float], rng: np.random.Generator) -> pl.Series:
    texts = values.cast(pl.String)
    drawn = pl.Series(rng.choice(list(rare), size=len(texts), p=list(rare.values())))
    return pl.select(pl.when(texts == RARE).then(drawn).otherwise(texts)).to_series().alias(values.name)
