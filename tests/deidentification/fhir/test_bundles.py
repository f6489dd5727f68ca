"""De-identified FHIR: nothing planted survives, intervals and links do, and the result is FHIR."""

import copy
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deidentification.fhir.bundles import FhirReport, deidentify_bundles
from deidentification.opt_out import OptOuts, record_choices
from deidentification.pseudonyms import pseudonymise
from deidentification.shift import shift_days
from records.errors import ParameterError, StorageError

KEY = b"a key of the hospital, long enough"
NAME = "Virtanen"
LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem/"
Json = dict[str, Any]


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": f"{NAME} display"}], "text": f"{NAME} text"}


def patient(number: int = 1) -> Json:
    return {
        "resourceType": "Patient", "id": f"{NAME}-{number}", "meta": {"profile": ["http://x.example/p"], "source": NAME},
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{NAME}</div>'},
        "identifier": [{"system": "urn:oid:1.2.246.21", "value": f"other-{number}"},
                       {"type": concept(f"{HL7}v2-0203", "MR"), "value": f"MRN-{number}"}],
        "name": [{"family": NAME, "given": ["Aino"]}], "telecom": [{"system": "phone", "value": "+358 40 1234567"}],
        "gender": "female", "birthDate": "1921-05-05", "_birthDate": {"extension": [{"url": "http://x.example/t",
        "valueDateTime": "1921-05-05T10:00:00Z"}]}, "deceasedDateTime": "2020-03-10T12:30:00+02:00",
        "address": [{"line": ["Kotikatu 1"], "city": "Kuopio", "postalCode": "70100", "country": "FI"}],
        "contact": [{"name": {"family": NAME}}], "maritalStatus": concept(f"{HL7}v3-MaritalStatus", "M"),
        "photo": [{"contentType": "image/png", "data": "aGVsbG8="}],
        "managingOrganization": {"reference": "Organization/org1", "display": "Kuopio hospital"},
        "extension": [{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex", "valueCode": "F"},
                      {"url": "http://x.example/mothers-name", "valueString": NAME}],
    }  # fmt: skip


def resources(number: int = 1) -> list[Json]:
    to = {"reference": f"Patient/{NAME}-{number}", "display": NAME}
    pressure = {"value": 140.5, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}
    return [
        patient(number),
        {"resourceType": "Organization", "id": "org1", "name": "Kuopio hospital"},
        {"resourceType": "Practitioner", "id": "doc", "name": [{"family": NAME}]},
        {"resourceType": "Encounter", "id": f"e{number}", "status": "finished", "subject": to,
         "class": {"system": f"{HL7}v3-ActCode", "code": "IMP"}, "period": {"start": "2020-03-01", "end": "2020-03-08"}},
        {"resourceType": "Observation", "id": f"bp{number}", "status": "final", "code": concept(LOINC, "8480-6"),
         "subject": to, "encounter": {"reference": f"Encounter/e{number}"}, "effectiveDateTime": "2020-03-02",
         "performer": [{"reference": "Practitioner/doc", "display": NAME}], "valueQuantity": pressure,
         "note": [{"authorString": NAME, "text": f"{NAME} was tired"}], "issued": "2020-03-02T08:00:00.000Z"},
        {"resourceType": "Observation", "id": f"age{number}", "status": "final", "code": concept(LOINC, "30525-0"),
         "subject": to, "valueQuantity": {"value": 98, "unit": "a", "system": UCUM, "code": "a"}},
        {"resourceType": "Condition", "id": f"c{number}", "code": concept(SNOMED, "73211009"), "subject": to,
         "clinicalStatus": concept(f"{HL7}condition-clinical", "active"), "onsetDateTime": "2019-12", "onsetAge": None,
         "recordedDate": "2020-03-02", "contained": [{"resourceType": "Patient", "id": "p", "name": [{"family": NAME}]}]},
        {"resourceType": "MedicationStatement", "id": f"m{number}", "status": "active", "subject": to,
         "medicationCodeableConcept": concept("http://local.example/drugs", NAME), "effectivePeriod": {"start": "2020"},
         "dosage": [{"text": f"{NAME} takes one", "route": concept(SNOMED, "26643006")}]},
        {"resourceType": "Appointment", "id": f"ap{number}", "description": NAME},
    ]  # fmt: skip


def bundle(*listed: Json) -> Json:
    made = [{k: v for k, v in one.items() if v is not None} for one in listed]
    return {"resourceType": "Bundle", "id": NAME, "type": "transaction", "identifier": {"value": NAME}, "entry": [
        {"fullUrl": f"https://ehr.example/fhir/{r['resourceType']}/{r['id']}", "resource": r,
         "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for r in made
    ]}  # fmt: skip


def run(folder: Path, *bundles: Json, **more: Any) -> tuple[list[Json], FhirReport]:
    source, out = folder / "in", folder / "out"
    source.mkdir()
    for number, one in enumerate(bundles):
        (source / f"{NAME}-{number}.json").write_text(json.dumps(one), encoding="utf-8")
    report = deidentify_bundles(source, out, key=KEY, **more)
    return [json.loads(file.read_bytes()) for file in sorted(out.iterdir())], report


def found(bundles: list[Json], kind: str) -> list[Json]:
    return [e["resource"] for b in bundles for e in b.get("entry", []) if e["resource"]["resourceType"] == kind]


def test_no_identifier_of_a_full_bundle_survives(tmp_path: Path) -> None:
    run(tmp_path, bundle(*resources()))
    written = b"".join(file.name.encode() + file.read_bytes() for file in (tmp_path / "out").iterdir())
    secrets = [NAME, "Aino", "MRN-1", "other-1", "1234567", "Kotikatu", "Kuopio", "70100", "1921", "aGVsbG8", "ehr.example",
               "org1", "doc", "2020-03-02", "2020-03-10", "tired"]  # fmt: skip
    assert [word for word in secrets if word.encode() in written] == []


def test_the_result_is_fhir_and_its_references_resolve(tmp_path: Path) -> None:
    made, _ = run(tmp_path, bundle(*resources()))
    Bundle.model_validate(made[0])
    base, urls = "http://deidentified.invalid/fhir/", {entry["fullUrl"] for entry in made[0]["entry"]}
    used = set(_references(made[0]["entry"]))
    assert len(used) == 3
    assert {base + reference for reference in used} <= urls
    assert {base + entry["request"]["url"] for entry in made[0]["entry"]} == urls


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _references(part)


def test_dates_of_a_patient_move_together_by_the_key(tmp_path: Path) -> None:
    made, _ = run(tmp_path, bundle(*resources()))
    shift = timedelta(shift_days("MRN-1", KEY))
    encounter, observation = found(made, "Encounter")[0], found(made, "Observation")[0]
    assert encounter["period"] == {
        "start": (date(2020, 3, 1) + shift).isoformat(), "end": (date(2020, 3, 8) + shift).isoformat(),
    }  # fmt: skip
    assert observation["effectiveDateTime"] == (date(2020, 3, 2) + shift).isoformat()
    assert observation["issued"] == f"{date(2020, 3, 2) + shift}T08:00:00.000Z"
    assert found(made, "Condition")[0]["onsetDateTime"] == (date(2019, 12, 15) + shift).isoformat()[:7]
    assert found(made, "Patient")[0]["deceasedDateTime"] == f"{date(2020, 3, 10) + shift}T12:30:00+02:00"


def test_what_may_stay_of_a_patient(tmp_path: Path) -> None:
    made, _ = run(tmp_path, bundle(*resources()))
    kept = found(made, "Patient")[0]
    assert kept["identifier"] == [
        {"system": "urn:phaseiv:pseudonym", "value": pseudonymise(pl.Series(["MRN-1"]), KEY).item()}
    ]
    assert kept["address"] == [{"country": "FI"}]
    assert kept["gender"] == "female"
    assert kept["extension"][0]["valueCode"] == "F"
    # Born in 1921, last seen in March 2020: older than 90, so the year of birth is 90 years before.
    last = date(2020, 3, 10) + timedelta(shift_days("MRN-1", KEY))
    assert kept["birthDate"] == str(last.year - 90)
    assert not {"name", "telecom", "contact", "photo", "text", "_birthDate"} & set(kept)


def test_clinical_content_stays(tmp_path: Path) -> None:
    made, _ = run(tmp_path, bundle(*resources()))
    pressure, age = found(made, "Observation")
    assert pressure["code"] == {"coding": [{"system": LOINC, "code": "8480-6"}]}
    assert pressure["valueQuantity"] == {"value": 140.5, "unit": "mm[Hg]", "system": UCUM, "code": "mm[Hg]"}
    assert age["valueQuantity"]["value"] == 90
    drug = found(made, "MedicationStatement")[0]
    assert drug["medicationCodeableConcept"]["coding"][0]["code"] == "masked"
    assert drug["dosage"] == [{"route": {"coding": [{"system": SNOMED, "code": "26643006"}]}}]


def test_the_report_counts_by_path(tmp_path: Path) -> None:
    _, report = run(tmp_path, bundle(*resources(1)), bundle(*resources(2)))
    assert (report.files, report.patients) == (2, 2)
    assert report.elements["Patient.name"] == {"removed": 2}
    assert report.elements["Patient.birthDate"] == {"changed": 2}
    assert report.elements["Observation.status"] == {"kept": 4}
    assert report.removed == {"unknown": 2}
    assert NAME not in str(report)


def test_equal_patients_are_equal_in_all_files(tmp_path: Path) -> None:
    made, _ = run(tmp_path, bundle(*resources()[:1]), bundle(*resources()[1:]))
    ids = {f"Patient/{p['id']}" for p in found(made, "Patient")}
    assert {o["subject"]["reference"] for o in found(made, "Observation")} == ids
    moved = {o["effectiveDateTime"] for o in found(made, "Observation") if "effectiveDateTime" in o}
    assert moved == {(date(2020, 3, 2) + timedelta(shift_days("MRN-1", KEY))).isoformat()}


def test_urns_stay_linked(tmp_path: Path) -> None:
    urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    observation = resources()[4] | {"subject": {"reference": urn}}
    made, _ = run(tmp_path, bundle() | {"entry": [{"fullUrl": urn, "resource": patient()}, {"resource": observation}]})
    entries = made[0]["entry"]
    assert entries[1]["resource"]["subject"]["reference"] == entries[0]["fullUrl"] != urn
    shifted = date(2020, 3, 2) + timedelta(shift_days("MRN-1", KEY))
    assert entries[1]["resource"]["effectiveDateTime"] == shifted.isoformat()


def test_notes_go_through_the_scrubber(tmp_path: Path) -> None:
    made, _ = run(tmp_path, bundle(*resources()), scrub=lambda text, who, _: text.replace(NAME, f"[{who[:3]}]"))
    assert found(made, "Observation")[0]["note"] == [{"text": "[MRN] was tired"}]
    assert found(made, "MedicationStatement")[0]["dosage"][0]["text"] == "[MRN] takes one"


def test_the_scrubber_is_told_what_the_patient_is_called(tmp_path: Path) -> None:
    told: set[str] = set()
    run(tmp_path, bundle(*resources()), scrub=lambda text, _, known: told.update(known) or text)
    assert told == {NAME, "Aino", "MRN-1", "other-1", "+358 40 1234567", "Kotikatu 1", "Kuopio", "70100"}


def test_those_who_opted_out_are_left_out_with_all_their_resources(tmp_path: Path) -> None:
    register, hospital = tmp_path / "opted_out.jsonl", b"the hospital's own key, not the project's"
    record_choices(register, pseudonymise(pl.Series(["MRN-1"]), hospital), "out", date(2026, 1, 1))
    listed = [bundle(*resources(1)), bundle(*resources(2))]
    (tmp_path / "later").mkdir()
    made, report = run(tmp_path, *listed, opt_outs=OptOuts(register, date(2026, 1, 1), hospital))
    everything, _ = run(tmp_path / "later", *listed, opt_outs=OptOuts(register, date(2025, 12, 31), hospital))
    assert (report.patients, report.excluded) == (2, 1)
    for kind in ("Patient", "Encounter", "Observation", "Condition", "MedicationStatement"):
        assert len(found(everything, kind)) == 2 * len(found(made, kind)) > 0
    assert found(made, "Patient")[0]["identifier"][0]["value"] == pseudonymise(pl.Series(["MRN-2"]), KEY).item()


def observation(number: int, subject: Json | None, **more: Any) -> Json:
    return {"resourceType": "Observation", "id": f"o{number}", "status": "final", "code": concept(LOINC, "8480-6"),
            "effectiveDateTime": "2020-03-02", "subject": subject, **more}  # fmt: skip


MRN = "http://hospital.example/mrn"
REFERENCES = [
    observation(1, {"identifier": {"system": MRN, "value": "MRN-1"}}), observation(2, {"reference": f"Patient?identifier={MRN}|MRN-1"}),
    observation(3, {"reference": "#p"}, contained=[{**patient(1), "id": "p"}]), observation(4, {"reference": f"Patient/{NAME}-1/_history/2"}),
    observation(5, {"identifier": {"value": "other-1"}}),
]  # fmt: skip
NOBODYS = [
    observation(6, {"reference": "Patient/absent"}),
    observation(7, {"reference": "Group/g"}),
    observation(8, None),
]


@pytest.mark.parametrize("number", ["MRN-1", "other-1", f"{NAME}-1"])
def test_an_objection_holds_under_each_number_and_however_a_record_refers_to_its_patient(
    tmp_path: Path, number: str
) -> None:
    register = tmp_path / "opted_out.jsonl"
    record_choices(register, pseudonymise(pl.Series([number]), KEY), "out", date(2026, 1, 1))
    made, report = run(
        tmp_path, bundle(*resources(1), *resources(2), *REFERENCES, *NOBODYS), opt_outs=OptOuts(register, date(2026, 1, 1), KEY)
    )  # fmt: skip
    assert (report.patients, report.excluded, report.of_nobody) == (2, 1, 3)
    assert len(found(made, "Patient")) == 1
    assert len(found(made, "Observation")) == 2  # of the other patient
    assert report.removed["Observation"] == 2 + len(REFERENCES) + len(NOBODYS)


def test_without_a_register_what_is_of_nobody_is_counted_and_all_else_moves_by_its_patient(tmp_path: Path) -> None:
    made, report = run(tmp_path, bundle(*resources(1), *REFERENCES, *NOBODYS))
    assert (report.patients, report.excluded, report.of_nobody) == (1, 0, 3)
    days = [o["effectiveDateTime"] for o in found(made, "Observation") if "effectiveDateTime" in o]
    moved = date(2020, 3, 2) + timedelta(shift_days("MRN-1", KEY))
    assert days.count(moved.isoformat()) >= 1 + len(REFERENCES)


def test_an_objection_holds_where_only_references_name_the_patient(tmp_path: Path) -> None:
    register = tmp_path / "opted_out.jsonl"
    record_choices(register, pseudonymise(pl.Series(["MRN-1"]), KEY), "out", date(2026, 1, 1))
    other = observation(9, {"identifier": {"value": "MRN-9"}})
    made, report = run(tmp_path, bundle(REFERENCES[0], other), opt_outs=OptOuts(register, date(2026, 1, 1), KEY))
    assert len(found(made, "Observation")) == 1
    assert (report.patients, report.excluded, report.of_nobody) == (2, 1, 0)


def test_an_encounter_of_a_local_class_stays_so_that_references_do_not_break(tmp_path: Path) -> None:
    listed = resources()
    listed[3]["class"] = {"system": "http://local.example/class", "code": NAME}
    made, _ = run(tmp_path, bundle(*listed))
    Bundle.model_validate(made[0])
    (encounter,) = found(made, "Encounter")
    assert encounter["class"] == {"system": f"{HL7}v3-NullFlavor", "code": "UNK"}
    assert found(made, "Observation")[0]["encounter"]["reference"] == f"Encounter/{encounter['id']}"


AGE = concept(LOINC, "30525-0")


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"valueQuantity": {"value": 1164, "code": "mo"}}, {"value": 1080, "unit": "mo", "system": UCUM, "code": "mo"}),
        ({"valueQuantity": {"value": 97, "unit": "{years}"}}, {"value": 90, "unit": "1", "system": UCUM, "code": "1"}),
        ({"valueRange": {"low": {"value": 80}, "high": {"value": 97}}}, {"low": {"value": 80}, "high": {"value": 90}}),
        ({"valueInteger": 97}, 90), ({"valueQuantity": [{"value": 97}]}, None), ({"code": [AGE], "valueInteger": 97}, 90),
        ({"valueQuantity": {"value": 97, "code": "kg"}}, None), ({"valueQuantity": {"value": 10**400}}, None),
    ],
)  # fmt: skip
def test_ages_over_90_are_90_however_they_are_written(change: Json, kept: Any, tmp_path: Path) -> None:
    to = {"reference": f"Patient/{NAME}-1"}
    plain = {"resourceType": "Observation", "id": "a", "status": "final", "code": AGE, "subject": to} | change
    part = {"resourceType": "Observation", "id": "b", "status": "final", "code": AGE, "subject": to, "component": plain}
    made, _ = run(tmp_path, bundle(patient(), plain, part))
    whole, parted = found(made, "Observation")
    inside = parted.get("component", {})
    for one in (whole, inside):
        assert [value for name, value in one.items() if name.startswith("value")] == ([] if kept is None else [kept])


