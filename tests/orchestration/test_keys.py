"""``phaseiv keys``: rotation at the command line, with opt-outs, projects and tables made before."""

import json
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from deidentification.kept_keys import HospitalKeys
from deidentification.key_register import REGISTER
from deidentification.opt_out import choice_pseudonyms, read_register
from deidentification.opt_out_keys import carry_over
from orchestration.cli import app
from orchestration.cli_opt_out import opt_out

SCHEMA = Path(__file__).parents[2] / "use_cases" / "stroke" / "copenhagen.yaml"


def asked(*words: object, code: int = 0) -> Result:
    found = CliRunner().invoke(app, [str(word) for word in words])
    assert found.exit_code == code, found.output
    return found


def released(at: Path, name: str, *more: object) -> pl.DataFrame:
    asked("deidentify", at / "stroke.csv", "--schema", SCHEMA, "--out", at / name, *more)
    return pl.read_csv(at / name)


def fingerprints(at: Path, project: str) -> list[str]:
    return [e["fingerprint"] for e in json.loads((at / "home" / REGISTER).read_bytes()) if e["project"] == project]


def test_tables_opt_outs_and_removal_after_a_rotation(at: Path) -> None:
    register = ("--opt-out", at / "home" / "opted_out.jsonl", "--permit-date", "2026-06-01")
    ids = pl.read_csv(at / "stroke.csv", infer_schema=False)["patient_id"]
    pl.DataFrame({"patient_id": [*ids[:3], "somebody else"]}).write_csv(at / "who.csv")
    asked("opt-out", at / "who.csv", "--on", "2026-03-01")
    before = released(at, "before.csv", *register)
    assert "pseudonyms and date shifts are others" in asked("keys", "rotate", "hospital").output
    after = released(at, "after.csv", *register)
    assert not set(before["pseudonym"]) & set(after["pseudonym"])
    assert json.loads((at / "after.csv.report.json").read_bytes())["excluded"] == 3
    pl.DataFrame({"patient_id": ids}).write_csv(at / "source.csv")
    asked("keys", "rekey", at / "before.csv", "--patients", at / "source.csv", "--out", at / "moved.csv")
    assert set(pl.read_csv(at / "moved.csv")["pseudonym"]) == set(after["pseudonym"])
    old, new = fingerprints(at, "hospital")
    listed = asked("keys", "list").output
    assert old in listed
    assert "retired, kept" in listed
    assert "2 pseudonyms of nobody" in asked("keys", "remove", old, code=1).output
    assert (
        "choices of opt-outs are under the key in use"
        in asked("keys", "remove", old, "--patients", at / "who.csv").output
    )
    released(at, "later.csv", *register)
    assert json.loads((at / "later.csv.report.json").read_bytes())["excluded"] == 3
    gone = asked("keys", "rekey", at / "before.csv", "--patients", at / "source.csv", "--out", at / "m.csv", code=1)
    assert "was removed or lost" in gone.output
    assert new not in gone.output


