"""The application form and the live check of its completeness.

Belongs here: what an applicant answers, and what is still missing. Does not belong here: questions in words
(``questions``), the assessment of the answers (the body's), fees.

References
----------
Regulation (EU) 2025/327, Article 67(2) and (4) (data permit), Article 69(2) (statistics), Article 53 (purposes), Article 54
(prohibited uses), Article 66(2) (anonymous unless that cannot serve the purpose).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hub.access.law import PROHIBITED_USES, PUBLIC_BODY_PURPOSES, PURPOSES

Words = Annotated[str, Field(max_length=4000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Letter = Annotated[str, Field(pattern="^[a-f]$")]
Format = Literal["parquet", "csv", "omop", "fhir", "dicom", "nifti", "png"]
MAX_PERMIT_MONTHS = 120


class Kind(StrEnum):
    """What is asked for."""

    PERMIT = "permit"
    STATISTICS = "statistics"
    SYNTHETIC = "synthetic"
    MPC = "mpc"


LABELS = {
    Kind.SYNTHETIC: "Synthetic data",
    Kind.STATISTICS: "Statistics",
    Kind.PERMIT: "Data permit",
    Kind.MPC: "Multi-party computation",
}


class Form(BaseModel):
    """The answers; everything may be empty in a draft.

    Parameters
    ----------
    purposes : list of str
        Letters of Article 53(1), or their names.
    declarations : list of str
        Letters of Article 54 that the applicant declares not to do.
    rows, columns, formats
        For synthetic data: how many rows (or images), which columns (``None`` is all that the offer allows), which files. Columns also
        for computations (``None`` is all of the data sets).
    epsilon : float or None
        For computations: the epsilon of all answers with noise together; ``None`` allows none.
    months : int
        For how many months the data are needed.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    kind: Kind = Kind.SYNTHETIC
    dataset_ids: list[Name] = Field(default=[], max_length=20)
    applicant: Words = ""
    functions: Words = ""
    persons: list[Name] = Field(default=[], max_length=100)
    purposes: list[Letter] = Field(default=[], max_length=6)
    intended_use: Words = ""
    benefit: Words = ""
    data_scope: Words = ""
    time_range: Words = ""
    geography: Words = ""
    data_format: Literal["anonymised", "pseudonymised"] = "anonymised"
    pseudonymised_reason: Words = ""
    lawful_basis: Words = ""
    own_datasets: Words = ""
    safeguards: Words = ""
    months: int | None = Field(default=None, ge=1, le=MAX_PERMIT_MONTHS)
    period_reason: Words = ""
    tools: Words = ""
    ethics: Words = ""
    opt_out_exception: Words = ""
    statistical_content: Words = ""
    mpc_question: Words = ""
    rows: int | None = Field(default=None, ge=1, le=10_000_000)
    columns: list[Name] | None = Field(default=None, max_length=2000)
    epsilon: float | None = Field(default=None, gt=0, le=10, allow_inf_nan=False)
    formats: list[Format] = Field(default=["parquet"], max_length=7)
    declarations: list[Annotated[str, Field(pattern="^[a-e]$")]] = Field(default=[], max_length=5)

    @model_validator(mode="before")
    @classmethod
    def _spoken(cls, values: Any) -> Any:
        """Purposes by letter or by name, one as ``purpose``; text without NUL, which Postgres cannot store."""
        if not isinstance(values, dict):
            return values
        plain = dict(values)
        if "\\u0000" in json.dumps(plain, default=str):
            raise ValueError("text must not hold the character NUL")
        if "purpose" in plain:
            plain["purposes"] = [plain.pop("purpose")]
        if isinstance(plain.get("purposes"), list):
            plain["purposes"] = [_letter(one) for one in plain["purposes"]]
        return plain

    @field_validator("purposes", "declarations", "formats", "columns", "dataset_ids", "persons")
    @classmethod
    def _once(cls, value: list[Any] | None) -> list[Any] | None:
        return value and list(dict.fromkeys(value))


