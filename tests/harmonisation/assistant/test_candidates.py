"""The list of variables: codes with right check digits, units that are UCUM, no doubles, and the codebooks beside it."""

from deidentification.fhir.codes import SYSTEMS
from deidentification.fhir.units import unit_of
from harmonisation.assistant.candidates import candidates, listed
from use_cases.registry import discover

URLS = {"LOINC": "http://loinc.org", "SNOMED": "http://snomed.info/sct"}


def test_codes_have_the_right_check_digit() -> None:
    assert [one.concept for one in listed() if not SYSTEMS[URLS[one.system]](one.code)] == []


def test_units_are_ucum_and_ranges_rise() -> None:
    numbers = [one for one in listed() if one.unit is not None]
    assert len(numbers) > 80
    assert [one.unit for one in numbers if unit_of(one.unit) is None] == []
    assert all(one.low is not None and one.high is not None and one.low < one.high for one in numbers)


def test_each_concept_is_listed_once_for_a_unit() -> None:
    concepts = [(one.concept, one.unit) for one in listed()]
    assert len(set(concepts)) == len(concepts) >= 140


def test_every_coded_column_of_the_codebooks_is_a_candidate() -> None:
    schemas = [cohort.table for use_case in discover().values() for cohort in use_case.cohorts]
    coded = sum(bool(column.codes) for schema in schemas for column in schema.columns)
    assert len(candidates(schemas)) == len(listed()) + coded
