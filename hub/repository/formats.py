"""A released table in the forms that tools expect: OMOP common data model and FHIR.

Belongs here: pure functions from table and schema to files. Does not belong here: releasing. Columns without a code in the
codebook stay in the plain table only, which every package holds too.

References
----------
OMOP CDM v5.4 (person, measurement, observation; concept 0 where no standard concept is mapped); FHIR R4 (Patient,
Observation, NDJSON as in Bulk Data Access).
"""

import io
import json
from typing import Any

import polars as pl

from records.schema import Column, Schema

SYSTEMS = {"loinc": "http://loinc.org", "snomed": "http://snomed.info/sct", "icd10": "http://hl7.org/fhir/sid/icd-10"}
UCUM = "http://unitsofmeasure.org"
SEX = {"f": (8532, "female"), "female": (8532, "female"), "m": (8507, "male"), "male": (8507, "male")}
UNKNOWN_CONCEPT = 0
SYNTHETIC = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}


def omop(table: pl.DataFrame, schema: Schema) -> dict[str, bytes]:
    """``person``, ``measurement`` and ``observation`` as CSV; people are numbered, since nobody stands behind them."""
    numbered = table.with_row_index("person_id", offset=1)
    made = {"omop/person.csv": _csv(_persons(numbered, schema))}
    coded = [c for c in schema.columns if c.codes and c.name in table.columns]
    numbers = [_long(numbered, c, "measurement") for c in coded if c.numeric]
    words = [_long(numbered, c, "observation") for c in coded if not c.numeric]
    for name, parts in (("measurement", numbers), ("observation", words)):
        if parts:
            made[f"omop/{name}.csv"] = _csv(pl.concat(parts).with_row_index(f"{name}_id", offset=1))
    return made


def fhir(table: pl.DataFrame, schema: Schema) -> dict[str, bytes]:
    """``Patient`` and ``Observation`` as NDJSON, each resource tagged as test data."""
    sex = _sex(schema)
    coded = [c for c in schema.columns if c.codes and c.name in table.columns and c is not sex]
    patients, observations = [], []
    for number, row in enumerate(table.iter_rows(named=True), 1):
        patients.append(_patient(number, row, sex))
        observations += [_observation(number, row[c.name], c) for c in coded if row[c.name] is not None]
    return {"fhir/Patient.ndjson": _ndjson(patients), "fhir/Observation.ndjson": _ndjson(observations)}


def _sex(schema: Schema) -> Column | None:
    return next((c for c in schema.columns if c.name in ("sex", "gender")), None)


def _persons(numbered: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    sex = _sex(schema)
    source = (
        pl.lit(None, pl.String) if sex is None or sex.name not in numbered.columns else pl.col(sex.name).cast(pl.String)
    )
    labels = (
        {}
        if sex is None
        else {code: SEX.get(label.lower(), SEX.get(code, (0, "")))[0] for code, label in sex.levels.items()}
    )
    return numbered.select(
        "person_id", source.replace_strict(labels, default=UNKNOWN_CONCEPT).alias("gender_concept_id"),
        source.alias("gender_source_value"),
    )  # fmt: skip


def _long(numbered: pl.DataFrame, column: Column, kind: str) -> pl.DataFrame:
    system, code = next(iter(column.codes.items()))
    value = pl.col(column.name).cast(pl.Float64 if column.numeric else pl.String)
    return numbered.filter(pl.col(column.name).is_not_null()).select(
        "person_id", pl.lit(UNKNOWN_CONCEPT).alias(f"{kind}_concept_id"),
        pl.lit(f"{system}:{code}").alias(f"{kind}_source_value"),
        value.alias("value_as_number" if column.numeric else "value_as_string"),
        pl.lit(column.unit, pl.String).alias("unit_source_value"),
    )  # fmt: skip


def _patient(number: int, row: dict[str, Any], sex: Column | None) -> dict[str, Any]:
    made: dict[str, Any] = {"resourceType": "Patient", "id": f"synthetic-{number}", "meta": {"security": [SYNTHETIC]}}
    if sex is not None and row.get(sex.name) is not None:
        code = str(row[sex.name])
        made["gender"] = SEX.get(sex.levels.get(code, code).lower(), (0, "unknown"))[1]
    return made


def _observation(number: int, value: Any, column: Column) -> dict[str, Any]:
    codes = [{"system": SYSTEMS.get(s.lower(), f"urn:{s}"), "code": c} for s, c in column.codes.items()]
    made: dict[str, Any] = {
        "resourceType": "Observation", "status": "final", "meta": {"security": [SYNTHETIC]},
        "id": f"synthetic-{number}-{column.name.replace('_', '-')}",
        "code": {"coding": codes, "text": column.label}, "subject": {"reference": f"Patient/synthetic-{number}"},
    }  # fmt: skip
    if column.numeric:
        unit = {"unit": column.unit, "system": UCUM, "code": column.unit} if column.unit else {}
        return made | {"valueQuantity": {"value": value, **unit}}
    return made | {"valueString": column.levels.get(str(value), str(value))}


def _csv(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_csv(buffer)
    return buffer.getvalue()


def _ndjson(resources: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(resource, separators=(',', ':'))}\n" for resource in resources).encode()
