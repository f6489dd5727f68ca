"""Codebooks written by hand: what is wrong is named with the file, whatever it is."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from records.codebook_file import read_codebook_file
from records.errors import CodebookError
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
    with pytest.raises(CodebookError, match="valid note"):
        read_codebook_file(tmp_path / "no.yaml", Note.model_validate, "note")
