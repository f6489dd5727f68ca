"""Codebooks written by hand: what is wrong is named with the file, whatever it is."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from records.codebook_file import read_codebook_file
from records.errors import CodebookError
from records.schema import Schema
from use_cases.cohort import load_codebook


class Note(BaseModel):
    """An entry."""

    title: str


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"title: [", "expected"), (b"title: [1]", "string"), (b"name: x", "title"), (b"\xe4: 1", "utf-8"),
        (b"", "instead of named"), (b"- title", "list instead of named entries"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "note.yaml"
    path.write_bytes(content)
    with pytest.raises(CodebookError, match=words) as told:
        read_codebook_file(path, Note.model_validate, "note")
    assert str(told.value).startswith("note.yaml must be a valid note, got")
    with pytest.raises(CodebookError, match="valid codebook"):
        load_codebook(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match=r"the note must exist, got no file no\.yaml"):
        read_codebook_file(tmp_path / "no.yaml", Note.model_validate, "note")


def test_the_place_of_a_mistake_is_told_by_name_and_without_links(tmp_path: Path) -> None:
    path = tmp_path / "ward.yaml"
    path.write_text(
        "name: ward\ntitle: Ward\ncolumns:\n- {name: age, label: Age, role: covariat, kind: integer, minimum: 0, maximum: 120}\n"
        "- {name: sex, label: Sex, role: covariate, kind: category}\n- {label: x}\n"
    )
    with pytest.raises(CodebookError) as told:
        read_codebook_file(path, Schema.model_validate, "codebook")
    message = str(told.value)
    assert "columns.age.role: Input should be 'identifier', " in message
    assert "got 'covariat'; columns.sex: sex must list at least two levels, got 0; add them" in message
    assert "columns.2.name: Field required; " in message
    assert "http" not in message
    assert "input_value" not in message


def test_ones_own_codebook_may_tell_the_sampling_fraction(tmp_path: Path) -> None:
    path, sex = tmp_path / "ward.yaml", "{name: sex, label: Sex, role: covariate, kind: category, levels: {f: F, m: M}}"
    path.write_text(f"name: ward\ntitle: Ward\nsampling_fraction: 0.2\ncolumns:\n- {sex}\n")
    assert load_codebook(path).sampling_fraction == 0.2
    path.write_text(path.read_text().replace("0.2", "7"))
    with pytest.raises(CodebookError, match="sampling_fraction: Input should be less than or equal to 1, got 7"):
        load_codebook(path)
