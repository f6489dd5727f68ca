"""Codes and units by their form: real ones pass, one changed digit or a name does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidentification.fhir.codes import SYSTEMS
from deidentification.fhir.units import unit_of
from use_cases.registry import discover

COLUMNS = [column for use_case in discover().values() for cohort in use_case.cohorts for column in cohort.table.columns]
CODES = sorted(
    {(name, code) for column in COLUMNS for name, code in column.codes.items() if name in ("LOINC", "SNOMED")}
)
UNITS = sorted({column.unit for column in COLUMNS if column.unit and not column.unit.startswith("[King")})
URLS = {"LOINC": "http://loinc.org", "SNOMED": "http://snomed.info/sct"}


@pytest.mark.parametrize(("system", "code"), CODES)
def test_codes_of_the_codebooks_pass_and_a_changed_digit_does_not(system: str, code: str) -> None:
    right = SYSTEMS[URLS[system]]
    assert right(code)
    wrong = [code[:-1] + digit for digit in "0123456789" if digit != code[-1]]
    assert not any(right(one) for one in wrong)


@pytest.mark.parametrize("unit", UNITS)
def test_units_of_the_codebooks_pass(unit: str) -> None:
    assert unit_of(unit) == unit


@pytest.mark.parametrize(("text", "unit"), [("{score}", "1"), ("{beats}/min", "/min"), ("mmol/mol{Hb}", "mmol/mol")])
def test_annotations_are_taken_off(text: str, unit: str) -> None:
    assert unit_of(text) == unit


@given(st.text(min_size=1, max_size=60))
def test_a_unit_is_made_of_known_atoms(text: str) -> None:
    unit = unit_of(text)
    assert unit is None or set(unit) <= set(
        "0123456789./*^+-%[]'HgOinftlbavozdeFUIUrpHCUpfumoscalkrGySvPaqNwBzLVKAJWhM"
    )


@pytest.mark.parametrize(
    "text", ["Virtanen", "MRN-12345", "a@b.fi", "010190-123A", "mg Virtanen", "", None, 3, "m" * 50]
)
def test_names_are_no_units(text: object) -> None:
    assert unit_of(text) is None