def test_an_onset_without_a_unit_is_in_years(tmp_path: Path) -> None:
    made, _ = run(tmp_path, bundle(patient(), resources()[6] | {"onsetAge": {"value": 97}}))
    assert found(made, "Condition")[0]["onsetAge"] == {"value": 90}


def test_a_reason_does_not_stand_for_the_status(tmp_path: Path) -> None:
    procedure = {"resourceType": "Procedure", "id": "p", "subject": {"reference": f"Patient/{NAME}-1"}, "code": AGE,
                 "statusReason": concept(SNOMED, "73211009")}  # fmt: skip
    made, report = run(
        tmp_path, bundle(patient(), *(procedure | {"status": s} for s in (NAME, {"coding": []}, "completed")))
    )
    assert [one["status"] for one in found(made, "Procedure")] == ["completed"]
    assert report.elements["Procedure.status"]["resource removed"] == 2


@pytest.mark.parametrize("change", [{"modifierExtension": [{"url": "http://x.example/not"}]}, {"status": NAME}])
def test_a_resource_that_would_mislead_is_dropped(change: Json, tmp_path: Path) -> None:
    made, report = run(tmp_path, bundle(patient(), resources()[4] | change))
    assert found(made, "Observation") == []
    assert report.removed == {"Observation": 1}


