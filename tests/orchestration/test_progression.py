"""Simulated patients through the command line: files, debit, conditions, refusals."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from hub.budget import BudgetLedger
from orchestration.cli import app
from orchestration.settings import Settings
from records.accounting import epsilon_to_rho
from records.files import sha256
from records.longitudinal import Records
from records.longitudinal_validation import validate_records
from use_cases.longitudinal_cohort import longitudinal_cohort


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHASEIV_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return tmp_path


def called(home: Path, *more: str, cohort: str = "csl") -> tuple[int, str]:
    command = ["progression", "--cohort", cohort, "--out", str(home / "out"), *more]
    result = CliRunner().invoke(app, command)
    return result.exit_code, result.output


def spent(cohort: str = "csl") -> float:
    return BudgetLedger(Settings().workspace().ledger_url).spent(cohort)


@pytest.mark.slow
def test_files_hold_what_the_manifest_says_and_a_question_is_paid_once(home: Path) -> None:
    code, output = called(home, "--epsilon", "5", "--patients", "40")
    assert code == 0, output
    out = home / "out"
    manifest = json.loads((out / "manifest.json").read_text())
    for name, table in manifest["tables"].items():
        data = (out / f"{name}.parquet").read_bytes()
        assert sha256(data) == table["sha256"]
        assert pl.read_parquet(data).height == table["rows"]
    made = Records(*(pl.read_parquet(out / f"{name}.parquet") for name in ("patients", "visits")))
    validate_records(made, longitudinal_cohort("csl").records, source="made")
    assert manifest["synthetic"] is True
    assert manifest["tables"]["patients"]["rows"] == 40
    assert (out / "progression.png").read_bytes()[:4] == b"\x89PNG"
    assert spent() == pytest.approx(epsilon_to_rho(5, 1e-5))
    before = (out / "visits.parquet").read_bytes()
    assert called(home, "--epsilon", "5", "--patients", "40")[0] == 0
    assert spent() == pytest.approx(epsilon_to_rho(5, 1e-5))
    assert (out / "visits.parquet").read_bytes() == before
    code, output = called(home, "--epsilon", "9", "--patients", "40")
    assert code == 1
    assert "budget" in output
    assert (out / "visits.parquet").read_bytes() == before


@pytest.mark.slow
def test_given_holds_and_no_epsilon_costs_nothing(home: Path) -> None:
    given = ("--given", "sex=f", "--given", "treatment=prednisone", "--given", "prothrombin_index=50")
    code, output = called(home, "--epsilon", "0", "--patients", "25", *given)
    assert code == 0, output
    assert "no privacy guarantee" in output
    patients = pl.read_parquet(home / "out" / "patients.parquet")
    assert (patients["sex"] == "f").all()
    assert (patients["treatment"] == "prednisone").all()
    first = pl.read_parquet(home / "out" / "visits.parquet").filter(pl.col("day") == 0)
    assert (first["prothrombin_index"] == 50).all()
    assert spent() == 0


@pytest.mark.parametrize(
    ("more", "cohort", "words"),
    [
        (("--epsilon", "-1"), "csl", "epsilon must lie between"),
        (("--given", "height=1"), "csl", "given must hold columns of csl"),
        (("--given", "age=old"), "csl", "given must hold numbers"),
        (("--patients", "0"), "csl", "patients must be positive"),
        (("--epsilon", "50"), "csl", "budget"),
        ((), "nafld", "the cohort must be one of csl, pbcseq"),
    ],
)
def test_bad_requests_write_nothing_and_cost_nothing(
    home: Path, more: tuple[str, ...], cohort: str, words: str
) -> None:
    code, output = called(home, *more, cohort=cohort)
    assert code == 1
    assert words in " ".join(output.split())
    assert not (home / "out").exists()
    assert spent() == 0
