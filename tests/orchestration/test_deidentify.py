"""``phaseiv deidentify`` and ``phaseiv scrub`` on files as hospitals bring them."""

import gzip
import json
import re
import shutil
from pathlib import Path

import polars as pl
import pydicom
import pytest
from pydicom.data import get_testdata_file
from typer.testing import CliRunner, Result

from deidentification.key_register import REGISTER
from orchestration.cli import app

SCHEMA = Path(__file__).parents[2] / "use_cases" / "stroke" / "copenhagen.yaml"
BUNDLE = {
    "resourceType": "Bundle", "type": "collection",
    "entry": [
        {"resource": {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1952-10-13",
                      "name": [{"family": "Virtanen", "given": ["Liisa", "Ruusu"]}], "telecom": [{"value": "040 1234567"}],
                      "identifier": [{"value": "131052-308T"}]}},
        {"resource": {"resourceType": "Observation", "id": "o1", "status": "final", "subject": {"reference": "Patient/p1"},
                      "code": {"coding": [{"system": "http://loinc.org", "code": "2857-1"}]},
                      "valueQuantity": {"value": 7.1, "system": "http://unitsofmeasure.org", "code": "ng/mL"},
                      "note": [{"text": "Liisa Virtanen soitti, ja kotona ruusu voi hyvin."}]}},
    ],
}  # fmt: skip


