"""``phaseiv omop`` and ``phaseiv propose`` on real cohorts."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from harmonisation.assistant.draft import load_confirmed
from harmonisation.omop.bulk import insert
from harmonisation.omop.database import create_tables, writing
from orchestration.cli import app
from records.errors import CodebookError
from use_cases.cohort import load_codebook
from use_cases.omop import omop_mapping
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


def test_the_mapping_is_shown_for_review_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    found = asked("omop", "stroke", "--check")
    assert found.exit_code == 0, found.output
    mapping = omop_mapping(discover()["stroke"].cohorts[0])
    assert mapping is not None
    review = mapping.review()
    assert f"{review.height} concepts, " in found.output
    assert all(str(row["concept_id"]) in found.output for row in review.iter_rows(named=True) if row["concept_id"])
    neither = asked("omop", "stroke")
    assert neither.exit_code == 1
    assert "add --to" in neither.output


def vocabularies(path: Path, *, code: str | None = None) -> str:
    """An OMOP database whose vocabularies hold the stroke mapping's concepts as they are, or the first under ``code``."""
    mapping = omop_mapping(discover()["stroke"].cohorts[0])
    assert mapping is not None
    known = {c.id: c for _, c in mapping.concepts() if c.id}
    lines = [
        {
            "concept_id": i, "concept_name": f"Name of {i}", "domain_id": "x", "vocabulary_id": c.vocabulary or "x",
            "concept_class_id": "x", "standard_concept": "S", "concept_code": c.code or "x",
            "valid_start_date": date(1970, 1, 1), "valid_end_date": date(2099, 12, 31), "invalid_reason": None,
        }
        for i, c in known.items()
    ]  # fmt: skip
    if code:
        lines[0]["concept_code"] = code
    url = f"sqlite:///{path}"
    with writing(url) as connection:
        create_tables(connection)
        insert(connection, "concept", pl.DataFrame(lines))
    return url


def test_the_mapping_is_checked_against_the_vocabularies_of_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    good = asked("omop", "stroke", "--check", "--to", vocabularies(tmp_path / "good.db"))
    assert good.exit_code == 0, good.output
    assert ", 0 disagree" in good.output
    assert "Name of " in good.output
    bad = asked("omop", "stroke", "--check", "--to", vocabularies(tmp_path / "bad.db", code="73211009"))
    assert bad.exit_code == 1
    assert "disagree" in bad.output
    assert "73211009 by its id" in bad.output
    url = f"sqlite:///{tmp_path / 'none.db'}"
    assert asked("omop", "stroke", "--to", url).exit_code == 0
    none = asked("omop", "stroke", "--check", "--to", url)
    assert none.exit_code == 1
    assert "vocabularies" in none.output


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
