"""Nearest rows are those of an independent loop over Gower's distance; ties go to each row equally often."""

from collections.abc import Callable

import numpy as np
import polars as pl

from metrics.attacks.neighbours import nearest_rows
from metrics.attacks.risk import auxiliary_columns
from records.schema import Kind, Schema

Draw = Callable[[int, int], pl.DataFrame]


def gower(first: dict, second: dict, schema: Schema, spread: dict[str, float]) -> float:
    total = 0.0
    for column in auxiliary_columns(schema):
        one, other = first[column.name], second[column.name]
        if column.kind is Kind.CATEGORY or one is None or other is None:
            total += one != other
        else:
            total += abs(one - other) / spread[column.name]
    return total


def test_neighbours_equal_a_loop(draw: Draw, schema: Schema) -> None:
    queries, references, columns = draw(40, 1), draw(60, 2), auxiliary_columns(schema)
    both = pl.concat([queries, references])
    spread = {c.name: both[c.name].max() - both[c.name].min() for c in columns if c.numeric}
    found = nearest_rows(queries, references, columns, neighbours=3, rng=np.random.default_rng(0))
    rows = references.to_dicts()
    for query, mine in zip(queries.to_dicts(), found, strict=True):
        distance = np.array([gower(query, row, schema, spread) for row in rows])
        assert np.allclose(np.sort(distance[mine]), np.sort(distance)[:3], atol=1e-5)


def test_ties_are_broken_at_random(draw: Draw, schema: Schema) -> None:
    """Four equal rows: each share of 4,000 within 0.04 of a quarter (6 standard errors)."""
    row = draw(1, 1)
    found = nearest_rows(row[[0] * 4000], row[[0] * 4], auxiliary_columns(schema), rng=np.random.default_rng(0))
    assert np.all(np.abs(np.bincount(found[:, 0], minlength=4) / 4000 - 0.25) < 0.04)


def test_few_references_and_few_kinds_of_columns(draw: Draw, schema: Schema) -> None:
    table = draw(5, 1)
    for names in (["age"], ["stage"]):
        columns = [schema[n] for n in names]
        assert nearest_rows(table, table[:2], columns, neighbours=9, rng=np.random.default_rng(0)).shape == (5, 2)
    assert nearest_rows(table[:0], table, auxiliary_columns(schema), rng=np.random.default_rng(0)).shape == (0, 1)
