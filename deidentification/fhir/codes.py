"""Codes that may stay: of public code systems, and of the right form, so that a name written as a code does not pass.

Belongs here: code systems and their forms. Does not belong here: which element holds which code (``rules``).

References
----------
LOINC Users' Guide (check digit, Luhn); SNOMED CT Release File Specification, 5.5 (Verhoeff); HL7 FHIR R4 terminologies.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

_HL7 = "http://terminology.hl7.org/CodeSystem/"
MASKED = {"coding": [{"system": f"{_HL7}data-absent-reason", "code": "masked"}]}
UNKNOWN = {"system": f"{_HL7}v3-NullFlavor", "code": "UNK"}
PSEUDONYMISED = {"system": f"{_HL7}v3-ObservationValue", "code": "PSEUDED"}
_DIHEDRAL = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321", "6598710432", "7659821043",
    "8765932104", "9876543210",
)  # fmt: skip
_PERMUTED = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
_LISTED = {
    "condition-clinical": "active recurrence relapse inactive remission resolved",
    "condition-ver-status": "unconfirmed provisional differential confirmed refuted entered-in-error",
    "condition-category": "problem-list-item encounter-diagnosis",
    "observation-category": "social-history vital-signs imaging laboratory procedure survey exam therapy activity",
    "allergyintolerance-clinical": "active inactive resolved",
    "allergyintolerance-verification": "unconfirmed confirmed refuted entered-in-error",
    "data-absent-reason": "unknown asked-unknown temp-unknown not-asked asked-declined masked not-applicable unsupported "
    "as-text error not-a-number negative-infinity positive-infinity not-performed not-permitted",
    "v3-ActCode": "AMB EMER FLD HH IMP ACUTE NONAC OBSENC PRENC SS VR",
    "v3-ObservationInterpretation": "A AA H HH L LL N POS NEG IND E R S I U D B W HU LU ND DET",
    "v3-MaritalStatus": "A D I L M C P T U S W",
    "v3-NullFlavor": "UNK NI OTH ASKU NASK NA MSK",
    "v3-ActReason": "HTEST",
    "v3-ObservationValue": "PSEUDED ANONYED",
    "medication-statement-category": "inpatient outpatient community patientspecified",
    "medicationrequest-category": "inpatient outpatient community discharge",
    "discharge-disposition": "home alt-home other-hcf hosp long aadvice exp psy rehab snf oth",
}  # fmt: skip


def _loinc(code: str) -> bool:
    if not re.fullmatch(r"\d{1,7}-\d", code):
        return False
    digits = [int(d) for d in reversed(code.replace("-", ""))]
    doubled = [d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(digits)]
    return sum(doubled) % 10 == 0


def _snomed(code: str) -> bool:
    if not re.fullmatch(r"[1-9]\d{5,17}", code):
        return False
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = int(_DIHEDRAL[check][int(_PERMUTED[place % 8][int(digit)])])
    return check == 0


def _form(pattern: str, code: str) -> bool:
    return re.fullmatch(pattern, code) is not None


_ICD10 = partial(_form, r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?")
SYSTEMS: Mapping[str, Callable[[str], bool]] = {
    "http://loinc.org": _loinc,
    "http://snomed.info/sct": _snomed,
    "http://hl7.org/fhir/sid/icd-10": _ICD10,
    "http://hl7.org/fhir/sid/icd-10-cm": _ICD10,
    "http://www.whocc.no/atc": partial(_form, r"[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?"),
    "http://www.nlm.nih.gov/research/umls/rxnorm": partial(_form, r"\d{1,7}"),
    "http://www.ama-assn.org/go/cpt": partial(_form, r"\d{4}[0-9A-Z]"),
    "http://hl7.org/fhir/sid/cvx": partial(_form, r"\d{1,3}"),
    **{_HL7 + name: frozenset(codes.split()).__contains__ for name, codes in _LISTED.items()},
}


def coding_of(value: Any) -> dict[str, str] | None:
    """System and code alone, or ``None`` where the system is not public or the code is not of its form."""
    if not isinstance(value, dict):
        return None
    system, code = value.get("system"), value.get("code")
    if not isinstance(system, str) or not isinstance(code, str):
        return None
    known = SYSTEMS.get(system)
    return {"system": system, "code": code} if known is not None and known(code) else None


def concept_of(value: Any) -> dict[str, Any] | None:
    """The codings that may stay, without text; ``None`` where none may."""
    listed = value.get("coding") if isinstance(value, dict) else None
    kept = [coding for one in listed if (coding := coding_of(one))] if isinstance(listed, list) else []
    return {"coding": kept} if kept else None
