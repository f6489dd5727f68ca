"""A computation as its orderer describes it, and the digest by which it is known.

Belongs here: the form of the description; it is the federation's declarative job without what the data side adds (names,
times, delta). Does not belong here: what a permit or a data set allows (``checks``).

References
----------
RFC 8785 (JSON Canonicalization Scheme): sorted keys, no white space.
"""

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hub.computations.kinds import KINDS

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$")]
ColumnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=200)]
Level = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Value = Level | Annotated[int, Field(ge=-(2**53), le=2**53)] | float
MOST_COLUMNS, FEWEST_PARTIES, MOST_PARTIES = 200, 3, 64
FIRST = "mpc/1"


class Strict(BaseModel):
    """An immutable value that refuses unknown names and numbers that are not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


class Filter(Strict):
    """Patients whose ``column`` fulfils ``op`` with ``value``; ``in`` takes a list."""

    column: ColumnName
    op: Literal["==", "!=", "<", "<=", ">", ">=", "in"] = "=="
    value: Value | Annotated[list[Value], Field(min_length=1, max_length=100)]


class Parameters(Strict):
    """What some kinds take beside columns (``kinds``); the parties check each again."""

    bound: int | None = Field(default=None, ge=1, le=2**24 - 1)
    holders: dict[Name, list[ColumnName]] | None = Field(default=None, min_length=2, max_length=2)
    by: ColumnName | None = None
    shares: list[Annotated[float, Field(gt=0, lt=1)]] | None = Field(default=None, min_length=1, max_length=20)
    interval: int | None = Field(default=None, ge=1, le=10_000)
    outcome: ColumnName | None = None
    positive: list[Level] | None = Field(default=None, min_length=1, max_length=100)
    horizon: float | None = Field(default=None, gt=0, le=1e6)
    strata: Literal["site"] | None = None
    hidden: int | None = Field(default=None, ge=0, le=512)
    rounds: int | None = Field(default=None, ge=1, le=1000)
    rate: float | None = Field(default=None, gt=0, le=1)
    clip: float | None = Field(default=None, gt=0, le=1e6)
    prior: float | None = Field(default=None, gt=0, le=1 - 1e-6)
    seed: int | None = Field(default=None, ge=0, le=2**31)

    @property
    def given(self) -> dict[str, Any]:
        """Those that were given."""
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def columns(self) -> list[str]:
        """Columns that parameters name."""
        shared = [name for names in (self.holders or {}).values() for name in names]
        return [*filter(None, (self.by, self.outcome)), *shared]


class Description(Strict):
    """What shall be computed.

    Parameters
    ----------
    dataset_id : str
        A data set of the permit.
    purpose : str
        Letter of Article 53(1) of the permit.
    kind : str
        One of ``kinds.KINDS``.
    minimum_count : int
        Smaller counts are suppressed inside the protocol.
    epsilon : float or None
        Differential privacy of the answer, for kinds that can have it.
    rows : int or None
        Of a synthetic table; by default about as many as there are patients.
    participants : list of str
        Names of the hospitals' parties; empty: all.
    collusion : int or None
        So many parties may subtract their own noise and the stated privacy remains.
    """

    dataset_id: Annotated[str, Field(min_length=1, max_length=200)]
    purpose: Annotated[str, Field(pattern="^[a-f]$")]
    kind: str = Field(max_length=40)
    columns: list[ColumnName] = Field(default=[], max_length=MOST_COLUMNS)
    filters: list[Filter] = Field(default=[], max_length=10)
    parameters: Parameters = Parameters()
    minimum_count: int = Field(default=10, ge=1, le=1_000_000)
    epsilon: float | None = Field(default=None, gt=0, le=10)
    rows: int | None = Field(default=None, ge=1, le=1_000_000)
    participants: list[Name] = Field(default=[], max_length=MOST_PARTIES)
    collusion: int | None = Field(default=None, ge=0, lt=MOST_PARTIES)

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"must be one of {', '.join(KINDS)}")
        return kind

    @field_validator("columns", "participants")
    @classmethod
    def _once(cls, names: list[str]) -> list[str]:
        return list(dict.fromkeys(names))

    @property
    def touched(self) -> list[str]:
        """Columns that are computed on, filtered by or named by parameters, in order."""
        return list(dict.fromkeys([*self.columns, *(f.column for f in self.filters), *self.parameters.columns]))

    @property
    def plain(self) -> dict[str, Any]:
        """As JSON values; what was not given is left out."""
        full = self.model_dump(mode="json", exclude={"parameters"}, exclude_none=True)
        return full | {"parameters": self.parameters.given}

    @property
    def sha256(self) -> str:
        """Digest of the canonical JSON: equal descriptions have equal digests."""
        text = json.dumps(
            [FIRST, self.plain], sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return hashlib.sha256(text.encode()).hexdigest()


def mistakes(error: ValidationError) -> dict[str, str]:
    """Field to what is wrong with it; never the value."""
    found: dict[str, list[str]] = {}
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        place = [str(part) for part in one["loc"]]
        # A value may be of several kinds: what follows names only the kind that was tried.
        where = ".".join(place[: place.index("value") + 1] if "value" in place else place)
        found.setdefault(where or "description", []).append(one["msg"].removeprefix("Value error, "))
    return {field: "; ".join(dict.fromkeys(words)) for field, words in found.items()}
