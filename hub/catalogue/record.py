"""What the catalogue says of a data set.

Belongs here: the record as one checked value. Does not belong here: its RDF (``healthdcat``) or its storage.

References
----------
HealthDCAT-AP Release 8; Regulation (EU) 2025/327, Article 77 (description), Article 78(3) (label), Article 51 (categories).
"""

import base64
import binascii
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, model_validator

from records.images.schema import Modality

AccessRights = Literal["PUBLIC", "RESTRICTED", "NON_PUBLIC"]
PNG, MOST_PLOTS, LARGEST_PLOT = b"\x89PNG\r\n\x1a\n", 8, 400_000
NOT_IN_IRI = set('<>"{}|\\^`')  # RFC 3987


def _iri(address: HttpUrl) -> HttpUrl:
    if NOT_IN_IRI & set(str(address)):
        raise ValueError('an address must not hold any of < > " { } | \\ ^ `; write them percent-encoded')
    return address


def _picture(text: str) -> str:
    try:
        right = base64.b64decode(text, validate=True).startswith(PNG)
    except binascii.Error:
        right = False
    if not right:
        raise ValueError("a plot must be a PNG in base64; write it anew")
    return text


# Control characters have no place in text, and Postgres refuses the first of them.
Words = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")]
Short = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f]*$")]
Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,39}$")]
MediaType = Annotated[str, Field(pattern=r"^[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}$")]
Address = Annotated[HttpUrl, AfterValidator(_iri)]
Picture = Annotated[str, Field(max_length=LARGEST_PLOT), AfterValidator(_picture)]
Facts = dict[Short, Words]


class Entry(BaseModel):
    """An immutable part of a record that refuses unknown names, so that a typing error is found."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Agent(Entry):
    """An organisation and how to reach it; ``page`` or ``email`` must be known."""

    name: Short
    email: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._%+'-]+@[A-Za-z0-9.-]+$", max_length=254)
    page: Address | None = None


class Variable(Entry):
    """One column: never more than the codebook says, a rounded share of missing values, and public bounds."""

    name: Short
    label: Short
    datatype: Literal["string", "integer", "number", "boolean", "date"]
    unit: Short | None = None
    codes: dict[Short, Short] = {}
    levels: dict[Short, Short] = {}
    missing_share: float | None = Field(default=None, ge=0, le=1)
    public_range: Short | None = None


class Distribution(Entry):
    """A way to the data: where to ask for them, and in which form they come; ``media_type`` is a registered one (IANA)."""

    title: Short
    access_url: Address
    format: Code
    media_type: MediaType | None = None
    zipped: bool = False
    licence: Address | None = None


class Label(Entry):
    """The data quality and utility label; one field for each letter of Article 78(3), in words and figures."""

    documentation: Facts = {}
    technical_quality: Facts = {}
    management: Facts = {}
    coverage: Facts = {}
    access: Facts = {}
    modifications: Facts = {}

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

    columns: list[Short]
    rows: list[list[str | float | int | bool | None]] = Field(max_length=20)
    candidate_sha256: str = Field(pattern="^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _square(self) -> Self:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("each row of a sample must have one value a column; mend the sample")
        return self


class DatasetRecord(Entry):
    """A data set's whole description.

    Parameters
    ----------
    health_categories : list of str
        Letters of Article 51(1).
    records, individuals : int or None
        Rounded counts.
    plots : dict
        Caption to PNG in base64, of aggregates or released synthetic images only.
    modality : Modality or None
        Of images; ``None`` for tables.
    """

    title: Short
    description: Words
    identifier: Short
    access_rights: AccessRights = "NON_PUBLIC"
    applicable_legislation: list[Address] = []
    keywords: list[Short] = []
    themes: list[Code] = []
    types: list[Code] = []
    health_categories: list[Annotated[str, Field(pattern="^[a-q]$")]] = []
    provenance: Annotated[str, Field(max_length=4000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")] = ""
    contact: Agent | None = None
    publisher: Agent | None = None
    access_body: Agent | None = None
    distributions: list[Distribution] = []
    structured: bool = True
    modality: Modality | None = None
    variables: list[Variable] = Field(default=[], max_length=5000)
    records: int | None = Field(default=None, ge=0)
    individuals: int | None = Field(default=None, ge=0)
    period: tuple[date, date] | None = None
    countries: list[Annotated[str, Field(pattern="^[A-Z]{3}$")]] = []
    population: Words | None = None
    citation: Words | None = None
    licence: Words | None = None
    simulated: Words | None = None
    label: Label | None = None
    sample: Sample | None = None
    plots: dict[Short, Picture] = Field(default={}, max_length=MOST_PLOTS)