@pytest.mark.parametrize(
    "reference", [f"Patient?identifier={NAME}", f"#{NAME}", f"{NAME}/1", NAME, "Patient/1/x", 3, None]
)
def test_a_reference_that_tells_more_is_dropped(reference: Any, tmp_path: Path) -> None:
    made, _ = run(tmp_path, bundle(resources()[4] | {"subject": {"reference": reference}}))
    assert "subject" not in found(made, "Observation")[0]


def test_ndjson_and_a_single_file(tmp_path: Path) -> None:
    source = tmp_path / "Patient.ndjson"
    source.write_text("\n".join(json.dumps(patient(n)) for n in range(3)) + "\n", encoding="utf-8")
    report = deidentify_bundles(source, tmp_path / "out.ndjson", key=KEY)
    lines = (tmp_path / "out.ndjson").read_text().splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == report.patients == 3


def test_progress_is_told_in_counts(tmp_path: Path) -> None:
    told: list[str] = []
    run(tmp_path, bundle(*resources()), bundle(), tell=told.append)
    assert told == ["1 of 2 files", "2 of 2 files"]


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b'{"a": 1}', b"\xff", b"[" * 100_000, b'{"resourceType": "Patient", "x": NaN}']
)
def test_bad_files_are_named_and_nothing_is_written(data: bytes, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "good.json").write_text(json.dumps(bundle(*resources())))
    (source / "worse.json").write_bytes(data)
    with pytest.raises(StorageError, match=r"worse\.json"):
        deidentify_bundles(source, tmp_path / "out", key=KEY)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_a_former_result_and_a_short_key_are_refused(tmp_path: Path) -> None:
    run(tmp_path, bundle(patient()))
    with pytest.raises(StorageError, match="must be new"):
        deidentify_bundles(tmp_path / "in", tmp_path / "out", key=KEY)
    with pytest.raises(ParameterError, match="16 bytes"):
        deidentify_bundles(tmp_path / "in", tmp_path / "other", key=b"short")


