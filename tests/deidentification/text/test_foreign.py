"""Notes in languages that are not covered are told."""

from pathlib import Path

import pytest

from deidentification.text.foreign import is_foreign
from deidentification.text.language import LANGUAGES
from deidentification.text.measuring import read_annotated

ANNOTATED = Path(__file__).parent / "annotated"


@pytest.mark.parametrize(
    "note",
    [
        "Der Patient klagt seit gestern über starke Schmerzen im rechten Bein, keine Fieber, wird morgen entlassen.",
        "Patienten söker akut på grund av smärta i bröstet sedan igår kväll, ingen feber, skrivs ut i morgon.",
        "De patiënt klaagt sinds gisteren over pijn op de borst, geen koorts, bloeddruk normaal, gaat morgen naar huis.",
        "Pacjent zgłasza od wczoraj ból w klatce piersiowej, bez gorączki, ciśnienie prawidłowe, jutro wypis do domu.",
    ],
)
def test_a_note_in_another_language_is_told(note: str) -> None:
    assert is_foreign(note)


@pytest.mark.parametrize("code", LANGUAGES)
def test_notes_in_ours_are_not(code: str) -> None:
    notes = [
        note for part in ("independent", "independent2") for note in read_annotated(ANNOTATED / part / f"{code}.txt")
    ]
    assert not [note for note in notes if is_foreign(note.text)]


def test_a_few_words_tell_nothing() -> None:
    assert not is_foreign("keine Schmerzen heute morgen")
