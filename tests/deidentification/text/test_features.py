"""Pieces cover a text and nothing twice; features depend on the word, not on the run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidentification.text.features import BUCKETS, bucket, of_verdict, of_word, pieces, shape, verdicts
from deidentification.text.language import LANGUAGES
from deidentification.text.spans import Kind, Span


@given(st.text(max_size=60))
def test_pieces_are_the_text_without_its_spaces(text: str) -> None:
    found = list(pieces(text))
    assert all(text[piece.start : piece.end] == piece.text for piece in found)
    assert "".join(piece.text for piece in found) == "".join(text.split())


@given(st.text(max_size=60), st.sampled_from(LANGUAGES))
def test_every_piece_has_features_in_the_table(text: str, code: str) -> None:
    for piece in pieces(text):
        assert all(0 <= row < BUCKETS for _, row in of_word(piece.text, code))


def test_a_feature_has_the_same_row_in_every_process() -> None:
    assert bucket("1 ^ps") == 5087


@pytest.mark.parametrize(
    ("text", "expected"), [("12", "9"), ("Matti", "Xx"), ("MATTI", "X"), ("matti", "x"), ("McCoy", "xX"), ("M", "I"), (",", ",")]
)  # fmt: skip
def test_shapes(text: str, expected: str) -> None:
    assert shape(text) == expected


def test_a_sentence_begins_after_a_full_stop_and_a_space() -> None:
    assert [piece.text for piece in pieces("Seen today. Well: 1.5\nHome") if piece.first] == [
        "Seen",
        "Well",
        "1",
        "Home",
    ]


def test_a_verdict_is_of_each_piece_that_a_span_touches() -> None:
    found = list(pieces("Dr Ann Lee, 12.3."))
    spans = [Span(3, 10, Kind.PERSON), Span(7, 10, Kind.LOCATION), Span(12, 16, Kind.DATE)]
    said = ["", "PERSON begins", "LOCATION begins+PERSON", "", "DATE begins", "DATE", "DATE", ""]
    assert verdicts(found, spans) == said
    rows = {row for verdict in said for _, row in of_verdict(verdict)}
    assert len(rows) > len(set(said))
    assert max(rows) < BUCKETS
