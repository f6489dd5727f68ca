"""A column of notes scrubbed.

Belongs here: notes in a table. Does not belong here: one note (``scrubbing``).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from deidentification.text.detection import detect, majority
from deidentification.text.foreign import is_foreign
from deidentification.text.language import AUTO, LANGUAGES
from deidentification.text.scrubbing import Mode, scrub
from deidentification.text.spans import Kind
from records.errors import ParameterError

_EVERY = 1000


@dataclass(frozen=True)
class ScrubbedColumn:
    """The table with the column scrubbed, how many identifiers of each kind were found, and how many notes seem to be in
    none of the languages. No value of a patient."""

    frame: pl.DataFrame
    counts: dict[Kind, int]
    foreign: int


def _silent(_: str) -> None:
    pass


def scrub_column(
    frame: pl.DataFrame,
    text: str,
    patient: str,
    *,
    language: str = AUTO,
    key: bytes,
    known_columns: Sequence[str] = (),
    mode: Mode = Mode.SURROGATE,
    tell: Callable[[str], None] = _silent,
) -> ScrubbedColumn:
    """Scrub each note of a column; missing notes stay missing, the frame given is not changed.

    Parameters
    ----------
    frame : polars.DataFrame
    text, patient : str
        Columns with the notes (String) and the patients' identifiers.
    language : str
        A language's code, ``auto``, or the name of a column that holds codes. A note that does not tell its own
        language clearly is read in that of most notes.
    key : bytes
        At least 16 bytes.
    known_columns : sequence of str
        Columns whose values identify the row's patient: names, numbers, addresses.
    mode : Mode
    tell : callable
        Is told after every 1,000 rows how many are done; never a value.

    Raises
    ------
    ParameterError
        A column is missing, a note's patient is missing, or as ``scrub``.
    """
    _refuse(frame, text, patient, known_columns)
    codes = _languages(frame, text, language)
    own = (
        frame.select(pl.col(c).cast(pl.String) for c in known_columns).rows() if known_columns else [()] * frame.height
    )
    counts, foreign = Counter[Kind](), 0
    notes: list[str | None] = []
    rows = zip(frame[text], frame[patient].cast(pl.String), codes, own, strict=True)
    for done, (note, who, code, known) in enumerate(rows, 1):
        notes.append(None)
        if note is not None:
            values = [value for value in known if value]
            scrubbed = scrub(note, language=code, patient=who, key=key, known=values, mode=mode)
            counts.update(span.kind for span in scrubbed.spans)
            foreign += is_foreign(note)
            notes[-1] = scrubbed.text
        if done % _EVERY == 0:
            tell(f"{done} of {frame.height} notes scrubbed")
    scrubbed_frame = frame.with_columns(pl.Series(text, notes, dtype=pl.String))
    return ScrubbedColumn(scrubbed_frame, dict(sorted(counts.items())), foreign)


def _languages(frame: pl.DataFrame, text: str, language: str) -> list[str]:
    """Each note's language; missing notes have any."""
    codes = _column_of_codes(frame, language) if language in frame.columns else [language] * frame.height
    asked = [note for note, code in zip(frame[text], codes, strict=True) if note and code in (None, AUTO)]
    usual = majority(asked)
    return [
        detect(note or "", usual) if code in (None, AUTO) else code
        for note, code in zip(frame[text], codes, strict=True)
    ]


def _column_of_codes(frame: pl.DataFrame, name: str) -> list[str | None]:
    """Codes of a column, which may be the wrong one: what else it holds is counted, never told."""
    codes = frame[name].cast(pl.String)
    if others := int((~codes.is_in([*LANGUAGES, AUTO])).sum()):
        raise ParameterError(
            f"{name} must hold {', '.join(LANGUAGES)} or {AUTO} in each row, got {others} rows with something else; "
            "name the column of languages"
        )
    return codes.to_list()


def _refuse(frame: pl.DataFrame, text: str, patient: str, known: Sequence[str]) -> None:
    missing = [name for name in (text, patient, *known) if name not in frame.columns]
    if missing:
        raise ParameterError(
            f"columns must be in the table, got {len(missing)} that are not; the table has {', '.join(frame.columns)}"
        )
    if frame[text].dtype != pl.String:
        raise ParameterError(f"{text} must be text, got {frame[text].dtype}; choose the column that holds the notes")
    if (without := frame.filter(pl.col(text).is_not_null() & pl.col(patient).is_null()).height) > 0:
        raise ParameterError(
            f"{patient} must be known for each note, got {without} without; give these notes a patient"
        )