def test_one_id_of_two_patients_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="one patient each") as caught:
        run(tmp_path, bundle(patient(1)), bundle(patient(2) | {"id": f"{NAME}-1"}))
    assert NAME not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_result_must_lie_outside_the_source(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(patient()))
    with pytest.raises(StorageError, match="outside the source"):
        deidentify_bundles(tmp_path, tmp_path / "deeper" / "out", key=KEY)


def test_a_month_alone_tells_when_a_patient_was_last_seen(tmp_path: Path) -> None:
    to = {"reference": f"Patient/{NAME}-1"}
    person = {"resourceType": "Patient", "id": f"{NAME}-1", "birthDate": "1921"}
    seen = [
        {"resourceType": "Condition", "id": d, "subject": to, "onsetDateTime": d} for d in ("2010-02-01", "2020-02")
    ]
    made, _ = run(tmp_path, bundle(person, *seen))
    moved = date(2020, 2, 28) + timedelta(shift_days(f"Patient/{NAME}-1", KEY))
    assert found(made, "Patient")[0]["birthDate"] == str(moved.year - 90)


def test_half_a_character_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="half a one"):
        run(tmp_path, bundle(patient() | {"identifier": [{"value": f"{NAME}\ud800"}]}))
    assert not (tmp_path / "out").exists()


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied", "/hospital/secret")

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(StorageError, match="got Permission denied") as caught:
        run(tmp_path, bundle(patient()))
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_source_is_not_changed(tmp_path: Path) -> None:
    run(tmp_path, bundle(*resources()))
    assert json.loads((tmp_path / "in" / f"{NAME}-0.json").read_text()) == bundle(*resources())


