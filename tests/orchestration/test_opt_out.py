"""Whoever opted out is in no run from that day on, whether at the hospital or at the hub."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from hub.duties.opting_out import pseudonym
from orchestration.cli import app
from orchestration.settings import Settings
from use_cases.registry import discover

SCHEMA = Path(__file__).parents[2] / "use_cases" / "stroke" / "copenhagen.yaml"


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHASEIV_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PHASEIV_HUB_DEMO", "true")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    ids = (pl.col("patient_id").cast(pl.Int64) + 10_000_000).cast(pl.String)
    discover()["stroke"].cohorts[0].load().with_columns(ids).write_csv(tmp_path / "stroke.csv")
    return tmp_path


def asked(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def excluded(at: Path, permit: str, *more: str) -> int:
    out = at / f"{'-'.join(['out', *more])}.csv"
    found = asked(
        "deidentify", at / "stroke.csv", "--out", out, "--schema", SCHEMA, "--opt-out", at / "home" / "opted_out.jsonl",
        "--permit-date", permit, *more,
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    return json.loads(out.with_name(f"{out.name}.report.json").read_bytes())["excluded"]


def test_choices_count_from_their_day_and_can_be_withdrawn(at: Path) -> None:
    pl.read_csv(at / "stroke.csv").select("patient_id").head(3).write_csv(at / "who.csv")
    assert "3 patients opted out" in asked("opt-out", at / "who.csv", "--on", "2026-03-01").output
    assert excluded(at, "2026-02-28") == 0
    assert excluded(at, "2026-03-02") == 3
    assert excluded(at, "2026-03-02", "--project", "registry") == 3
    assert asked("opt-out", at / "who.csv", "--back-in", "--on", "2026-04-01").exit_code == 0
    assert excluded(at, "2026-05-01") == 0
    stored = (at / "home" / "opted_out.jsonl").read_text()
    assert not [who for who in pl.read_csv(at / "who.csv")["patient_id"] if str(who) in stored]


def test_an_objection_is_found_however_the_identifier_is_written(at: Path) -> None:
    written = pl.read_csv(at / "stroke.csv", infer_schema=False)
    written.with_columns(pl.concat_str(pl.lit("00"), "patient_id").alias("patient_id")).write_csv(at / "stroke.csv")
    first = written["patient_id"].head(3).to_list()
    pl.DataFrame({"patient_id": [first[0], f" 00{first[1]}", f"0{first[2]}.0"]}).write_csv(at / "who.csv")
    assert "3 patients opted out" in asked("opt-out", at / "who.csv", "--on", "2026-03-01").output
    assert excluded(at, "2026-03-02") == 3
    assert asked("opt-out", at / "who.csv", "--back-in", "--on", "2026-04-01").exit_code == 0
    assert excluded(at, "2026-05-01") == 0


def test_identifiers_of_nobody_are_counted_and_never_shown(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASEIV_COHORTS", json.dumps({"stroke": str(at / "stroke.csv")}))
    known = pl.read_csv(at / "stroke.csv", infer_schema=False)["patient_id"][0]
    pl.DataFrame({"patient_id": [f"0{known}", "777-secret", "778-secret"]}).write_csv(at / "who.csv")
    found = asked("opt-out", at / "who.csv")
    assert found.exit_code == 0
    assert "3 patients opted out" in found.output
    assert "2 of 3 identifiers are of nobody in this home's cohorts" in found.output
    assert "secret" not in found.output
    pl.DataFrame({"patient_id": [known]}).write_csv(at / "who.csv")
    assert "Warning" not in asked("opt-out", at / "who.csv").output
    (at / "stroke.csv").unlink()
    gone = asked("opt-out", at / "who.csv")
    assert gone.exit_code == 0
    assert "the cohort of stroke could not be read" in gone.output


def test_the_hubs_list_is_matched_by_its_key(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    who = pl.read_csv(at / "stroke.csv", infer_schema=False)["patient_id"].head(2)
    hub = Settings().open_hub()
    listed = {"count": 2, "pseudonyms": [pseudonym(hub, one) for one in who]}
    (at / "list.json").write_text(json.dumps(listed))
    assert "2 opted out" in asked("opt-out", "--take-over", at / "list.json", "--on", "2026-03-01").output
    refused = asked("deidentify", at / "stroke.csv", "--out", at / "out.csv", "--schema", SCHEMA, "--opt-out",
                    at / "home" / "opted_out.jsonl", "--permit-date", "2026-03-02")  # fmt: skip
    assert refused.exit_code == 1
    assert "hub's key for opt-outs" in refused.output
    monkeypatch.setenv("PHASEIV_OPT_OUT_KEY", asked("hub", "opt-out-key").output.strip())
    assert excluded(at, "2026-03-02") == 2


def test_a_register_comes_with_the_permits_date(at: Path) -> None:
    found = asked(
        "deidentify", at / "stroke.csv", "--out", at / "o.csv", "--schema", SCHEMA, "--opt-out", at / "r.jsonl"
    )
    assert found.exit_code == 1
    assert "add --permit-date" in found.output
    found = asked(
        "deidentify", at / "stroke.csv", "--out", at / "o.csv", "--schema", SCHEMA, "--permit-date", "2026-03-01"
    )
    assert found.exit_code == 1
    assert "add --opt-out" in found.output


def test_one_of_the_two_must_be_named(at: Path) -> None:
    assert "name one" in asked("opt-out").output
    (at / "no.csv").write_text("who\n1\n")
    assert "column patient_id" in asked("opt-out", at / "no.csv").output


@pytest.mark.parametrize(("out", "back"), [("00{}", "{}"), ("{}", "00{}"), ("00{}", "0{}.0")])
def test_whoever_comes_back_in_does_so_however_the_number_was_written(at: Path, out: str, back: str) -> None:
    written = pl.read_csv(at / "stroke.csv", infer_schema=False)
    written.with_columns(pl.concat_str(pl.lit("00"), "patient_id").alias("patient_id")).write_csv(at / "stroke.csv")
    first = written["patient_id"].head(2).to_list()
    pl.DataFrame({"patient_id": [out.format(who) for who in first]}).write_csv(at / "who.csv")
    asked("opt-out", at / "who.csv", "--on", "2026-03-01")
    assert excluded(at, "2026-03-02") == 2
    pl.DataFrame({"patient_id": [back.format(first[0]), "9999999999"]}).write_csv(at / "back.csv")
    told = asked("opt-out", at / "back.csv", "--back-in", "--on", "2026-04-01").output
    assert "1 of them had not opted out" in told
    assert excluded(at, "2026-05-01") == 1


def test_numbers_are_recorded_without_spaces_and_none_is_empty(at: Path) -> None:
    (at / "who.csv").write_text('patient_id\n10000001\n"  "\n')
    told = asked("opt-out", at / "who.csv")
    assert told.exit_code == 1
    assert "got 1 without, the first in line 3" in " ".join(told.output.split())
    assert not (at / "home" / "opted_out.jsonl").exists()


def test_objections_under_the_key_of_another_home_are_not_passed_over(
    at: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pl.read_csv(at / "stroke.csv").select("patient_id").head(3).write_csv(at / "who.csv")
    asked("opt-out", at / "who.csv", "--on", "2026-03-01")
    register = ("--opt-out", at / "home" / "opted_out.jsonl", "--permit-date")
    monkeypatch.setenv("PHASEIV_HOME", str(at / "elsewhere"))
    words = ("deidentify", at / "stroke.csv", "--out", at / "out.csv", "--schema", SCHEMA, *register)
    told = asked(*words, "2026-03-02")
    assert told.exit_code == 1
    assert "must be under the hospital's keys of this home" in " ".join(told.output.split())
    assert not (at / "out.csv").exists()
    assert asked(*words, "2026-02-28").exit_code == 0  # before anybody objected


@pytest.mark.parametrize("lost", [["pseudonym.key"], ["pseudonym.key", "pseudonym_keys.json"]])
def test_a_home_that_lost_its_key_gets_no_new_one_in_silence(at: Path, lost: list[str]) -> None:
    pl.read_csv(at / "stroke.csv").select("patient_id").head(3).write_csv(at / "who.csv")
    asked("opt-out", at / "who.csv", "--on", "2026-03-01")
    for name in lost:
        (at / "home" / name).unlink()
    told = asked("deidentify", at / "stroke.csv", "--out", at / "out.csv", "--schema", SCHEMA)
    assert told.exit_code == 1
    assert "put " in told.output
    assert not (at / "home" / "pseudonym.key").exists()


def test_an_older_register_of_another_home_is_warned_of(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pl.read_csv(at / "stroke.csv").select("patient_id").head(3).write_csv(at / "who.csv")
    asked("opt-out", at / "who.csv", "--on", "2026-03-01")
    register = at / "home" / "opted_out.jsonl"
    lines = [{k: v for k, v in json.loads(line).items() if k != "key"} for line in register.read_text().splitlines()]
    register.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    words = ("deidentify", at / "stroke.csv", "--schema", SCHEMA, "--opt-out", register, "--permit-date")
    assert "tell no key" not in asked(*words, "2026-03-02", "--out", at / "here.csv").output
    monkeypatch.setenv("PHASEIV_HOME", str(at / "elsewhere"))
    assert "none of the 3 objections that tell no key" in asked(*words, "2026-03-02", "--out", at / "there.csv").output
    assert "tell no key" not in asked(*words, "2026-02-28", "--out", at / "before.csv").output


def test_whoever_comes_back_in_does_so_in_capitals_too(at: Path) -> None:
    written = pl.read_csv(at / "stroke.csv", infer_schema=False)
    written.with_columns(pl.concat_str(pl.lit("Hus-"), "patient_id").alias("patient_id")).write_csv(at / "stroke.csv")
    first = written["patient_id"][0]
    for name, prefix in (("who", "Hus"), ("back", "HUS")):
        pl.DataFrame({"patient_id": [f"{prefix}-{first}"]}).write_csv(at / f"{name}.csv")
    asked("opt-out", at / "who.csv", "--on", "2026-03-01")
    assert excluded(at, "2026-03-02") == 1
    asked("opt-out", at / "back.csv", "--back-in", "--on", "2026-04-01")
    assert excluded(at, "2026-05-01") == 0