def _letter(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    names = {name.lower(): letter for letter, name in PURPOSES.items()}
    return names.get(value.strip().lower(), SHORT_NAMES.get(value.strip().lower(), value))


SHORT_NAMES = {
    "public health": "a", "policymaking": "b", "statistics": "c", "education": "d", "scientific research": "e",
    "research": "e", "improving care": "f",
}  # fmt: skip


@dataclass(frozen=True)
class Missing:
    """One answer that is still to be given: its field, where the law asks for it, and in words."""

    field: str
    article: str
    words: str


_ALL = frozenset(Kind)
_SECURE = frozenset({Kind.PERMIT, Kind.MPC})
REQUIRED: dict[str, tuple[frozenset[Kind], str, str]] = {
    "dataset_ids": (_ALL, "67(2)(d)", "Choose a data set."),
    "applicant": (_ALL, "67(2)(a)", "Say who applies."),
    "functions": (_ALL, "67(2)(a)", "Describe your professional functions and activities."),
    "persons": (_SECURE, "67(2)(a)", "Name the people who would have access."),
    "purposes": (_ALL, "67(2)(b)", "Choose at least one purpose."),
    "intended_use": (_ALL, "67(2)(c)", "Explain the intended use."),
    "benefit": (_SECURE, "67(2)(c)", "Explain the expected benefit."),
    "data_scope": (_SECURE | {Kind.STATISTICS}, "67(2)(d)", "Describe the data you need."),
    "time_range": (frozenset({Kind.PERMIT}), "67(2)(d)", "Give the time range of the data."),
    "safeguards": (_ALL, "67(2)(g)", "Describe how you prevent misuse and re-identification."),
    "months": (_SECURE, "67(2)(h)", "Say for how many months you need the data."),
    "period_reason": (_SECURE, "67(2)(h)", "Give reasons for that period."),
    "tools": (_SECURE, "67(2)(i)", "Describe the tools and computing resources you need."),
    "lawful_basis": (frozenset({Kind.STATISTICS}), "69(2)(f)", "Say how the processing complies with data protection law."),
    "statistical_content": (frozenset({Kind.STATISTICS}), "69(2)(d)", "Describe the statistics you ask for."),
    "mpc_question": (frozenset({Kind.MPC}), "67(2)(c)", "Say what the parties shall compute together."),
    "rows": (frozenset({Kind.SYNTHETIC}), "67(2)(d)", "Say how many rows you need."),
    "formats": (frozenset({Kind.SYNTHETIC}), "67(2)(d)", "Choose at least one file format."),
}  # fmt: skip


def completeness(form: Form, *, public_body: bool = False) -> list[Missing]:
    """What is missing or may not be asked for; empty for a complete form."""
    return [*_unanswered(form), *_format(form), *_purposes(form, public_body), *_declarations(form)]


def _unanswered(form: Form) -> Iterator[Missing]:
    for field, (kinds, article, words) in REQUIRED.items():
        if form.kind in kinds and not getattr(form, field):
            yield Missing(field, article, words)


def _format(form: Form) -> Iterator[Missing]:
    if form.data_format == "anonymised":
        return
    if form.kind != Kind.PERMIT:
        yield Missing("data_format", "66(2)", "Only a data permit can give pseudonymised data; choose anonymised.")
    if not form.pseudonymised_reason:
        yield Missing("pseudonymised_reason", "67(2)(e)", "Justify why anonymised data cannot serve the purpose.")
    if not form.lawful_basis and form.kind != Kind.STATISTICS:
        yield Missing("lawful_basis", "67(4)", "Say how the processing complies with data protection law.")


def _purposes(form: Form, public_body: bool) -> Iterator[Missing]:
    if not public_body and (reserved := PUBLIC_BODY_PURPOSES & set(form.purposes)):
        names = "; ".join(PURPOSES[letter] for letter in sorted(reserved))
        yield Missing("purposes", "53(2)", f"Reserved for public bodies: {names}.")


def _declarations(form: Form) -> Iterator[Missing]:
    for letter, words in PROHIBITED_USES.items():
        if letter not in form.declarations:
            yield Missing("declarations", f"54({letter})", f"Declare that you will not do this: {words}.")
