"""Which number of a patient is the hospital's, and by which numbers a reference names somebody."""

from typing import Any

import pytest

from deidentification.fhir.numbers import named, numbers

HETU = {"system": "urn:oid:1.2.246.21", "value": "131052-308T"}
OWN = {"value": "0000123"}


def typed(code: str, value: str) -> dict[str, Any]:
    return {"type": {"coding": [{"code": code}]}, "value": value}


@pytest.mark.parametrize(
    ("listed", "first"),
    [
        ([HETU, OWN], "0000123"), ([OWN, HETU], "0000123"), ([{"use": "old", "value": "OLD1"}, {"use": "usual", **OWN}], "0000123"),
        ([typed("NI", "44"), OWN], "0000123"), ([typed("NNFIN", "44"), OWN], "0000123"), ([OWN, typed("MR", "M1")], "M1"),
        ([{**typed("MR", "M0"), "use": "old"}, typed("MR", "M1")], "M1"), ([HETU], "131052-308T"), ([{"value": 7}, OWN], "0000123"),
        ([{"value": "A"}, {"value": "B"}], "A"),
    ],
)  # fmt: skip
def test_the_hospitals_number_comes_first(listed: list[dict[str, Any]], first: str) -> None:
    found = numbers({"identifier": listed})
    assert found[0] == first
    assert set(found) == {one["value"] for one in listed if isinstance(one["value"], str)}


@pytest.mark.parametrize("identifier", [None, "x", {"value": "7"}, [None], [{}], [{"value": ""}]])
def test_what_is_no_list_of_identifiers_has_no_number(identifier: Any) -> None:
    assert numbers({"identifier": identifier}) == []


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ({"identifier": {"value": "1"}}, ["1"]), ({"reference": "Patient?identifier=http://x.example/a|1"}, ["1"]),
        ({"reference": "https://x.example/fhir/Patient?active=true&identifier=http%3A%2F%2Fx.example%7C1"}, ["1"]),
        ({"reference": "#p"}, ["0000123", "131052-308T"]), ({"reference": "#q"}, []), ({"reference": "Patient/1"}, []),
        ({"reference": "Group?identifier=1"}, []), ({"reference": "Patient?name=x"}, []), ({"reference": 3}, []), ({}, []),
    ],
)  # fmt: skip
def test_numbers_that_a_reference_names(subject: dict[str, Any], found: list[str]) -> None:
    assert named(subject, {"contained": [{"id": "p", "identifier": [HETU, OWN]}]}) == found
