"""Proposals: right for names in five languages, decided by values and unit where names are equal, silent where nothing fits."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmonisation.assistant.candidates import candidates, listed
from harmonisation.assistant.names import likeness, tokens
from harmonisation.assistant.profile import profile
from harmonisation.assistant.ranking import propose
from records.schema import Kind
from use_cases.registry import discover

COHORTS = [cohort for use_case in discover().values() for cohort in use_case.cohorts if cohort.source.bundled]
YES_NO = pl.Series(["0", "1"] * 50)


def spread(low: float, high: float) -> pl.Series:
    return pl.Series([low + (high - low) * i / 99 for i in range(100)])


@pytest.mark.parametrize(
    ("name", "values", "concept"),
    [
        ("num_systbp", spread(100, 190), "LOINC:8480-6"),
        ("SysBP_baseline", spread(100, 190), "LOINC:8480-6"),
        ("presión_sistólica", spread(100, 190), "LOINC:8480-6"),
        ("pressione sistolica", spread(100, 190), "LOINC:8480-6"),
        ("systolinen_verenpaine", spread(100, 190), "LOINC:8480-6"),
        ("ika", spread(30, 88), "LOINC:30525-0"),
        ("idade", spread(30, 88), "LOINC:30525-0"),
        ("HTA", YES_NO, "SNOMED:38341003"),
        ("sokeritauti", YES_NO, "SNOMED:73211009"),
        ("fibrilación auricular", YES_NO, "SNOMED:49436004"),
        ("sukupuoli", pl.Series(["male", "female"] * 50), "LOINC:76689-9"),
        ("leucocitos", spread(3, 14), "LOINC:6690-2"),
    ],
)
def test_names_in_five_languages(name: str, values: pl.Series, concept: str) -> None:
    assert propose(name, values, listed())[0].concept == concept


@pytest.mark.parametrize(
    ("values", "unit", "concept"),
    [
        (spread(55, 300), None, "LOINC:14682-9"), (spread(0.6, 3.5), None, "LOINC:2160-0"),
        (pl.Series([], dtype=pl.Float64), "umol/L", "LOINC:14682-9"), (pl.Series([], dtype=pl.Float64), "mg/dL", "LOINC:2160-0"),
    ],
)  # fmt: skip
def test_values_or_unit_decide_between_equal_names(values: pl.Series, unit: str | None, concept: str) -> None:
    assert propose("creatinine", values, listed(), unit=unit)[0].concept == concept


@pytest.mark.parametrize("name", ["zqxj", "col_17", "x"])
def test_nothing_is_proposed_first_for_a_name_without_meaning(name: str) -> None:
    found = propose(name, pl.Series(["a", "b"] * 30), listed())
    assert all(one.score < 0.6 and not one.likely for one in found)


def test_values_that_fit_make_no_concept_likely() -> None:
    found = propose("Aufnahmenummer", spread(10, 45), listed())
    assert found
    assert not any(one.likely for one in found)
    assert propose("heart_rate", spread(50, 120), listed())[0].likely


@pytest.mark.parametrize("cohort", COHORTS, ids=lambda cohort: cohort.name)
def test_a_cohort_left_out_finds_its_concepts_in_the_others(cohort) -> None:
    known = candidates(c.table for c in COHORTS if c.name != cohort.name)
    frame = cohort.load()
    coded = [column for column in cohort.table.columns if column.codes]
    right = 0
    for column in coded:
        found = propose(column.source or column.name, frame[column.name], known)
        right += any(one.concept.split(":")[1] in column.codes.values() for one in found)
    assert right >= 0.9 * len(coded)


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_symmetric_and_bounded(left: str, right: str) -> None:
    assert 0 <= likeness(left, [right]) <= 1
    assert likeness(left, [right]) == likeness(right, [left])


def test_tokens() -> None:
    assert tokens("num_SysBP") == ("sys", "bp")
    assert tokens("Presión sistólica (mmHg)") == ("presion", "sistolica", "mm", "hg")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=21, max_size=200))
def test_a_profile_shows_neither_end(numbers: list[float]) -> None:
    seen = profile(pl.Series(numbers))
    if seen.kind is Kind.NUMBER and seen.quantiles is not None:
        assert all(float(f"{value:.2g}") == value for value in seen.quantiles)


def test_a_small_column_and_rare_levels_show_nothing() -> None:
    assert profile(spread(1, 99).head(19)).quantiles is None
    rare = pl.Series(["common"] * 30 + ["Virtanen"])
    assert profile(rare).levels == {"common"}
    assert profile(pl.Series([f"name {i}" for i in range(50)])).levels == frozenset()