Place = tuple[str | int, ...]


def _places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every place of a string or a number, and every object, where an element may be added."""
    yield at
    if isinstance(value, dict | list):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(part, (*at, name))


def _planted(document: Json, at: Place, word: str) -> Json:
    changed = copy.deepcopy(document)
    target: Any = changed
    for step in at[:-1]:
        target = target[step]
    inside = target[at[-1]]
    if isinstance(inside, dict):
        inside[word] = word
        inside["display"] = word
    elif isinstance(inside, list):
        inside.append(word)
    else:
        target[at[-1]] = word
    return changed


FULL = bundle(*resources())
# Without the type of the bundle the file is no FHIR, which is refused.
PLACES = [at for at in _places(FULL) if at and at != ("resourceType",)]
WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=9, max_size=30)


def _all(folder: Path) -> str:
    return b"".join(file.read_bytes() for file in (folder / "out").iterdir()).decode()


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The result without anything planted: a word that is part of it by chance proves nothing."""
    folder = tmp_path_factory.mktemp("clean")
    run(folder, FULL)
    return _all(folder)


@settings(max_examples=60, deadline=None)
@given(places=st.lists(st.sampled_from(PLACES), min_size=1, max_size=4, unique=True), word=WORDS)
def test_what_is_planted_anywhere_does_not_survive(
    clean: str, tmp_path_factory: pytest.TempPathFactory, places: list[Place], word: str
) -> None:
    assume(word not in clean)
    document = FULL
    for at in sorted(places, key=len, reverse=True):
        document = _planted(document, at, word)
    folder = tmp_path_factory.mktemp("planted")
    made, report = run(folder, document)
    written, escaped = _all(folder), json.dumps(word)[1:-1]
    assert word not in written
    assert escaped not in written
    assert word not in str(report)
    Bundle.model_validate(made[0])


@pytest.mark.slow
@pytest.mark.parametrize("word", ["Virtanen-Korhonen", "010190-123A"])
def test_a_word_planted_in_each_place_does_not_survive(word: str, tmp_path: Path) -> None:
    survived = []
    for number, at in enumerate(PLACES):
        folder = tmp_path / str(number)
        folder.mkdir()
        run(folder, _planted(FULL, at, word))
        if word in _all(folder):
            survived.append(at)
    assert survived == []
