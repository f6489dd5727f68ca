"""``phaseiv omop`` and ``phaseiv propose`` on real cohorts."""

from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from harmonisation.assistant.draft import load_confirmed
from orchestration.cli import app
from records.errors import CodebookError
from use_cases.cohort import load_codebook
from use_cases.registry import discover


def asked(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_two_diseases_in_one_database_answer_one_question(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'omop.db'}"
    assert asked("omop", "stroke", "--to", url).exit_code == 0
    refused = asked("omop", "prostate", "--to", url)
    assert refused.exit_code == 1
    assert "--append" in refused.output or "append" in refused.output
    added = asked("omop", "prostate", "--to", url, "--append")
    assert added.exit_code == 0, added.output
    with sa.create_engine(url).connect() as connection:
        people, dead = (
            connection.scalar(sa.text(f"SELECT COUNT(DISTINCT person_id) FROM {t}")) for t in ("person", "death")
        )
    tables = [discover()[name].cohorts[0].load() for name in ("stroke", "prostate")]
    assert people == sum(table.height for table in tables)
    assert dead == sum(int((table["event"].cast(pl.String) != "0").sum()) for table in tables)


def test_a_draft_waits_for_a_person(tmp_path: Path) -> None:
    frame = pl.DataFrame({"krea": [60.0 + i for i in range(40)], "age_at_stroke": [50 + i for i in range(40)]})
    frame.write_csv(tmp_path / "extract.csv")
    found = asked("propose", tmp_path / "extract.csv", "--unit", "krea=umol/L", "--out", tmp_path / "draft.yaml")
    assert found.exit_code == 0, found.output
    assert "Creatinine" in found.output
    assert "2 columns to confirm" in found.output
    with pytest.raises(CodebookError, match="confirmed"):
        load_confirmed(tmp_path / "draft.yaml")
    before = (tmp_path / "draft.yaml").read_bytes()
    again = asked("propose", tmp_path / "extract.csv", "--out", tmp_path / "draft.yaml")
    assert (again.exit_code, (tmp_path / "draft.yaml").read_bytes()) == (1, before), "a person may have edited it"
    waiting = asked("propose", tmp_path / "draft.yaml", "--out", tmp_path / "my.yaml")
    assert waiting.exit_code == 1
    assert not (tmp_path / "my.yaml").exists()
    text = before.decode().replace("confirmed: false", "confirmed: true").replace("reviewer: null", "reviewer: A. P.")
    (tmp_path / "draft.yaml").write_text(text)
    done = asked("propose", tmp_path / "draft.yaml", "--out", tmp_path / "my.yaml")
    assert done.exit_code == 0, done.output
    table = load_codebook(tmp_path / "my.yaml").table
    assert {column.source: column.codes for column in table.columns}["krea"] == {"LOINC": "14682-9"}


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    assert "must be one of" in asked("omop", "measles", "--to", f"sqlite:///{tmp_path}/x.db").output
    assert asked("propose", tmp_path / "no.csv", "--out", tmp_path / "d.yaml").exit_code == 1