def asked(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_table_comes_out_k_anonymous(at: Path) -> None:
    found = asked("deidentify", at / "stroke.csv", "--out", at / "out.csv", "--schema", SCHEMA, "--k", 7)
    assert found.exit_code == 0, found.output
    table, report = pl.read_csv(at / "out.csv"), json.loads((at / "out.csv.report.json").read_bytes())
    assert int(table.group_by("age", "sex").len()["len"].min() or 0) >= 7  # type: ignore[arg-type]
    assert table.height == report["released"] == 492 - report["suppressed"]
    assert f"{table.height} of 492 patients" in found.output
    assert re.search(rf"suppressed\s+.\s+{report['suppressed']}\b", found.output)
    assert all(level in found.output for level in report["anonymity"]["levels"].values())
    assert (at / "out.csv.risk.png").read_bytes()[:4] == b"\x89PNG"


def test_the_journalists_risk_follows_the_sampling_fraction(at: Path) -> None:
    codebook = at / "sampled.yaml"
    codebook.write_text(f"sampling_fraction: 0.25\n{SCHEMA.read_text(encoding='utf-8')}", encoding="utf-8")
    for out, more, people in (("a.csv", (), 4), ("b.csv", ("--sampling-fraction", 0.1), 10)):
        found = asked("deidentify", at / "stroke.csv", "--out", at / out, "--schema", codebook, *more)
        assert found.exit_code == 0, found.output
        after = json.loads((at / f"{out}.report.json").read_bytes())["anonymity"]["after"]
        assert after["journalist_highest"] == pytest.approx(after["prosecutor_highest"] / people, abs=1e-4)
    wrong = asked(
        "deidentify", at / "stroke.csv", "--out", at / "c.csv", "--schema", codebook, "--sampling-fraction", 2
    )
    assert wrong.exit_code == 1
    assert "sampling fraction must lie above 0" in wrong.output


def test_a_packed_table_is_a_table(at: Path) -> None:
    (at / "stroke.csv.gz").write_bytes(gzip.compress((at / "stroke.csv").read_bytes()))
    found = asked("deidentify", at / "stroke.csv.gz", "--out", at / "out.parquet", "--schema", SCHEMA)
    assert found.exit_code == 0, found.output
    assert pl.read_parquet(at / "out.parquet").height > 0


def test_identifiers_in_a_covariate_are_refused_and_never_shown(at: Path) -> None:
    planted = pl.read_csv(at / "stroke.csv", infer_schema=False)
    planted.with_columns(
        pl.when(pl.int_range(pl.len()) < 9).then(pl.lit("131052-308T")).otherwise("smoking").alias("smoking")
    ).write_csv(at / "planted.csv")
    found = asked("deidentify", at / "planted.csv", "--out", at / "out.csv", "--schema", SCHEMA)
    assert found.exit_code == 1
    assert "smoking" in found.output
    assert "131052" not in found.output
    assert not (at / "out.csv").exists()


@pytest.mark.parametrize("notes", [False, True])
def test_fhir_comes_out_without_its_people(at: Path, notes: bool) -> None:
    (at / "bundle.json").write_text(json.dumps(BUNDLE))
    found = asked("deidentify", at / "bundle.json", "--out", at / "out.json", *(["--notes"] if notes else []))
    assert found.exit_code == 0, found.output
    made = (at / "out.json").read_text()
    report = (at / "out.json.report.json").read_text()
    assert json.loads(report)["elements"]["Patient.name"] == {"removed": 1}
    assert not [word for word in ("Virtanen", "Liisa", "131052") if word in report]
    assert not [word for word in ("Virtanen", "Liisa", "ruusu", "131052", "1234567", "p1") if word in made]
    assert ("soitti" in made) == notes
    assert '"value":7.1' in made.replace(" ", "")


def test_notes_in_another_language_are_told(at: Path) -> None:
    note = "Der Patient klagt seit drei Tagen über starke Schmerzen in der Brust und wurde gestern in die Klinik aufgenommen."
    bundle = json.loads(json.dumps(BUNDLE))
    bundle["entry"][1]["resource"]["note"].append({"text": note})
    (at / "bundle.json").write_text(json.dumps(bundle))
    found = asked("deidentify", at / "bundle.json", "--out", at / "out.json", "--notes")
    assert "1 notes seem to be in none of en, fi, es, it, pt" in found.output
    pl.DataFrame({"id": ["1", "2"], "note": [note, "The patient was admitted yesterday."]}).write_csv(at / "n.csv")
    found = asked("scrub", at / "n.csv", "--text", "note", "--patient", "id", "--out", at / "o.csv")
    assert "1 notes seem to be in none of en, fi, es, it, pt" in found.output


def test_dicom_comes_out_checked_under_the_tables_pseudonym(at: Path) -> None:
    (at / "in").mkdir()
    shutil.copy(get_testdata_file("CT_small.dcm"), at / "in" / "Virtanen.dcm")
    (at / "in" / "broken.dcm").write_bytes(b"\0" * 128 + b"DICMxxxx")
    found = asked("deidentify", at / "in", "--out", at / "out", "--option", "retain-device-identity")
    assert found.exit_code == 3, found.output
    assert "1 of 2 files refused" in found.output
    (made,) = (at / "out").rglob("*.dcm")
    old, new = pydicom.dcmread(at / "in" / "Virtanen.dcm"), pydicom.dcmread(made)
    assert new.PatientID not in ("", old.PatientID)
    assert new.PatientIdentityRemoved == "YES"
    assert "Virtanen" not in found.output
    report = json.loads((at / "out.report.json").read_bytes())
    assert (report["files_written"], report["files_refused"]) == (1, 1)
    named = asked("refused", at / "in", "--report", at / "out.report.json")
    assert named.exit_code == 0, named.output
    assert named.output.startswith("broken.dcm: the file must")
    (at / "in" / "broken.dcm").unlink()
    gone = asked("refused", at / "in", "--report", at / "out.report.json")
    assert (gone.exit_code, "got 1 of 1 that are of none" in gone.output) == (1, True)
    for wrong in ("stroke.csv", "none.json"):
        other = asked("refused", at / "in", "--report", at / wrong)
        assert f"{wrong} must be the report of a DICOM run, got another file or none" in other.output


def test_what_no_one_knows_is_refused(at: Path) -> None:
    (at / "in").mkdir()
    (at / "in" / "letter.txt").write_text("a letter")
    for source, words in ((at / "in", "none of these"), (at / "nothing", "must exist")):
        found = asked("deidentify", source, "--out", at / "out")
        assert found.exit_code == 1
        assert words in found.output
    found = asked("deidentify", at / "stroke.csv", "--out", at / "out.csv")
    assert found.exit_code == 1
    assert "--schema" in found.output


@pytest.mark.parametrize(
    ("source", "options", "named"),
    [
        ("bundle.json", ["--k", 5, "--option", "patient-characteristics"], "--k of table"),
        ("bundle.json", ["--option", "patient-characteristics"], "--option of dicom"),
        ("stroke.csv", ["--schema", SCHEMA, "--notes"], "--notes of fhir"), ("scan.dcm", ["--k", 9], "--k of table"),
    ],
)  # fmt: skip
def test_options_of_another_kind_are_not_passed_over(at: Path, source: str, options: list[object], named: str) -> None:
    (at / "bundle.json").write_text(json.dumps(BUNDLE))
    shutil.copy(str(get_testdata_file("CT_small.dcm")), at / "scan.dcm")
    place = at / source
    if source.endswith(".dcm"):
        place = at / "scans"
        place.mkdir()
        shutil.copy(at / source, place)
    found = asked("deidentify", place, "--out", at / "out", *options)
    assert found.exit_code == 1
    assert named in " ".join(found.output.split())
    assert not (at / "out").exists()


def test_the_report_never_falls_on_the_source(at: Path) -> None:
    (at / "a.report.json").write_text(json.dumps(BUNDLE))
    found = asked("deidentify", at / "a.report.json", "--out", at / "a")
    assert found.exit_code == 1
    assert "outside the source" in found.output
    assert json.loads((at / "a.report.json").read_text()) == BUNDLE
    assert not (at / "a").exists()


def test_a_project_whose_key_was_lost_is_told(at: Path) -> None:
    words = ("deidentify", at / "stroke.csv", "--schema", SCHEMA, "--project", "registry study", "--out")
    assert asked(*words, at / "one.csv").exit_code == 0
    (at / "home" / "pseudonym.key").unlink()
    found = asked(*words, at / "two.csv")
    assert found.exit_code == 1
    assert "put pseudonym.key back" in " ".join(found.output.split())
    assert not (at / "two.csv").exists()
    assert not (at / "home" / "pseudonym.key").exists()


def test_notes_are_scrubbed_under_the_tables_pseudonyms(at: Path) -> None:
    notes = {"id": ["7", "8"], "name": ["Matti Virtanen", None], "language": ["fi", "en"],
             "note": ["Matti Virtanen, hetu 131052-308T, kävi 3.4.2021.", None]}  # fmt: skip
    pl.DataFrame(notes).write_csv(at / "notes.csv")
    found = asked(
        "scrub", at / "notes.csv", "--text", "note", "--patient", "id", "--language", "language", "--known", "name",
        "--out", at / "out.csv",
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    made = pl.read_csv(at / "out.csv")
    assert made.columns == ["pseudonym", "note"]
    text = (at / "out.csv").read_text() + found.output
    assert not [word for word in ("Virtanen", "131052", "3.4.2021") if word in text]
    missing = asked("scrub", at / "notes.csv", "--text", "nothing", "--patient", "id", "--out", at / "o.csv")
    assert missing.exit_code == 1
    assert "must be one of id, name, language, note" in missing.output


@pytest.mark.parametrize("out", ["notes.csv", "notes.xlsx"])
def test_notes_are_not_written_over_their_source(at: Path, out: str) -> None:
    pl.DataFrame({"id": ["7"], "note": ["Matti Virtanen kävi."]}).write_csv(at / "notes.csv")
    before = (at / "notes.csv").read_bytes()
    found = asked("scrub", at / "notes.csv", "--text", "note", "--patient", "id", "--out", at / out)
    assert found.exit_code == 1
    assert "rename it" in found.output
    assert (at / "notes.csv").read_bytes() == before


def test_a_register_of_opt_outs_is_not_passed_over(at: Path) -> None:
    (at / "bundle.json").write_text(json.dumps(BUNDLE))
    (at / "who.csv").write_text("patient_id\n131052-308T\n")
    assert asked("opt-out", at / "who.csv", "--on", "2026-01-01").exit_code == 0
    words = ("--permit-date", "2026-01-01", "--opt-out", at / "home" / "opted_out.jsonl", "--project", "registry")
    found = asked("deidentify", at / "bundle.json", "--out", at / "out.json", *words)
    assert found.exit_code == 0, found.output
    assert "opted out" in found.output
    assert json.loads((at / "out.json").read_bytes()) == {"resourceType": "Bundle", "type": "collection"}


def test_objections_hold_for_images_and_notes(at: Path) -> None:
    (at / "in").mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm", "SC_rgb_small_odd.dcm"):
        shutil.copy(str(get_testdata_file(name)), at / "in" / name)
    anonymous = pydicom.dcmread(at / "in" / "MR_small.dcm")
    anonymous.PatientID = ""
    anonymous.save_as(at / "in" / "nobody.dcm")
    (at / "who.csv").write_text("patient_id\n1CT1\n")
    assert asked("opt-out", at / "who.csv", "--on", "2026-01-01").exit_code == 0
    words = ("--permit-date", "2026-01-01", "--opt-out", at / "home" / "opted_out.jsonl", "--project", "registry")
    found = asked("deidentify", at / "in", "--out", at / "out", *words)
    assert found.exit_code == 3, found.output
    assert "opted out" in found.output
    report = json.loads((at / "out.report.json").read_bytes())
    assert (report["files_written"], report["files_opted_out"], report["files_refused"]) == (1, 1, 2)
    (made,) = (at / "out").rglob("*.dcm")
    assert pydicom.dcmread(made).Modality == "MR"
    for name in ("MR_small.dcm", "SC_rgb_small_odd.dcm", "nobody.dcm"):
        (at / "in" / name).unlink()
    alone = asked("deidentify", at / "in", "--out", at / "none", *words)
    assert alone.exit_code == 1
    assert "1 of patients who opted out" in alone.output
    assert not (at / "none").exists()
    (at / "notes.csv").write_text("id,note\n1CT1,Anna Korhonen kävi.\n7,Matti Virtanen kävi.\n1CT1,Soitto.\n")
    found = asked(
        "scrub",
        at / "notes.csv",
        "--text",
        "note",
        "--patient",
        "id",
        "--language",
        "fi",
        "--out",
        at / "n.csv",
        *words,
    )
    assert found.exit_code == 0, found.output
    assert pl.read_csv(at / "n.csv").height == 1
    assert "opted out" in found.output


def test_hospitals_link_patients_by_a_shared_key_alone(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pseudonyms(name: str, *more: object) -> set[str]:
        out = at / f"{name}.csv"
        found = asked("deidentify", at / "stroke.csv", "--schema", SCHEMA, "--project", "registry", "--out", out, *more)
        assert found.exit_code == 0, found.output
        return set(pl.read_csv(out)["pseudonym"])

    first = pseudonyms("first")
    refused = asked("share-key", "registry", "--out", at / "key.json")
    assert refused.exit_code == 1
    assert not (at / "key.json").exists()
    (entry,) = [e for e in json.loads((at / "home" / REGISTER).read_bytes()) if e["project"] == "registry"]
    assert entry["fingerprint"] in refused.output
    assert asked("share-key", "registry", "--out", at / "key.json", "--confirm", entry["fingerprint"]).exit_code == 0
    monkeypatch.setenv("PHASEIV_HOME", str(at / "own"))
    assert not pseudonyms("own") & first
    monkeypatch.setenv("PHASEIV_HOME", str(at / "linked"))
    assert pseudonyms("linked", "--shared-key", at / "key.json") == first
    nameless = asked(
        "deidentify", at / "stroke.csv", "--schema", SCHEMA, "--out", at / "o.csv", "--shared-key", at / "key.json"
    )
    assert "add --project" in nameless.output
