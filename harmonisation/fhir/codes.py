"""Which resource a column becomes and by which codes it is found again.

Belongs here: the code systems, and what a codebook's codes say of a column. Does not belong here: values (``writing``,
``reading``). Every finding carries two codings: the public one of the codebook (LOINC, SNOMED CT, ATC, ...), which other
systems understand, and the codebook's own, which tells apart columns that share a public code.

References
----------
HL7 FHIR R4 (4.0.1), Terminologies, "Code systems": http://hl7.org/fhir/R4/terminologies-systems.html.
LOINC 30525-0 (Age), 76689-9 (Sex assigned at birth), 46098-0 (Sex). SNOMED CT 419620001 (Death).
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from records.schema import Column, Kind, Role, Schema

UCUM = "http://unitsofmeasure.org"
SYSTEMS = {
    "LOINC": "http://loinc.org",
    "SNOMED": "http://snomed.info/sct",
    "ICD-10": "http://hl7.org/fhir/sid/icd-10",
    "ATC": "http://www.whocc.no/atc",
    "RxNorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ICD-10-PCS": "http://www.cms.gov/Medicare/Coding/ICD10",
    "CPT": "http://www.ama-assn.org/go/cpt",
}
_DISEASES, _DRUGS, _PROCEDURES = {"SNOMED", "ICD-10"}, {"ATC", "RxNorm"}, {"ICD-10-PCS", "CPT"}
_AGE, _SEX, _DEATH = {"30525-0"}, {"76689-9", "46098-0"}, "419620001"
_SEXES = {"female": "female", "f": "female", "woman": "female", "male": "male", "m": "male", "man": "male"}


class Place(StrEnum):
    """The resource that holds a column; an identifier, a sex, a site and the index date lie in elements of their own."""

    IDENTIFIER = "Patient.identifier"
    GENDER = "Patient.gender"
    INDEX = "Encounter.period"
    SITE = "Encounter.serviceProvider"
    CONDITION = "Condition"
    MEDICATION = "MedicationStatement"
    PROCEDURE = "Procedure"
    OBSERVATION = "Observation"


def place(column: Column, schema: Schema) -> Place:
    """Where a column lies."""
    if column.role is Role.IDENTIFIER:
        return Place.IDENTIFIER
    if column.role is Role.SITE:
        return Place.SITE
    if column.name == schema.index_date:
        return Place.INDEX
    if _is_gender(column):
        return Place.GENDER
    return _statement(set(column.codes)) if yes_no(column) else Place.OBSERVATION


def is_age(column: Column) -> bool:
    """Whether the column is an age in years."""
    return column.codes.get("LOINC") in _AGE and column.unit in ("a", None)


def is_death(column: Column) -> bool:
    """Whether an event column tells of death."""
    return column.role is Role.EVENT and (column.codes.get("SNOMED") == _DEATH or column.label.casefold() == "death")


def yes_no(column: Column) -> bool:
    """Whether a column says only that something is so (level ``1``) or is not (``0``)."""
    return column.kind is Kind.CATEGORY and {k: v.casefold() for k, v in column.levels.items()} == {
        "0": "no",
        "1": "yes",
    }


def gender_of(column: Column, level: object) -> str:
    """The administrative gender of a level: ``female``, ``male`` or ``unknown``."""
    words = (str(level), column.levels.get(str(level), ""))
    return next((_SEXES[word.casefold()] for word in words if word.casefold() in _SEXES), "unknown")


def level_of_gender(column: Column, gender: str | None) -> str | None:
    """The level of a sex column that stands for a gender."""
    return next((level for level in column.levels if gender and gender_of(column, level) == gender), None)


def codings(column: Column, schema: Schema) -> list[dict[str, str]]:
    """The codings of a column: public ones first, the codebook's own last."""
    public = [{"system": SYSTEMS[name], "code": code} for name, code in column.codes.items() if name in SYSTEMS]
    return [*public, {"system": codebook_system(schema), "code": column.name, "display": column.label}]


def codebook_system(schema: Schema, column: Column | None = None) -> str:
    """The codebook as a code system: of its columns, or of one column's levels."""
    return f"urn:phaseiv:codebook:{schema.name}" + (f":{column.name}" if column else "")


def by_coding(schema: Schema) -> dict[tuple[str, str], Column]:
    """System and code to column; a public code that two columns share names neither."""
    found: dict[tuple[str, str], list[Column]] = {}
    for key, column in _keys(schema):
        found.setdefault(key, []).append(column)
    return {key: columns[0] for key, columns in found.items() if len(columns) == 1}


def units(column: Column) -> dict[str, Any]:
    """The UCUM part of a quantity."""
    return {"unit": column.unit, "system": UCUM, "code": column.unit} if column.unit else {}


def _keys(schema: Schema) -> Iterator[tuple[tuple[str, str], Column]]:
    for column in schema.columns:
        for coding in codings(column, schema):
            yield (coding["system"], coding["code"]), column


def _is_gender(column: Column) -> bool:
    levels = [gender_of(column, level) for level in column.levels]
    return column.codes.get("LOINC") in _SEX and column.kind is Kind.CATEGORY and len(set(levels)) == len(levels)


def _statement(systems: set[str]) -> Place:
    if systems & _DRUGS:
        return Place.MEDICATION
    if systems & _PROCEDURES:
        return Place.PROCEDURE
    return Place.CONDITION if systems & _DISEASES else Place.OBSERVATION
