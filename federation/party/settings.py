"""What one hospital allows, and where everybody is: the YAML file of a party and of a researcher.

Belongs here: the files' form. Does not belong here: checking a job against it (``acceptance``).

A party's file, by example::

    name: north
    listen: 127.0.0.1:7101
    peers: {south: "127.0.0.1:7102", west: "127.0.0.1:7103"}
    researchers: [ada]
    datasets:
      stroke:
        computations: {counts: auto, synthesis: ask}   # all others: never
        minimum_count: 10
        budget_rho: 2.0
    computes: {lung: support2_lung}   # data sets of others, for which this party only computes, and their codebook

Paths are relative to the file. A researcher's file holds ``name`` and ``parties`` (name to address).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from federation.jobs.job import FEWEST_PARTIES, Name, Strict
from federation.party.identity import Address, Credentials
from records.errors import ParameterError


class Rule(Strict):
    """What a site allows for one data set.

    Parameters
    ----------
    computations : mapping of str to {"auto", "ask", "never"}
        Kind of job to rule; what is not listed is never done.
    minimum_count : int
        Jobs must suppress counts below it.
    budget_rho : float or None
        zCDP of all jobs together; ``None``: no job with noise.
    only_private : bool
        Refuse jobs without differential privacy.
    most_exact_jobs : int or None
        So many jobs without differential privacy in all: the differences of many could tell about one patient.
    columns : tuple of str or None
        Columns that may be used; ``None``: all of the codebook but identifiers.
    most_cells : int
        Largest contingency table.
    source : str or None
        For the site that reads the data: ``<cohort>=<file>``, the file relative to ``home``.
    """

    computations: Mapping[Name, Literal["auto", "ask", "never"]] = Field(default_factory=dict)
    minimum_count: int = Field(default=10, ge=0)
    budget_rho: float | None = Field(default=None, gt=0)
    only_private: bool = False
    most_exact_jobs: int | None = Field(default=None, ge=0)
    columns: tuple[str, ...] | None = None
    most_cells: int = Field(default=1_000_000, ge=1)
    source: str | None = None


def _address(text: str) -> str:
    return str(Address.parsed(text))


AddressText = Annotated[str, AfterValidator(_address)]


class _Member(Strict):
    """What parties and researchers have in common."""

    name: Name
    home: Path = Field(default=Path("."), strict=False)
    authority: Path = Field(default=Path("authority.pem"), strict=False)
    certificate: Path | None = Field(default=None, strict=False)
    key: Path | None = Field(default=None, strict=False)
    timeout_seconds: float = Field(default=30.0, gt=0)

    @property
    def credentials(self) -> Credentials:
        """The files of this member; by default ``<name>.pem`` and ``<name>.key`` in its home."""
        own = self.home / (self.certificate or f"{self.name}.pem"), self.home / (self.key or f"{self.name}.key")
        return Credentials(self.home / self.authority, *own)


class PartySettings(_Member):
    """Settings of a party.

    Parameters
    ----------
    listen : str
        Where it listens, ``host:port``.
    peers : mapping of str to str
        Name and address of every party that it computes with.
    researchers : tuple of str
        Whose jobs it looks at.
    datasets : mapping of str to Rule
    computes : mapping of str to str
        Data sets of others for which it computes without data of its own, and their source (a cohort's codebook).
    fewest_parties, least_threshold, least_collusion : int
        Refuse jobs that trust fewer.
    most_jobs : int
        Jobs at the same time.
    clock_seconds : float
        How far the clocks of researcher and party may differ.
    """

    listen: AddressText
    peers: Mapping[Name, AddressText]
    researchers: tuple[Name, ...]
    datasets: Mapping[Name, Rule] = Field(default_factory=dict)
    computes: Mapping[Name, str] = Field(default_factory=dict)
    fewest_parties: int = Field(default=FEWEST_PARTIES, ge=FEWEST_PARTIES)
    least_threshold: int = Field(default=1, ge=1)
    least_collusion: int = Field(default=1, ge=0)
    most_jobs: int = Field(default=8, ge=1)
    clock_seconds: float = Field(default=60.0, gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.name in self.peers:
            raise ValueError(f"peers must be other parties, got {self.name} itself; remove it")
        if both := set(self.computes) & set(self.datasets):
            raise ValueError(f"computes must name data sets of others, got own {', '.join(sorted(both))}; remove them")
        return self

    @property
    def journal(self) -> Path:
        """The log of this party."""
        return self.home / "journal.jsonl"

    @property
    def approvals(self) -> Path:
        """Folder of jobs that wait for a person."""
        return self.home / "approvals"


class ResearcherSettings(_Member):
    """Settings of a researcher: the address of every party.

    ``grace_seconds`` is how long a party may take to say how it stands when a job fails.
    """

    parties: Mapping[Name, AddressText]
    grace_seconds: float = Field(default=5.0, gt=0)


Member = TypeVar("Member", PartySettings, ResearcherSettings)


def read_settings(path: Path, kind: type[Member]) -> Member:
    """Settings from a YAML file, with all mistakes told at once; ``home`` becomes absolute.

    Raises
    ------
    ParameterError
    """
    try:
        content: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        if not isinstance(content, dict):
            raise ParameterError(f"{path} must hold settings, got {type(content).__name__}; see the guide")
        found = kind.model_validate(_tuples(content))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParameterError(f"{path} must be a readable YAML file, got {type(error).__name__}") from None
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        told = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'the file'}: {p['msg']}" for p in problems)
        raise ParameterError(f"{path} must hold valid settings, got {told}; mend the file") from None
    return found.model_copy(update={"home": (path.parent / found.home).resolve()})


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
