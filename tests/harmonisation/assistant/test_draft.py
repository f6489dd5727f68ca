"""The draft: refused until a person confirmed each column, and without a value of the data."""

from pathlib import Path

import polars as pl
import pytest
import yaml

from harmonisation.assistant.candidates import listed
from harmonisation.assistant.draft import draft, load_confirmed, write_draft
from records.errors import CodebookError

FRAME = pl.DataFrame({
    "sysbp": [100.0 + i for i in range(100)], "name": [f"Virtanen {i}" for i in range(100)],
    "dm": ["0", "1"] * 50,
})  # fmt: skip


def write(folder: Path, **change: object) -> Path:
    path = folder / "draft.yaml"
    write_draft(path, draft(FRAME, "raw", listed()))
    document = yaml.safe_load(path.read_text())
    for entry in document["columns"].values():
        entry.update(change)
    if change.get("confirmed"):
        document["reviewer"] = "A. Person"
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_unit_that_somebody_knows_is_kept() -> None:
    entry = draft(FRAME, "raw", listed(), {"sysbp": "kPa"}).columns["sysbp"]
    assert (entry.concept, entry.unit) == ("LOINC:8480-6", "kPa")
    assert "unit differs" in entry.reasons


def test_what_only_its_values_speak_for_is_listed_and_not_proposed() -> None:
    frame = pl.DataFrame({"Aufnahmenummer": [10.0 + i / 3 for i in range(100)]})
    entry = draft(frame, "raw", listed(), {"Aufnahmenummer": "a"}).columns["Aufnahmenummer"]
    assert (entry.concept, entry.label, entry.score, entry.unit) == (None, None, None, "a")
    assert len(entry.others) == 3


def test_an_unconfirmed_draft_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match="3 open: "):
        load_confirmed(write(tmp_path))


def test_one_open_column_is_enough_to_refuse(tmp_path: Path) -> None:
    path = write(tmp_path, confirmed=True)
    document = yaml.safe_load(path.read_text())
    document["columns"]["dm"]["confirmed"] = False
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(CodebookError, match="1 open: dm"):
        load_confirmed(path)


def test_a_confirmed_draft_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, confirmed=True)
    document = yaml.safe_load(path.read_text())
    document["columns"]["name"]["concept"] = None
    path.write_text(yaml.safe_dump(document))
    concepts = {name: entry.concept for name, entry in load_confirmed(path).items()}
    assert concepts == {"sysbp": "LOINC:8480-6", "dm": "SNOMED:73211009"}


def test_confirmation_needs_a_reviewer(tmp_path: Path) -> None:
    path = write(tmp_path, confirmed=True)
    path.write_text(path.read_text().replace("reviewer: A. Person", "reviewer: null"))
    with pytest.raises(CodebookError, match="name its reviewer"):
        load_confirmed(path)


def test_no_value_of_the_data_is_in_a_draft(tmp_path: Path) -> None:
    text = write(tmp_path).read_text()
    assert "Virtanen" not in text
    assert not any(f"{value}" in text for value in FRAME["sysbp"])


@pytest.mark.parametrize("text", ["[", "columns: 3", "table: x\ncolumns: {a: {concept: null, surprise: 1}}", "\xff"])
def test_what_is_no_draft_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CodebookError):
        load_confirmed(path)
