"""Ways to treat one value: each returns what may stay, or ``None``.

Belongs here: data types of FHIR. Does not belong here: which element is treated how (``rules``).

References
----------
HL7 FHIR R4 (4.0.1), Data Types. 45 CFR 164.514(b)(2)(i)(C): all ages over 89 are one category.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from deidentification.fhir.codes import MASKED, PSEUDONYMISED, UNKNOWN, coding_of, concept_of
from deidentification.fhir.keys import Names
from deidentification.fhir.rules import EXTENSIONS
from deidentification.fhir.units import UCUM, unit_of

OLDEST = 90
Scrub = Callable[[str, str, Sequence[str]], str]
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
# Countries of the European Union, the European Economic Area and their neighbours: coarse enough to stay.
_COUNTRIES = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "HR",
        "CY",
        "CZ",
        "DK",
        "EE",
        "FI",
        "FR",
        "DE",
        "GR",
        "HU",
        "IE",
        "IT",
        "LV",
        "LT",
        "LU",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SK",
        "SI",
        "ES",
        "SE",
        "NO",
        "IS",
        "LI",
        "CH",
        "GB",
        "UA",
        "US",
        "AUT",
        "BEL",
        "BGR",
        "HRV",
        "CYP",
        "CZE",
        "DNK",
        "EST",
        "FIN",
        "FRA",
        "DEU",
        "GRC",
        "HUN",
        "IRL",
        "ITA",
        "LVA",
        "LTU",
        "LUX",
        "MLT",
        "NLD",
        "POL",
        "PRT",
        "ROU",
        "SVK",
        "SVN",
        "ESP",
        "SWE",
        "NOR",
        "ISL",
        "LIE",
        "CHE",
        "GBR",
        "UKR",
        "USA",
    ]
)
_COMPARATORS = {"<", "<=", ">=", ">"}
_LARGEST = 2**31
# Units of age; "1" is what is left of the annotation {years}.
_IN_A_YEAR = {"a": 1, "1": 1, "mo": 12, "wk": 52, "d": 365, "h": 8760, "min": 525_600, "s": 31_536_000}


@dataclass(frozen=True)
class Person:
    """Whose resource it is: identifier, pseudonym, shift in days, day of the last record, and names and numbers known."""

    identity: str
    pseudonym: str
    shift: int
    last_seen: date
    known: tuple[str, ...]


@dataclass(frozen=True)
class Scope:
    """What a value's treatment may depend on."""

    kind: str
    names: Names
    person: Person | None
    scrub: Scrub | None


def boolean(value: Any, scope: Scope) -> bool | None:
    """A JSON boolean."""
    return value if isinstance(value, bool) else None


def integer(value: Any, scope: Scope) -> int | None:
    """A JSON integer of 32 bits."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST else None


def number(value: Any, scope: Scope) -> float | None:
    """A finite JSON number."""
    right = isinstance(value, int | float) and not isinstance(value, bool)
    return value if right and abs(value) < _LARGEST and math.isfinite(value) else None


def day(value: Any, scope: Scope) -> str | None:
    """A date or time moved by the patient's shift, as precise as it was; none of nobody's."""
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None or scope.person is None:
        return None
    year, month, of_month, time = found.groups()
    try:
        moved = date(int(year), int(month or 7), int(of_month or 1 + 14 * bool(month))) + timedelta(scope.person.shift)
    except (ValueError, OverflowError):
        return None
    precise = moved.isoformat()[: 4 if month is None else 7 if of_month is None else 10]
    return precise + (time or "")


def birth(value: Any, scope: Scope) -> str | None:
    """The year of birth after the shift; nobody is older than 90 on the day of the last record."""
    moved = day(value, scope)
    if moved is None or scope.person is None:
        return None
    earliest = (scope.person.last_seen + timedelta(scope.person.shift)).year - OLDEST
    return f"{max(int(moved[:4]), earliest):04}"


def quantity(value: Any, scope: Scope) -> dict[str, Any] | None:
    """A number with a unit of UCUM; a number whose unit may not stay would mislead and goes with it."""
    if not isinstance(value, dict) or (amount := number(value.get("value"), scope)) is None:
        return None
    stated = value.get("code") if value.get("code") is not None else value.get("unit")
    kept: dict[str, Any] = {"value": amount}
    if value.get("comparator") in _COMPARATORS:
        kept["comparator"] = value["comparator"]
    if stated is None:
        return kept
    unit = unit_of(stated)
    return kept | {"unit": unit, "system": UCUM, "code": unit} if unit else None


def age(value: Any, scope: Scope) -> dict[str, Any] | None:
    """An age, at most 90 years."""
    return capped_age(quantity(value, scope))


def capped_age(value: Any) -> Any:
    """A number, quantity or range of age cut at 90 years, a text as it is; a quantity in another unit is no age."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return value if isinstance(value, bool) else min(value, OLDEST)
    if not isinstance(value, dict):
        return None
    if "value" not in value:
        return {part: capped for part, old in value.items() if (capped := capped_age(old)) is not None} or None
    in_a_year = _IN_A_YEAR.get(value.get("code", "a"))
    return value | {"value": min(value["value"], OLDEST * in_a_year)} if in_a_year else None


