"""Bins come from the codebook alone, hold every value, and decoding never leaves them."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.decode import decode_column
from records.discretisation import (
    discrete_columns,
    edges,
    encode,
    encode_column,
    level_count,
    level_labels,
    value_levels,
)
from records.schema import Column, Kind, Role, Schema
from use_cases.registry import discover

COHORTS = [c for u in discover().values() for c in u.cohorts]
STEPS = (0.001, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


def column(**entry: object) -> Column:
    return Column(name="x", label="X", role=Role.COVARIATE, **entry)  # type: ignore[arg-type]


@st.composite
def categories(draw: st.DrawFn) -> Column:
    names = draw(st.lists(st.text("abcxyz019", min_size=1, max_size=3), min_size=2, max_size=9, unique=True))
    return column(kind=Kind.CATEGORY, levels={n: n.upper() for n in names}, missing=draw(st.booleans()))


@st.composite
def numbers(draw: st.DrawFn) -> Column:
    """Bounds, and cut points if any, are recordable values: multiples of the step."""
    kind = draw(st.sampled_from([Kind.INTEGER, Kind.NUMBER]))
    step = draw(st.sampled_from([s for s in STEPS if kind is Kind.NUMBER or s >= 1]))
    start, values = draw(st.integers(-200, 200)), draw(st.integers(1, 400))
    places = draw(st.sets(st.integers(1, values), max_size=6))
    bins = [round(step * (start + place), 9) for place in sorted(places)]
    recorded = draw(st.booleans()) or (kind is Kind.INTEGER and step > 1)
    return column(
        kind=kind, minimum=round(step * start, 9), maximum=round(step * (start + values), 9), bins=bins,
        step=step if recorded else None, missing=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def filled(draw: st.DrawFn) -> tuple[Column, pl.Series]:
    """A column and recordable values of it, some of them missing where that is allowed."""
    made = draw(st.one_of(categories(), numbers()))
    if made.kind is Kind.CATEGORY:
        value: st.SearchStrategy = st.sampled_from(list(made.levels))
    else:
        low, high = float(made.minimum or 0), float(made.maximum or 0)
        step = made.step or (1.0 if made.kind is Kind.INTEGER else 1 / 1024)
        value = st.integers(0, int((high - low) / step + 1e-9)).map(lambda n: min(round(low + n * step, 9), high))
    values = draw(st.lists(st.one_of(st.none(), value) if made.missing else value, min_size=1, max_size=40))
    series = pl.Series("x", values, dtype=pl.Float64 if made.numeric else pl.String)
    return made, series.cast(made.dtype)


@given(filled())
def test_every_value_lies_in_its_bin(case: tuple[Column, pl.Series]) -> None:
    made, values = case
    codes = encode_column(values, made)
    assert codes.min() >= 0
    assert codes.max() < level_count(made)
    assert ((codes == value_levels(made)) == values.is_null().to_numpy()).all()
    for value, code in zip(values, codes, strict=True):
        if value is None:
            continue
        if made.kind is Kind.CATEGORY:
            assert list(made.levels)[code] == value
        else:
            bounds = edges(made)
            assert bounds[code] <= value
            assert value < bounds[code + 1] or (code == value_levels(made) - 1 and value == bounds[-1])


@given(st.one_of(categories(), numbers()), st.integers(0, 2**32 - 1))
@settings(max_examples=100)
def test_decoding_stays_in_the_bin_within_bounds_and_on_the_step(made: Column, seed: int) -> None:
    codes = np.repeat(np.arange(level_count(made), dtype=np.int32), 5)
    values = decode_column(codes, made, np.random.default_rng(seed))
    assert values.dtype == made.dtype
    assert (encode_column(values, made) == codes).all()
    if made.numeric:
        known = values.drop_nulls().cast(pl.Float64).to_numpy()
        assert made.minimum <= known.min()
        assert known.max() <= made.maximum
        if made.step:
            steps = (known - made.minimum) / made.step
            assert np.allclose(steps, np.round(steps), atol=1e-5)


@given(filled())
def test_a_row_is_binned_alike_in_any_two_tables(case: tuple[Column, pl.Series]) -> None:
    made, values = case
    whole = encode_column(values, made)
    alone = [int(encode_column(values.slice(i, 1), made)[0]) for i in range(values.len())]
    assert whole.tolist() == alone


@given(st.one_of(categories(), numbers()))
def test_each_level_has_a_name_and_missing_is_the_last(made: Column) -> None:
    names = level_labels(made)
    assert len(names) == level_count(made) == len(set(names))
    assert (names[-1] == "missing") == made.missing


@given(numbers())
def test_edges_rise_and_span_the_bounds(made: Column) -> None:
    bounds = edges(made)
    assert bounds[0] == made.minimum
    assert bounds[-1] >= made.maximum
    assert (np.diff(bounds)[:-1] > 0).all()
    assert np.diff(bounds)[-1] >= 0


@pytest.mark.parametrize("cohort", COHORTS, ids=lambda c: c.name)
def test_every_bin_of_every_codebook_can_be_decoded(cohort) -> None:
    schema: Schema = cohort.table
    for made in discrete_columns(schema):
        codes = np.repeat(np.arange(level_count(made), dtype=np.int32), 3)
        values = decode_column(codes, made, np.random.default_rng(0))
        assert (encode_column(values, made) == codes).all(), made.name


def test_real_and_shuffled_tables_share_their_bins() -> None:
    cohort = discover()["lung"].cohorts[0]
    table, columns = cohort.load(), discrete_columns(cohort.table)
    order = np.random.default_rng(0).permutation(table.height)
    assert (encode(table[order[:300]], columns) == encode(table, columns)[order[:300]]).all()
