"""A job: what several parties are asked to compute together, and the bytes by which they agree that it is the same.

Belongs here: the description, its form and its digest. Does not belong here: whether a party allows it
(``party.acceptance``) and how it is computed (``programs``).

References
----------
RFC 8785 (JSON Canonicalization Scheme): sorted keys, no white space; our numbers are written by Python.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from records.errors import ParameterError

FEWEST_PARTIES, MOST_PARTIES = 3, 64
LIFETIME = timedelta(hours=1)
NAME = r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$"
Name = Annotated[str, Field(pattern=NAME)]
ColumnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Moment = Annotated[AwareDatetime, AfterValidator(lambda t: t.astimezone(UTC))]


class Strict(BaseModel):
    """An immutable value that refuses unknown keys and does not convert types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Filter(Strict):
    """Patients whose ``column`` fulfils ``op`` with ``value``; ``in`` takes a list. Values come from the codebook."""

    column: ColumnName
    op: Literal["==", "!=", "<", "<=", ">", ">=", "in"]
    value: str | int | float | tuple[str | int | float, ...]

    @model_validator(mode="after")
    def _shaped(self) -> Self:
        if (self.op == "in") != isinstance(self.value, tuple):
            raise ValueError("a filter must have a list for op in, and one value otherwise; mend the filter")
        return self


class Job(Strict):
    """One computation of several parties.

    Parameters
    ----------
    id : str
        UUID, used once.
    kind : str
        Name of a program (``programs.PROGRAMS``).
    participants : tuple of str
        Names of the parties; their order is their number.
    dataset, columns, filters
        Whose patients and what of them.
    parameters : mapping
        What the program needs beside; it checks them itself.
    minimum_count : int
        Smaller counts are suppressed inside the protocol.
    rho : float or None
        zCDP that the whole job costs, debited at every party before the first share; ``None``: no differential privacy.
    epsilon, delta : float or None
        What ``rho`` implies, for people.
    threshold : int or None
        Degree of the shares: so many parties together learn nothing of the others' shares; by default the largest
        below a half of the parties.
    collusion : int or None
        So many parties may subtract their own noise and the stated noise remains; by default as ``threshold``.
    codebook : mapping of str to str or None
        Digest of each column's codebook as the researcher knows it (``codebook.digests``); a party with another refuses.
    researcher : str
        Name in the researcher's certificate.
    """

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    kind: Name
    participants: tuple[Name, ...] = Field(min_length=FEWEST_PARTIES, max_length=MOST_PARTIES)
    dataset: Name
    columns: tuple[ColumnName, ...] = ()
    filters: tuple[Filter, ...] = ()
    parameters: Mapping[str, JsonValue] = Field(default_factory=dict)
    minimum_count: int = Field(default=10, ge=0)
    rho: float | None = Field(default=None, gt=0)
    epsilon: float | None = Field(default=None, gt=0)
    delta: float | None = Field(default=None, gt=0, lt=1)
    threshold: int | None = Field(default=None, ge=1)
    collusion: int | None = Field(default=None, ge=0)
    codebook: Mapping[str, str] | None = None
    issued_at: Moment
    expires_at: Moment
    researcher: Name

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        parties = len(self.participants)
        if len(set(self.participants)) != parties:
            raise ValueError("participants must differ, got one twice; name each once")
        if len(set(self.columns)) != len(self.columns):
            raise ValueError("columns must differ, got one twice; name each once")
        if self.degree > (parties - 1) // 2:
            raise ValueError(
                f"threshold must be below a half of {parties} parties, got {self.degree}; choose at most {(parties - 1) // 2}"
            )
        if self.colluding >= parties:
            raise ValueError(f"collusion must be below {parties} parties, got {self.colluding}; choose a smaller one")
        if (self.epsilon is None) != (self.delta is None) or (self.epsilon is not None and self.rho is None):
            raise ValueError("epsilon and delta must come together and beside rho; write all three or none")
        if self.issued_at >= self.expires_at:
            raise ValueError(
                f"expires_at must be after issued_at {self.issued_at:%FT%TZ}, got {self.expires_at:%FT%TZ}"
            )
        return self

    @property
    def tellers(self) -> tuple[str, ...]:
        """Parties that tell what was opened; the others its digest. Two, so that one may be lost."""
        return self.participants[:2]

    @property
    def touched(self) -> tuple[str, ...]:
        """Columns that are computed on or filtered by, in order."""
        return tuple(dict.fromkeys([*self.columns, *(f.column for f in self.filters)]))

    @property
    def degree(self) -> int:
        """Degree of the shares."""
        return (len(self.participants) - 1) // 2 if self.threshold is None else self.threshold

    @property
    def colluding(self) -> int:
        """Parties that together cannot take the noise away."""
        return self.degree if self.collusion is None else self.collusion

    @property
    def canonical(self) -> bytes:
        """The bytes that are hashed: equal jobs have equal bytes."""
        return canonical(self.model_dump(mode="json"))

    @property
    def sha256(self) -> str:
        """What the parties agree on."""
        return hashlib.sha256(self.canonical).hexdigest()


def canonical(value: Any) -> bytes:
    """JSON with one spelling."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def parsed(description: Mapping[str, Any]) -> Job:
    """The job that plain JSON values describe.

    Raises
    ------
    ParameterError
        All that is wrong with it, by field.
    """
    try:
        return Job.model_validate_json(json.dumps(description, default=str, allow_nan=False), strict=True)
    except ValidationError as error:
        raise ParameterError(_told(error)) from None
    except ValueError:
        raise ParameterError("the job must hold finite numbers only, got infinity or nan; mend its file") from None


def issued(
    description: Mapping[str, Any], *, researcher: str, now: datetime | None = None, lifetime: timedelta = LIFETIME
) -> Job:
    """A new job: its description with an id, the researcher and a term of life."""
    start = (now or datetime.now(UTC)).replace(microsecond=0)
    times = {"issued_at": start.isoformat(), "expires_at": (start + lifetime).isoformat()}
    return parsed({"id": str(uuid.uuid4()), "researcher": researcher, **times, **description})


def read_description(path: Path) -> dict[str, Any]:
    """A job's description from YAML or JSON."""
    try:
        description = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParameterError(f"{path.name} must be a readable YAML or JSON file, got {type(error).__name__}") from None
    if not isinstance(description, dict):
        raise ParameterError(
            f"{path.name} must hold the fields of a job, got {type(description).__name__}; see the guide"
        )
    return description


def _told(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        where = ".".join(map(str, problem["loc"])) or "the job"
        lines.append(f"{where}: {problem['msg'].removeprefix('Value error, ')}")
    return "the job must have the right form, got " + "; ".join(lines) + "; mend its description"
