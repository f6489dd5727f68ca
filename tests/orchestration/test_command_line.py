"""The command line: every command explains itself with an example, and refuses what it would ignore."""

import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.definitions import build_definitions
from orchestration.settings import Settings
from records.errors import ParameterError

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHASEIV_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    return tmp_path


def called(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str) -> None:
    code, output = called(command, "--help")
    assert code == 0
    assert "Example" in output


def test_placeholders_survive_the_help() -> None:
    assert "COHORT=PLACE" in called("run", "--help")[1]
    assert "COLUMN=VALUE" in called("synthesize", "--help")[1]


@pytest.mark.parametrize(("words", "code", "told"), [
    (("run", "liver"), 2, "the use case must be one of lung, prostate, stroke, all, got liver"),
    (("run", "all", "--cohort", "my.csv"), 2, "the use case must be named beside --cohort"),
    (("run", "stroke", "--epsilon", "-1"), 2, "greater than or equal to 0"),
    (("run", "stroke", "--cohort", "nowhere=my.csv"), 1, "the cohort of stroke must be one of copenhagen"),
    (("report", "lung"), 1, "the report must have been made, got none for lung"),
    (("status",), 0, ""),
])  # fmt: skip
def test_exit_codes(words: tuple[str, ...], code: int, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASEIV_COHORTS__STROKE", "")  # restored afterwards, since run --cohort sets it
    found, output = called(*words)
    assert found == code, output
    assert told in output


def test_init_prints_what_dagster_needs(home: Path) -> None:
    code, output = called("init")
    assert code == 0
    assert f"export DAGSTER_HOME={home}/dagster" in output.splitlines()
    assert (home / "dagster" / "dagster.yaml").exists()


def test_a_home_that_cannot_be_written_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("DAGSTER_HOME", str(home / "file" / "dagster"))
    code, output = called("status")
    assert code == 1
    assert "dagster.yaml must be written whole" in output


def test_a_cohort_for_no_use_case_is_refused(home: Path) -> None:
    with pytest.raises(ParameterError, match="PHASEIV_COHORTS must name use cases of lung, prostate, stroke"):
        build_definitions(Settings(home=home, cohorts={"lungs": "my.csv"}))


def test_a_hub_is_filled_without_settings_of_dagster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASEIV_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "")  # so that what the command sets is taken back, too
    monkeypatch.delenv("DAGSTER_HOME")
    monkeypatch.setattr("orchestration.hub_demo.fill", lambda settings, tell: os.environ["DAGSTER_HOME"])
    assert called("hub", "demo") == (0, f"{tmp_path / 'dagster'}\n")
    assert (tmp_path / "dagster" / "dagster.yaml").exists()


@pytest.mark.parametrize(("words", "told"), [("Release refused: copies", True), ("a full disk", False)])
def test_what_to_do_after_a_refusal_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, told: bool
) -> None:
    monkeypatch.setenv("PHASEIV_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setattr("orchestration.cli.execute", lambda *_: f"stroke__release failed: {words}")
    monkeypatch.setattr("orchestration.cli.status", lambda: None)
    code, output = called("run", "stroke", "--epsilon", "2")
    assert code == 1
    assert words in output
    assert ("--epsilon 2.2, is another question" in output) == told