def low_high(value: Any, scope: Scope) -> dict[str, Any] | None:
    """A Range."""
    return _parts(value, {"low": quantity, "high": quantity}, scope)


def ratio(value: Any, scope: Scope) -> dict[str, Any] | None:
    """A Ratio."""
    return _parts(value, {"numerator": quantity, "denominator": quantity}, scope)


def period(value: Any, scope: Scope) -> dict[str, Any] | None:
    """A Period, moved."""
    return _parts(value, {"start": day, "end": day}, scope)


def required_coding(value: Any, scope: Scope) -> dict[str, str]:
    """A Coding of a public code system, unknown where it may not stay: references to its resource must not break."""
    return coding_of(value) or UNKNOWN


def concept(value: Any, scope: Scope) -> dict[str, Any] | None:
    """A CodeableConcept without text."""
    return concept_of(value)


def required_concept(value: Any, scope: Scope) -> dict[str, Any]:
    """A CodeableConcept, masked where nothing of it may stay."""
    return concept_of(value) or MASKED


def reference(value: Any, scope: Scope) -> dict[str, str] | None:
    """A literal reference under its new name; no display, no identifier."""
    new = scope.names.reference(value.get("reference")) if isinstance(value, dict) else None
    return {"reference": new} if new else None


def new_id(value: Any, scope: Scope) -> str | None:
    """The resource's id under its new name."""
    return scope.names.new_id(scope.kind, value) if isinstance(value, str) else None


def note(value: Any, scope: Scope) -> str | None:
    """Free text as the scrubber leaves it; without a scrubber or a patient, none."""
    if scope.scrub is None or scope.person is None or not isinstance(value, str):
        return None
    return scope.scrub(value, scope.person.identity, scope.person.known) or None


def annotation(value: Any, scope: Scope) -> dict[str, Any] | None:
    """An Annotation without its author."""
    kept = _parts(value, {"text": note, "time": day}, scope)
    return kept if kept and "text" in kept else None


def address(value: Any, scope: Scope) -> dict[str, str] | None:
    """The country alone."""
    country = value.get("country") if isinstance(value, dict) else None
    return {"country": country} if isinstance(country, str) and country in _COUNTRIES else None


def extension(value: Any, scope: Scope) -> dict[str, str] | None:
    """An extension that is known, with a code it may have."""
    if not isinstance(value, dict) or not isinstance(value.get("url"), str):
        return None
    allowed, code = EXTENSIONS.get(value["url"], set()), value.get("valueCode")
    return {"url": value["url"], "valueCode": code} if isinstance(code, str) and code in allowed else None


def meta(value: Any, scope: Scope) -> dict[str, Any]:
    """Security labels of public systems, and that the resource is pseudonymised."""
    listed = value.get("security") if isinstance(value, dict) else None
    kept = [c for one in listed if (c := coding_of(one))] if isinstance(listed, list) else []
    return {"security": [*(c for c in kept if c != PSEUDONYMISED), PSEUDONYMISED]}


def _parts(value: Any, ways: Mapping[str, Callable[[Any, Scope], Any]], scope: Scope) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    kept = {name: new for name, way in ways.items() if (new := way(value.get(name), scope)) is not None}
    return kept or None


WAYS: Mapping[str, Callable[[Any, Scope], Any]] = {
    "boolean": boolean, "integer": integer, "number": number, "date": day, "birth": birth, "quantity": quantity,
    "age": age, "range": low_high, "ratio": ratio, "period": period, "required coding": required_coding, "concept": concept,
    "required concept": required_concept, "reference": reference, "id": new_id, "note": note, "annotation": annotation,
    "address": address, "extension": extension, "meta": meta,
}  # fmt: skip
