"""FHIR in: equal to what was written, foreign forms understood, and each fault named by place and never by value."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from harmonisation.fhir.bundles import ndjson, write_bundles
from harmonisation.fhir.reading import read_bundles
from records.errors import StorageError, TableError
from records.files import write_atomically
from records.schema import Column, Kind, Role, Schema
from use_cases.registry import discover

COHORTS = [cohort for use_case in discover().values() for cohort in use_case.cohorts if cohort.source.bundled]
YES = {"0": "no", "1": "yes"}
SECRET = "Virtanen"
SCHEMA = Schema(
    name="foreign",
    title="Foreign",
    columns=(
        Column(name="patient_id", label="Patient", role=Role.IDENTIFIER, kind=Kind.TEXT),
        Column(name="age", label="Age", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, minimum=18, maximum=120, unit="a",
               codes={"LOINC": "30525-0"}, missing=True),
        Column(name="sex", label="Sex", role=Role.QUASI_IDENTIFIER, kind=Kind.CATEGORY,
               levels={"female": "Female", "male": "Male"}, codes={"LOINC": "76689-9"}, missing=True),
        Column(name="systolic", label="Systolic", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=0, maximum=300,
               unit="mm[Hg]", codes={"LOINC": "8480-6"}, missing=True),
        Column(name="smoking", label="Smoking", role=Role.COVARIATE, kind=Kind.CATEGORY, missing=True,
               levels={"1": "never", "2": "former"}, codes={"LOINC": "72166-2"}),
        Column(name="diabetes", label="Diabetes", role=Role.COVARIATE, kind=Kind.CATEGORY, levels=YES,
               codes={"SNOMED": "73211009"}, missing=True),
        Column(name="time", label="Follow-up", role=Role.TIME, kind=Kind.INTEGER, unit="d", minimum=0, maximum=9999, missing=True),
        Column(name="event", label="Death", role=Role.EVENT, kind=Kind.CATEGORY, levels={"0": "censored", "1": "event"}),
    ),
)  # fmt: skip


def patient(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": f"x{number}", "gender": "female", "birthDate": "1950-06-15",
            "identifier": [{"value": f"MRN{number}"}], "deceasedDateTime": "2020-01-31T10:00:00Z"} | more  # fmt: skip


def encounter(number: int = 1) -> dict[str, Any]:
    return {"resourceType": "Encounter", "id": f"e{number}", "status": "finished", "class": {"code": "IMP"},
            "subject": {"reference": f"Patient/x{number}"}, "period": {"start": "2020-01-01"}}  # fmt: skip


def observation(number: int = 1, *, code: str = "8480-6", **more: Any) -> dict[str, Any]:
    pressure = {"value": 140, "unit": "mm[Hg]", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
    value = {} if any(k.startswith("value") or k == "component" for k in more) else {"valueQuantity": pressure}
    return {"resourceType": "Observation", "id": f"o{number}-{code}", "status": "final", "effectiveDateTime": "2020-01-01",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": f"Patient/x{number}"}} | value | more  # fmt: skip


def condition(number: int = 1) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": f"c{number}", "subject": {"reference": f"Patient/x{number}"},
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "73211009"}]}}  # fmt: skip


def bundle(*resources: dict[str, Any]) -> bytes:
    return json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
    ).encode()


def living(number: int = 2) -> dict[str, Any]:
    """A second patient, so that both outcomes occur."""
    return {k: v for k, v in patient(number).items() if k != "deceasedDateTime"} | {"deceasedBoolean": False}


def whole(folder: Path, *resources: dict[str, Any], schema: Schema = SCHEMA) -> Any:
    everyone = [patient(), living(), observation(2), observation(2, code="72166-2", valueString="never"), condition(2)]
    folder.joinpath("a.json").write_bytes(bundle(*everyone, encounter(), *resources))
    return read_bundles(folder, schema)


@pytest.mark.parametrize("cohort", COHORTS, ids=lambda cohort: cohort.name)
def test_round_trip_of_bundles_is_equal(cohort: Any, tmp_path: Path) -> None:
    frame = cohort.load().sample(25, seed=3)
    schema = cohort.table.select(name for name in frame.columns if frame[name].null_count() < frame.height)
    frame = frame.select(schema.names)
    write_bundles(frame, schema, tmp_path / "out")
    back = read_bundles(tmp_path / "out", schema)
    assert_frame_equal(back.frame, frame)
    assert not back.skipped


@pytest.mark.slow
def test_round_trip_of_ndjson_is_equal_for_a_whole_cohort(tmp_path: Path) -> None:
    cohort = next(c for c in COHORTS if c.name == "copenhagen")
    frame = cohort.load()
    for name, data in ndjson(frame, cohort.table).items():
        write_atomically(tmp_path / name, data)
    assert_frame_equal(read_bundles(tmp_path, cohort.table).frame, frame)


def test_a_foreign_bundle(tmp_path: Path) -> None:
    smoking = observation(code="72166-2", valueCodeableConcept={"text": "Never"})
    row = whole(tmp_path, observation(), smoking, condition()).frame.row(0, named=True)
    assert row == {"patient_id": "MRN1", "age": 69, "sex": "female", "systolic": 140.0, "smoking": "1",
                   "diabetes": "1", "time": 30, "event": "1"}  # fmt: skip


def test_a_panel_is_read_by_its_components(tmp_path: Path) -> None:
    part = {"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
            "valueQuantity": {"value": 155, "code": "mm[Hg]"}}  # fmt: skip
    assert whole(tmp_path, observation(code="85354-9", component=[part])).frame["systolic"][0] == 155


KNOWN = SCHEMA.model_copy(update={"columns": tuple(
    c.model_copy(update={"missing": False}) if c.name == "diabetes" else c for c in SCHEMA.columns
)})  # fmt: skip


def test_what_nobody_speaks_of_is_absent_where_the_codebook_knows_it_of_everybody(tmp_path: Path) -> None:
    assert whole(tmp_path).frame["diabetes"].to_list() == [None, "1"]
    assert whole(tmp_path, schema=KNOWN).frame["diabetes"].to_list() == ["0", "1"]


def test_without_any_condition_nobody_is_known_to_be_healthy(tmp_path: Path) -> None:
    tmp_path.joinpath("a.json").write_bytes(bundle(patient(), living(), encounter(), observation(2)))
    with pytest.raises(TableError, match="diabetes"):
        read_bundles(tmp_path, KNOWN)


def test_a_condition_lost_from_our_own_files_is_no_absence(tmp_path: Path) -> None:
    frame = whole(tmp_path, condition()).frame
    for name, data in ndjson(frame, KNOWN).items():
        lines = data.splitlines(keepends=True)
        write_atomically(tmp_path / "own" / name, b"".join(lines[:1] if "Condition" in name else lines))
    with pytest.raises(TableError, match="diabetes"):
        read_bundles(tmp_path / "own", KNOWN)


def test_the_earliest_value_is_taken(tmp_path: Path) -> None:
    late = observation(id="late", effectiveDateTime="2020-02-01", valueQuantity={"value": 99, "code": "mm[Hg]"})
    read = whole(tmp_path, late, observation())
    assert read.frame["systolic"][0] == 140
    assert read.skipped == {"later value of the same column": 1}


def test_several_bundles_of_one_patient(tmp_path: Path) -> None:
    tmp_path.joinpath("b.json").write_bytes(bundle(patient(), observation()))
    read = whole(tmp_path)
    assert read.frame["systolic"].to_list() == [140, 140]
    assert read.skipped == {"the same resource again": 1}


def test_references_by_url_and_version(tmp_path: Path) -> None:
    by = [f"https://server.example/fhir/Patient/x1{tail}" for tail in ("", "/_history/2")]
    read = whole(tmp_path, observation(subject={"reference": by[0]}), condition() | {"subject": {"reference": by[1]}})
    assert read.frame.row(0, named=True)["systolic"] == 140
    assert read.frame.row(0, named=True)["diabetes"] == "1"


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ({"resourceType": "Claim", "id": SECRET}, "resource type without a place in a codebook"),
        ({"resourceType": "Nonsense"}, "resource type without a place in a codebook"),
        (observation(code="9999-9"), "no column has its code"),
        (observation(status="entered-in-error"), "status says not to use it"),
        (observation(contained=[{"resourceType": "Device", "id": "d"}]), "contained resource"),
        (observation(code="72166-2", valueString="perhaps"), "a value that is no level of the codebook"),
        (observation(valueQuantity={"value": 3, "comparator": "<", "code": "mm[Hg]"}), "no plain number"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_has_no_place_is_counted(resource: dict[str, Any], reason: str, tmp_path: Path) -> None:
    assert whole(tmp_path, resource).skipped == {reason: 1}


@pytest.mark.parametrize(
    ("resource", "place", "got"),
    [
        (observation(subject={"reference": f"Patient/{SECRET}"}), "$.entry[6].resource.subject", "nobody"),
        (observation(subject={"reference": "#inside"}), "$.entry[6].resource.subject", "nobody"),
        ({k: v for k, v in observation().items() if k != "subject"}, "$.entry[6].resource.subject", "nobody"),
        (patient(gender="male", name=[{"family": SECRET}]), "$.entry[6].resource.id", "used before"),
        (observation(valueQuantity={"value": 140}), "$.entry[6].resource.valueQuantity", "no unit"),
        (observation(valueQuantity={"value": 14, "code": "kPa"}), "$.entry[6].resource.valueQuantity", "another unit"),
        (observation(status=[SECRET]), "$.entry[6].resource.status", "string"),
        (observation(valueString="x") | {SECRET: SECRET}, "$.entry[6].resource", "extra"),
        (patient(3, birthDate=SECRET), "$.entry[6].resource.birthDate", "value error"),
    ],
)
def test_a_fault_is_named_by_file_and_path_without_its_value(
    resource: dict[str, Any], place: str, got: str, tmp_path: Path
) -> None:
    with pytest.raises(TableError) as caught:
        whole(tmp_path, resource)
    text = str(caught.value)
    assert f"a.json: {place}" in text
    assert got in text
    assert SECRET not in text
    assert len(caught.value.problems) == 1


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize("spoil", [cut, lambda data: b"[1]", lambda data: b"\xff\xfe", lambda data: b"[" * 99_999])
def test_a_broken_file_is_named(spoil: Callable[[bytes], bytes], tmp_path: Path) -> None:
    tmp_path.joinpath("broken.json").write_bytes(spoil(bundle(patient(5, name=[{"family": SECRET}]))))
    with pytest.raises(TableError, match=r"broken\.json") as caught:
        whole(tmp_path)
    assert SECRET not in str(caught.value)


def test_many_faults_are_counted(tmp_path: Path) -> None:
    faults = [observation(n, subject={"reference": "Patient/none"}) for n in range(3, 53)]
    with pytest.raises(TableError, match="30 more"):
        whole(tmp_path, *faults)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="got none"):
        read_bundles(tmp_path, SCHEMA)


def test_the_source_is_not_changed(tmp_path: Path) -> None:
    whole(tmp_path)
    before = tmp_path.joinpath("a.json").read_bytes()
    read_bundles(tmp_path, SCHEMA)
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert tmp_path.joinpath("a.json").read_bytes() == before
