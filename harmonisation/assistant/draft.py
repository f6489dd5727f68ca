"""The draft of a mapping that a person confirms, line by line.

Belongs here: writing proposals as YAML and reading them back once all are confirmed. Does not belong here: making
proposals (``ranking``). A draft holds concepts, scores and reasons, never a value of the data.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

import polars as pl
import yaml
from pydantic import model_validator

from harmonisation.assistant.candidates import Candidate
from harmonisation.assistant.headers import parted
from harmonisation.assistant.ranking import Proposal, propose
from records.codebook_file import read_codebook_file
from records.errors import CodebookError
from records.files import write_atomically
from records.schema import Frozen

HEAD = """# A machine's proposals for the columns of a table. Nothing of it is used until a person has looked at it:
# for each column leave the right concept with its label and unit (or none: ~) and set confirmed: true.
"""


class Entry(Frozen):
    """One column: the concept that is proposed first, others, and whether a person agreed."""

    concept: str | None
    label: str | None = None
    unit: str | None = None
    score: float | None = None
    reasons: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    confirmed: bool = False


class Draft(Frozen):
    """A table's columns with what they are taken for."""

    table: str
    reviewer: str | None = None
    columns: dict[str, Entry]

    @model_validator(mode="after")
    def _reviewed(self) -> Self:
        if not self.reviewer and any(entry.confirmed for entry in self.columns.values()):
            raise ValueError("a draft with confirmed columns must name its reviewer; add reviewer")
        return self

    @property
    def open(self) -> list[str]:
        """Columns that nobody has confirmed."""
        return [name for name, entry in self.columns.items() if not entry.confirmed]


def draft(frame: pl.DataFrame, table: str, known: Iterable[Candidate], units: dict[str, str] | None = None) -> Draft:
    """Proposals for every column of a raw table; ``units`` maps a column to its UCUM unit where it is known, else its header may
    tell it."""
    listed, told = list(known), units or {}
    return Draft(table=table, columns={name: _column(frame[name], listed, told.get(name)) for name in frame.columns})


def write_draft(path: Path, made: Draft) -> None:
    """Write the draft as YAML.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    text = yaml.safe_dump(made.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120)
    write_atomically(path, (HEAD + text).encode())


def load_confirmed(path: Path) -> dict[str, Entry]:
    """Column to what it is, from a draft whose columns are all confirmed; columns without a concept are left out.

    Raises
    ------
    CodebookError
        It is no draft, or a column waits for a person.
    """
    read = read_codebook_file(path, Draft.model_validate, "draft of a mapping")
    if read.open:
        raise CodebookError(
            f"{path.name} must be confirmed in every column, got {len(read.open)} open: {', '.join(read.open)}; "
            "look at each and set confirmed: true"
        )
    return {name: entry for name, entry in read.columns.items() if entry.concept is not None}


def _column(values: pl.Series, known: list[Candidate], told: str | None) -> Entry:
    name, written = parted(values.name)
    unit = told or written
    return _entry(propose(name, values, known, unit=unit), unit)


def _entry(proposals: list[Proposal], unit: str | None) -> Entry:
    first = next((one for one in proposals if one.likely), None)
    others = tuple(f"{one.concept} {one.label} ({one.score:.2f})" for one in proposals if one is not first)
    if first is None:
        return Entry(concept=None, unit=unit, others=others)
    return Entry(
        concept=first.concept, label=first.label, unit=unit or first.unit, score=first.score, reasons=first.reasons,
        others=others,
    )  # fmt: skip
