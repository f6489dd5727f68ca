"""FHIR out: each known value is there once, with code and unit, and fhir.resources accepts every resource."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fhir.resources.R4B.bundle import Bundle

from harmonisation.fhir.bundles import bundles, ndjson, write_bundles
from harmonisation.fhir.codes import Place, place
from records.errors import StorageError
from records.schema import Column, Kind, Role, Schema
from use_cases.registry import discover

YES = {"0": "no", "1": "yes"}
SCHEMA = Schema(
    name="made",
    title="Made",
    columns=(
        Column(name="patient_id", label="Patient", role=Role.IDENTIFIER, kind=Kind.TEXT),
        Column(name="age", label="Age", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, minimum=18, maximum=90, unit="a",
               codes={"LOINC": "30525-0"}, missing=True),
        Column(name="sex", label="Sex", role=Role.QUASI_IDENTIFIER, kind=Kind.CATEGORY,
               levels={"female": "Female", "male": "Male", "unknown": "Unknown"}, codes={"LOINC": "76689-9"}),
        Column(name="systolic", label="Systolic pressure", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=0, maximum=300,
               unit="mm[Hg]", codes={"LOINC": "8480-6"}, missing=True),
        Column(name="visits", label="Visits", role=Role.COVARIATE, kind=Kind.INTEGER, minimum=0, maximum=9),
        Column(name="diabetes", label="Diabetes", role=Role.COVARIATE, kind=Kind.CATEGORY, levels=YES,
               codes={"SNOMED": "73211009"}, missing=True),
        Column(name="aspirin", label="Aspirin", role=Role.COVARIATE, kind=Kind.CATEGORY, levels=YES, codes={"ATC": "B01AC06"}),
        Column(name="bypass", label="Bypass", role=Role.COVARIATE, kind=Kind.CATEGORY, levels=YES, codes={"CPT": "33533"}),
    ),
)  # fmt: skip
FRAME = pl.DataFrame(
    {
        "patient_id": ["a", "b", "c"], "age": [70, None, 55], "sex": ["female", "male", "unknown"],
        "systolic": [140.5, None, 120.0], "visits": [0, 1, 2], "diabetes": ["1", "0", None],
        "aspirin": ["1", "0", "0"], "bypass": ["0", "1", "0"],
    }
)  # fmt: skip


def lines(frame: pl.DataFrame, schema: Schema, kind: str) -> list[dict[str, Any]]:
    made = ndjson(frame, schema, synthetic=True)
    return [json.loads(line) for line in made[f"fhir/{kind}.ndjson"].splitlines()]


def test_patients() -> None:
    found = lines(FRAME, SCHEMA, "Patient")
    assert [p["gender"] for p in found] == ["female", "male", "unknown"]
    assert [p.get("birthDate") for p in found] == ["1930", None, "1945"]
    assert [p["identifier"][0]["value"] for p in found] == ["a", "b", "c"]
    assert all(p["meta"]["security"][0]["code"] == "HTEST" for p in found)


def test_observations_are_the_known_values() -> None:
    found = lines(FRAME, SCHEMA, "Observation")
    assert len(found) == 2 + 2 + 3
    pressure = next(o for o in found if o["id"] == "synthetic-1-systolic")
    assert pressure["code"]["coding"][0] == {"system": "http://loinc.org", "code": "8480-6"}
    assert pressure["valueQuantity"] == {
        "value": 140.5, "unit": "mm[Hg]", "system": "http://unitsofmeasure.org", "code": "mm[Hg]",
    }  # fmt: skip
    assert next(o for o in found if o["id"] == "synthetic-3-visits")["valueInteger"] == 2


def test_yes_and_no_are_said_by_status() -> None:
    conditions = lines(FRAME, SCHEMA, "Condition")
    assert [c["verificationStatus"]["coding"][0]["code"] for c in conditions] == ["confirmed", "refuted"]
    assert conditions[0]["code"]["coding"][0] == {"system": "http://snomed.info/sct", "code": "73211009"}
    drugs = lines(FRAME, SCHEMA, "MedicationStatement")
    assert [d["status"] for d in drugs] == ["completed", "not-taken", "not-taken"]
    assert [p["status"] for p in lines(FRAME, SCHEMA, "Procedure")] == ["not-done", "completed", "not-done"]


def test_an_event_is_of_the_last_day_and_not_of_the_encounter() -> None:
    cohort = discover()["stroke"].cohort("copenhagen")
    frame = cohort.load().filter(pl.col("event") == "1", pl.col("time") > 30).head(1)
    for columns, day in ((frame.columns, date(2000, 1, 1) + timedelta(days=frame["time"].item())), (["event"], None)):
        found = lines(frame.select(columns), cohort.table.select(columns), "Observation")
        event = next(one for one in found if one["code"]["coding"][-1]["code"] == "event")
        assert event.get("effectiveDateTime") == (str(day) if day else None)
        assert "encounter" not in event
        assert all(one["effectiveDateTime"] == "2000-01-01" for one in found if one is not event)


def test_ids_are_single_and_references_resolve() -> None:
    made = [json.loads(line) for data in ndjson(FRAME, SCHEMA).values() for line in data.splitlines()]
    names = [f"{r['resourceType']}/{r['id']}" for r in made]
    assert len(set(names)) == len(names)
    used = {v["reference"] for r in made for v in r.values() if isinstance(v, dict) and "reference" in v}
    assert used <= set(names)


@pytest.mark.parametrize("kind", ["collection", "transaction"])
def test_bundles_are_fhir(kind: Any) -> None:
    for bundle in bundles(FRAME, SCHEMA, kind=kind):
        entries = Bundle.model_validate(bundle).entry or []
        urls = {entry["fullUrl"] for entry in bundle["entry"]}
        assert len(urls) == len(entries)
        values = [v for e in bundle["entry"] for v in e["resource"].values() if isinstance(v, dict)]
        used = {v["reference"] for v in values if "reference" in v}
        assert used <= urls
        assert all(("request" in entry) == (kind == "transaction") for entry in bundle["entry"])


@pytest.mark.parametrize("columns", [["visits"], ["age", "sex"], ["diabetes"], ["sex"]])
def test_a_choice_of_columns_is_enough(columns: list[str]) -> None:
    assert len(lines(FRAME.select(columns), SCHEMA.select(columns), "Patient")) == 3


def test_every_column_of_the_real_codebooks_has_a_place() -> None:
    for use_case in discover().values():
        for cohort in use_case.cohorts:
            places = {column.name: place(column, cohort.table) for column in cohort.table.columns}
            coded = {c.name for c in cohort.table.columns if "SNOMED" in c.codes and c.levels.keys() == {"0", "1"}}
            assert {name for name, where in places.items() if where is Place.CONDITION} == coded


def test_a_folder_is_written_once(tmp_path: Path) -> None:
    assert write_bundles(FRAME, SCHEMA, tmp_path / "out") == 3
    with pytest.raises(StorageError, match="new or empty folder"):
        write_bundles(FRAME, SCHEMA, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_broken_row_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        write_bundles(FRAME.with_columns(sex=pl.lit("male"), smoking=pl.lit("x")), SCHEMA.model_copy(update={
            "columns": (*SCHEMA.columns, Column(name="smoking", label="S", role=Role.COVARIATE, kind=Kind.CATEGORY,
                                                levels={"1": "a", "2": "b"}))}), tmp_path / "out")  # fmt: skip
    assert not list(tmp_path.iterdir())
