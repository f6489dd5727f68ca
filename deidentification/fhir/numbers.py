"""Numbers of a patient in a Patient resource or in a reference, and which of them is the hospital's.

Belongs here: reading identifiers. Does not belong here: who is who (``people``).

The hospital's number, from which the pseudonym comes, is the identifier of type ``MR``; without one, the first that is
neither of use ``old`` or ``temp`` nor a national, insurance, tax or passport number, by its type or its own check digits.

References
----------
HL7 FHIR R4 (4.0.1), Identifier; HL7 v2-0203, identifier types. 2.3.0.1 Literal, logical and conditional references.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from deidentification.identification.national_ids import NATIONAL_IDS

_NOT_THE_HOSPITALS = ("NI", "SS", "PPN", "TAX", "DL", "CZ", "HC", "JHN", "SB", "NH")  # also NNFIN and its kind
_SEARCH = re.compile(r"(?:[^?#\s]*/)?Patient\?(?P<query>[^#\s]+)")


def numbers(resource: dict[str, Any]) -> list[str]:
    """Values of all identifiers, the hospital's number first."""
    listed = resource.get("identifier")
    known = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    known = [one for one in known if isinstance(one.get("value"), str) and one["value"]]
    return list(dict.fromkeys(one["value"] for one in sorted(known, key=_rank)))


def named(subject: dict[str, Any], resource: dict[str, Any]) -> list[str]:
    """Numbers by which a reference names a patient: of a logical one, of a search, or of a contained Patient."""
    found = list(_of_identifier(subject.get("identifier")))
    reference = subject.get("reference")
    if isinstance(reference, str):
        if search := _SEARCH.fullmatch(reference):
            found += [value.rpartition("|")[2] for name, value in parse_qsl(search["query"]) if name == "identifier"]
        contained = resource.get("contained")
        for one in contained if isinstance(contained, list) and reference.startswith("#") else ():
            if isinstance(one, dict) and one.get("id") == reference[1:]:
                found += numbers(one)
    return [number for number in found if number]


def _of_identifier(identifier: Any) -> Iterator[str]:
    if isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
        yield identifier["value"]


def _rank(identifier: dict[str, Any]) -> tuple[bool, bool, bool]:
    """What comes first is the hospital's; of equals the first in the list."""
    types = _types(identifier)
    elsewhere = any(code in _NOT_THE_HOSPITALS or code.startswith("NN") for code in types)
    elsewhere = elsewhere or any(
        re.fullmatch(one.pattern, identifier["value"]) and one.valid(identifier["value"]) for one in NATIONAL_IDS
    )
    return "MR" not in types, identifier.get("use") in ("old", "temp"), elsewhere


def _types(identifier: dict[str, Any]) -> list[str]:
    kind = identifier.get("type")
    codings = kind.get("coding") if isinstance(kind, dict) else None
    listed = codings if isinstance(codings, list) else []
    return [one["code"] for one in listed if isinstance(one, dict) and isinstance(one.get("code"), str)]
