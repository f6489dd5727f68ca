"""A released table as FHIR resources, one a line.

Belongs here: the mapping. Does not belong here: a FHIR server. Each row is one Patient, each value one Observation; a
missing value has none. Every resource carries the security label HTEST, so that no system takes it for a patient's.

References
----------
HL7 FHIR R4 (4.0.1): Patient, Observation, security labels; FHIR Bulk Data Access 2.0 (NDJSON, one file a resource type).
Code systems: http://loinc.org, http://snomed.info/sct, http://unitsofmeasure.org (UCUM).
"""

import json
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import polars as pl

from hub.repository.coding import INDEX_DAY, age_column, birth_year, findings, sex_column, sex_of
from records.schema import Column, Kind, Schema

SYSTEMS = {"LOINC": "http://loinc.org", "SNOMED": "http://snomed.info/sct"}
UCUM = "http://unitsofmeasure.org"
META = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]}


def resources(frame: pl.DataFrame, schema: Schema) -> dict[str, bytes]:
    """``fhir/Patient.ndjson`` and ``fhir/Observation.ndjson``; ids are row numbers."""
    return {
        "fhir/Patient.ndjson": _lines(_patients(frame, schema)),
        "fhir/Observation.ndjson": _lines(_observations(frame, schema)),
    }


def _patients(frame: pl.DataFrame, schema: Schema) -> Iterator[dict[str, Any]]:
    age, sex = age_column(schema), sex_column(schema)
    for number, row in enumerate(frame.iter_rows(named=True), start=1):
        patient: dict[str, Any] = {"resourceType": "Patient", "id": f"synthetic-{number}", "meta": META}
        if sex is not None:
            patient["gender"] = sex_of(sex, row[sex.name]) or "unknown"
        if age is not None and (year := birth_year(row[age.name])) is not None:
            patient["birthDate"] = str(year)
        yield patient


def _observations(frame: pl.DataFrame, schema: Schema) -> Iterator[dict[str, Any]]:
    columns = [(column, _concept(column)) for column in findings(schema) if column.name in frame.columns]
    for number, row in enumerate(frame.iter_rows(named=True), start=1):
        for column, concept in columns:
            if (value := row[column.name]) is not None:
                yield {
                    "resourceType": "Observation",
                    "id": f"synthetic-{number}-{column.name.replace('_', '-')}"[:64],
                    "meta": META,
                    "status": "final",
                    "code": concept,
                    "subject": {"reference": f"Patient/synthetic-{number}"},
                    "effectiveDateTime": INDEX_DAY.isoformat(),
                } | _value(column, value)


def _concept(column: Column) -> dict[str, Any]:
    coding = [{"system": SYSTEMS[name], "code": code} for name, code in column.codes.items() if name in SYSTEMS]
    return ({"coding": coding} if coding else {}) | {"text": column.label}


def _value(column: Column, value: Any) -> dict[str, Any]:
    if column.kind is Kind.INTEGER and column.unit is None:
        return {"valueInteger": int(value)}
    if column.numeric:
        unit = {"unit": column.unit, "system": UCUM, "code": column.unit} if column.unit else {}
        return {"valueQuantity": {"value": value, **unit}}
    if isinstance(value, date):
        return {"valueDateTime": value.isoformat()}
    if column.kind is Kind.CATEGORY:
        return {"valueCodeableConcept": {"text": column.levels.get(str(value), str(value))}}
    return {"valueString": str(value)}


def _lines(made: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(one, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for one in made)