def test_who_opts_out_while_a_key_is_removed_is_recorded_under_the_key_in_use(
    at: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = pl.read_csv(at / "stroke.csv", infer_schema=False)["patient_id"]
    pl.DataFrame({"patient_id": ids[:1]}).write_csv(at / "who.csv")
    asked("opt-out", at / "who.csv")
    asked("keys", "rotate", "hospital")
    old, _ = fingerprints(at, "hospital")
    keys = HospitalKeys.of(at / "home", None, today=date.today())
    late = get_context("spawn").Process(target=opt_out, kwargs={"patients": at / "who.csv"})

    def carried_while_another_opts_out(*given: Any, **more: Any) -> int:
        carried = carry_over(*given, **more)
        late.start()
        late.join(8)
        assert late.is_alive()  # it waits until the key is gone
        return carried

    monkeypatch.setattr("deidentification.opt_out_keys.carry_over", carried_while_another_opts_out)
    asked("keys", "remove", old)
    late.join()
    assert late.exitcode == 0
    recorded = set(read_register(at / "home" / "opted_out.jsonl")["pseudonym"])
    assert recorded == set(choice_pseudonyms(ids[:1], keys.current))


def test_a_lost_retired_key_locks_nothing_but_opt_outs(at: Path) -> None:
    asked("keys", "rotate", "hospital")
    asked("keys", "rotate", "hospital")
    lost, _, _ = fingerprints(at, "hospital")
    (at / "home" / "retired_keys" / f"{lost}.key").unlink()
    assert "not here" in asked("keys", "list").output
    released(at, "released.csv")
    pl.read_csv(at / "stroke.csv", infer_schema=False).select("patient_id").head(3).write_csv(at / "who.csv")
    assert "put it back" in asked("opt-out", at / "who.csv", code=1).output
    assert "marked as lost" in asked("keys", "remove", lost).output
    asked("opt-out", at / "who.csv")


def test_a_project_is_rotated_alone(at: Path) -> None:
    first = released(at, "first.csv", "--project", "registry")
    asked("keys", "rotate", "hospital")
    assert released(at, "same.csv", "--project", "registry").equals(first)
    asked("keys", "rotate", "registry")
    assert not set(released(at, "next.csv", "--project", "registry")["pseudonym"]) & set(first["pseudonym"])
    twice = pl.concat([first, first.head(2)])
    twice.write_csv(at / "first.csv")
    pl.read_csv(at / "stroke.csv", infer_schema=False).select("patient_id").write_csv(at / "source.csv")
    found = asked("keys", "rekey", at / "first.csv", "--patients", at / "source.csv", "--project", "registry",
                  "--out", at / "moved.csv", code=1)  # fmt: skip
    assert "2 repeated rows" in found.output
    assert not (at / "moved.csv").exists()
    (at / "home" / "pseudonym.key").unlink()
    assert "put pseudonym.key back" in asked("keys", "list", code=1).output


def rekeyed_to(at: Path, name: str, *more: object, code: int = 1) -> str:
    """What ``rekey`` says of the table ``first.csv`` under a former key."""
    words = ("--patients", at / "source.csv", "--out", at / name, *more)
    return asked("keys", "rekey", at / "first.csv", *words, code=code).output


def before_rotation(at: Path) -> None:
    released(at, "first.csv")
    pl.read_csv(at / "stroke.csv", infer_schema=False).select("patient_id").write_csv(at / "source.csv")
    asked("keys", "rotate", "hospital")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_table_is_moved_to_a_new_file_only(at: Path) -> None:
    before_rotation(at)
    (at / "other.csv.report.json").write_text("of an earlier release")
    before = contents(at)
    for taken in ("first.csv", "source.csv", "stroke.csv", "other.csv"):
        assert "must be" in rekeyed_to(at, taken)
    assert contents(at) == before
    rekeyed_to(at, "new/moved.csv", code=0)
    assert sorted(contents(at / "new")) == ["moved.csv", "moved.csv.report.json"]
    assert "must be new, got moved.csv" in rekeyed_to(at, "new/moved.csv")


def test_a_table_that_cannot_be_written_leaves_no_report(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before_rotation(at)
    before, replace = contents(at), Path.replace

    def full(path: Path, target: Path) -> Path:
        if target == at / "moved.csv":
            raise OSError(28, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)
    assert "No space left" in rekeyed_to(at, "moved.csv")
    assert contents(at) == before


def test_a_project_of_no_key_gets_none_by_a_slip_of_the_pen(at: Path) -> None:
    before_rotation(at)
    assert "must be a kept one of registri" in rekeyed_to(at, "moved.csv", "--project", "registri")
    assert fingerprints(at, "registri") == []


def test_a_rotation_refuses_options_that_do_not_belong_together(at: Path) -> None:
    released(at, "first.csv", "--project", "registry")
    (at / "old").write_bytes(bytes(32))
    before = (at / "home" / REGISTER).read_bytes()
    for words in (
        ("hospital", "--shared-key", at / "old"),
        ("hospital", "--old", at / "old", "--lost", "0" * 16),
        ("registry", "--old", at / "old"),
        ("registry", "--shared-key", at / "old", "--lost", "0" * 16),
    ):
        assert "what does not belong" in asked("keys", "rotate", *words, code=1).output
    for wrong in (*fingerprints(at, "registry"), "0" * 16):  # it is here; it is another
        assert "not be here" in asked("keys", "rotate", "registry", "--lost", wrong, code=1).output
    assert (at / "home" / REGISTER).read_bytes() == before
