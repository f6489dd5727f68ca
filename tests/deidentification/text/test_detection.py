"""Which language a note is in."""

from pathlib import Path

import pytest

from deidentification.text.detection import detect, majority
from deidentification.text.language import LANGUAGES
from deidentification.text.measuring import read_annotated

ANNOTATED = Path(__file__).parent / "annotated"
SHORT = [
    ("Vaimo Liisa soitti 12.5.2020.", "fi"), ("Potilas kotona.", "fi"), ("Tytär mukana.", "fi"), ("Hoitaja ilmoitti.", "fi"),
    ("Wife rang.", "en"), ("Seen with Harold.", "en"), ("Moglie presente.", "it"), ("Figlia Rosa al telefono.", "it"),
    ("Llamó la hija, Rosa.", "es"), ("Marido y hermana presentes.", "es"), ("A filha Rosa telefonou.", "pt"), ("Irmã ao lado.", "pt"),
]  # fmt: skip


@pytest.mark.parametrize(("note", "code"), SHORT)
def test_a_short_note_tells_its_language(note: str, code: str) -> None:
    assert detect(note) == code


@pytest.mark.parametrize("code", LANGUAGES)
def test_single_sentences_are_read_in_their_language(code: str) -> None:
    parts = ("development", "held_out", "fresh")
    sentences = [s.text for part in parts for s in read_annotated(ANNOTATED / part / f"{code}.txt")]
    right = sum(detect(text) == code for text in sentences)
    assert right / len(sentences) >= 0.94
    assert majority(sentences) == code


def test_a_note_that_says_little_follows_the_others() -> None:
    assert detect("PSA 4,1.") == "en"
    assert detect("PSA 4,1.", "fi") == "fi"
    assert detect("The patient was seen with his wife.", "fi") == "en"


def test_one_clear_note_outweighs_unclear_ones() -> None:
    assert majority(["CT 3.", "PSA 4.", "MRI 5.", "Potilas on ollut kotona ja hän voi hyvin."]) == "fi"
    assert majority([]) == "en"
