"""What the catalogue says of a data set.

Belongs here: the record as one checked value. Does not belong here: its RDF (``healthdcat``) or its storage.

References
----------
HealthDCAT-AP Release 8; Regulation (EU) 2025/327, Article 77 (description), Article 78(3) (label), Article 51 (categories).
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl

AccessRights = Literal["PUBLIC", "RESTRICTED", "NON_PUBLIC"]
Words = Annotated[str, Field(min_length=1, max_length=4000)]
Short = Annotated[str, Field(min_length=1, max_length=300)]


class Entry(BaseModel):
    """An immutable part of a record that refuses unknown names, so that a typing error is found."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Agent(Entry):
    """An organisation and how to reach it; ``page`` or ``email`` must be known."""

    name: Short
    email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")
    page: HttpUrl | None = None


class Variable(Entry):
    """One column: never more than the codebook says, a rounded share of missing values, and public bounds."""

    name: Short
    label: Short
    datatype: Literal["string", "integer", "number", "boolean", "date"]
    unit: str | None = None
    codes: dict[str, str] = {}
    levels: dict[str, str] = {}
    missing_share: float | None = Field(default=None, ge=0, le=1)
    public_range: str | None = None


class Distribution(Entry):
    """A way to the data: where to ask for them, and in which form they come."""

    title: Short
    access_url: HttpUrl
    format: Short
    licence: HttpUrl | None = None


class Label(Entry):
    """The data quality and utility label; one field for each letter of Article 78(3), in words and figures."""

    documentation: dict[str, str] = {}
    technical_quality: dict[str, str] = {}
    management: dict[str, str] = {}
    coverage: dict[str, str] = {}
    access: dict[str, str] = {}
    modifications: dict[str, str] = {}

    def letters(self) -> dict[str, dict[str, str]]:
        """Letter of Article 78(3) to its facts."""
        fields = (
            self.documentation,
            self.technical_quality,
            self.management,
            self.coverage,
            self.access,
            self.modifications,
        )
        return dict(zip("abcdef", fields, strict=True))


class Sample(Entry):
    """A few rows of *released synthetic* data, to look at before asking."""

    columns: list[str]
    rows: list[list[str | float | int | bool | None]] = Field(max_length=20)
    candidate_sha256: str


class DatasetRecord(Entry):
    """A data set's whole description.

    Parameters
    ----------
    health_categories : list of str
        Letters of Article 51(1).
    records, individuals : int or None
        Rounded counts.
    plots : dict
        Caption to PNG in base64, of aggregates only.
    """

    title: Short
    description: Words
    identifier: Short
    access_rights: AccessRights = "NON_PUBLIC"
    applicable_legislation: list[HttpUrl] = []
    keywords: list[Short] = []
    themes: list[Short] = []
    types: list[Short] = []
    health_categories: list[Annotated[str, Field(pattern="^[a-q]$")]] = []
    provenance: str = ""
    contact: Agent | None = None
    publisher: Agent | None = None
    access_body: Agent | None = None
    distributions: list[Distribution] = []
    structured: bool = True
    variables: list[Variable] = []
    records: int | None = Field(default=None, ge=0)
    individuals: int | None = Field(default=None, ge=0)
    period: tuple[date, date] | None = None
    countries: list[Annotated[str, Field(pattern="^[A-Z]{3}$")]] = []
    population: str | None = None
    citation: str | None = None
    licence: str | None = None
    simulated: str | None = None
    label: Label | None = None
    sample: Sample | None = None
    plots: dict[str, str] = {}
