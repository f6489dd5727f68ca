"""Notes in a table."""

import polars as pl
import pytest

from deidentification.text import Kind, Mode, scrub_column
from records.errors import ParameterError

KEY = bytes(range(32))
FRAME = pl.DataFrame(
    {
        "patient": [1, 2, 1],
        "name": ["Xylo Quandt", None, "Xylo Quandt"],
        "note": ["quandt coughs, Dr Patel informed", None, "Xylo is better since 12/03/2021"],
    }
)


def test_known_columns_are_found_in_their_rows_and_missing_notes_stay_missing() -> None:
    result = scrub_column(FRAME, "note", "patient", language="en", key=KEY, known_columns=["name"], mode=Mode.TAG)
    assert result.frame["note"].to_list() == [
        "[PERSON] coughs, Dr [PERSON] informed",
        None,
        "[PERSON] is better since [DATE]",
    ]
    assert result.counts == {Kind.DATE: 1, Kind.PERSON: 3}
    assert FRAME["note"][0].startswith("quandt")


def test_progress_tells_counts_only() -> None:
    told: list[str] = []
    many = pl.concat([FRAME] * 400).sort("note", nulls_last=True)  # the 1000th note is missing
    scrub_column(many, "note", "patient", language="en", key=KEY, known_columns=["name"], tell=told.append)
    assert told == ["1000 of 1200 notes scrubbed"]


def test_a_short_note_is_read_in_the_language_of_the_column() -> None:
    clear = "Potilas on ollut kotona ja hän kertoo, että vointi on hyvä."
    frame = pl.DataFrame(
        {"patient": [1, 2, 3], "note": [clear, "Virtaselle 3 mg.", "The patient was seen with his wife, Gwen."]}
    )
    result = scrub_column(frame, "note", "patient", key=KEY, mode=Mode.TAG).frame["note"].to_list()
    assert result == [clear, "[PERSON] 3 mg.", "The patient was seen with his wife, [PERSON]."]


def test_a_column_may_hold_the_languages() -> None:
    frame = pl.DataFrame({"patient": [1, 2], "note": ["12.3. Virtaselle", "12.3. Virtaselle"], "lang": ["fi", "en"]})
    result = scrub_column(frame, "note", "patient", language="lang", key=KEY, mode=Mode.TAG).frame["note"].to_list()
    assert result[0] == "[DATE]. [PERSON]"
    assert result[1] != result[0]


def test_a_column_of_something_else_is_refused_without_a_value() -> None:
    with pytest.raises(ParameterError, match="got 2 rows with something else") as refused:
        scrub_column(FRAME, "note", "patient", language="name", key=KEY)
    assert "Quandt" not in str(refused.value)


def test_a_missing_column_or_patient_is_refused_without_a_value() -> None:
    with pytest.raises(ParameterError, match="columns must be in the table"):
        scrub_column(FRAME, "letter", "patient", key=KEY)
    orphan = FRAME.with_columns(pl.lit(None, dtype=pl.Int64).alias("patient"))
    with pytest.raises(ParameterError, match="2 without") as refused:
        scrub_column(orphan, "note", "patient", key=KEY)
    assert "Xylo" not in str(refused.value)


def test_notes_in_other_languages_are_counted() -> None:
    german = (
        "Der Patient klagt seit gestern über starke Schmerzen im rechten Bein, keine Fieber, wird morgen entlassen."
    )
    frame = pl.DataFrame({"patient": ["1", "2", "3"], "note": [german, "He feels well today.", None]})
    assert scrub_column(frame, "note", "patient", key=b"k" * 32).foreign == 1
