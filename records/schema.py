"""The schema of a cohort: columns with role, kind, unit, public bounds or levels, constraints and outcomes.

Belongs here: what a table *means*, read from a codebook and never from the data. Does not belong here: checking a
table against it (``validation``), changing a table (``deidentification``), or where a cohort comes from
(``use_cases``).
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator


class Role(StrEnum):
    """What a column is in the analysis and for privacy."""

    IDENTIFIER = "identifier"
    SITE = "site"
    QUASI_IDENTIFIER = "quasi-identifier"
    SENSITIVE = "sensitive"
    OUTCOME = "outcome"
    TIME = "time"
    EVENT = "event"
    COVARIATE = "covariate"


class Kind(StrEnum):
    """How a column's values are stored."""

    TEXT = "text"
    CATEGORY = "category"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"


class Frozen(BaseModel):
    """An immutable value that refuses unknown keys, so that a typing error in a codebook is found."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class Column(Frozen):
    """One column of a codebook.

    Parameters
    ----------
    minimum, maximum : float or None
        Public bounds, inclusive, in ``unit`` (UCUM). For dates the bounds are ``earliest`` and ``latest``.
    levels : mapping of str to str
        Code to label, in public order.
    bins : tuple of float
        Public interior cut points (clinical thresholds), used wherever the column is discretised.
    step : float or None
        Recording precision; synthetic values are multiples of it.
    top_code : float or None
        Values above are set to it by de-identification (ages: 90).
    generalise : float or None
        Band width by which de-identification coarsens a numeric quasi-identifier.
    groups : mapping of str to str
        Level to coarser level by which de-identification coarsens a category.
    source, recode
        Column name and value map in the file as published; ``None`` as a target means missing.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    label: str
    role: Role
    kind: Kind
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    earliest: date | None = None
    latest: date | None = None
    levels: Mapping[str, str] = Field(default_factory=dict)
    missing: bool = False
    leakage: bool = False
    codes: Mapping[str, str] = Field(default_factory=dict)
    bins: tuple[float, ...] = ()
    step: float | None = None
    top_code: float | None = None
    generalise: float | None = None
    groups: Mapping[str, str] = Field(default_factory=dict)
    source: str | None = None
    recode: Mapping[str, str | None] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind is Kind.CATEGORY and len(self.levels) < 2:
            raise ValueError(
                f"{self.name} must list at least two levels, got {len(self.levels)}; add them to the codebook"
            )
        if self.kind in (Kind.INTEGER, Kind.NUMBER) and not _ordered(self.minimum, self.maximum):
            raise ValueError(f"{self.name} must have public bounds minimum < maximum; add them to the codebook")
        if self.kind is Kind.DATE and (self.earliest is None or self.latest is None or self.earliest >= self.latest):
            raise ValueError(f"{self.name} must have public dates earliest < latest; add them to the codebook")
        if self.bins and not (
            self.minimum is not None and self.minimum < self.bins[0] and self.bins[-1] <= (self.maximum or 0)
        ):
            raise ValueError(f"{self.name} must have bins inside its bounds, got {self.bins}; mend the codebook")
        if list(self.bins) != sorted(set(self.bins)):
            raise ValueError(f"{self.name} must have rising bins, got {self.bins}; mend the codebook")
        if self.groups and not set(self.groups) | set(self.groups.values()) <= set(self.levels):
            raise ValueError(f"{self.name} must group known levels only; mend groups in the codebook")
        return self

    @property
    def numeric(self) -> bool:
        """Whether the column holds numbers."""
        return self.kind in (Kind.INTEGER, Kind.NUMBER)

    @property
    def dtype(self) -> pl.DataType:
        """The polars type of the column in schema form."""
        if self.kind is Kind.CATEGORY:
            return pl.Enum(list(self.levels))
        plain = {Kind.TEXT: pl.String(), Kind.INTEGER: pl.Int64(), Kind.NUMBER: pl.Float64(), Kind.DATE: pl.Date()}
        return plain[self.kind]


class Implication(Frozen):
    """Rows in which every ``when`` column has one of its listed levels must have listed levels in every ``then``."""

    when: Mapping[str, tuple[str, ...]]
    then: Mapping[str, tuple[str, ...]]
    reason: str

    def broken(self) -> pl.Expr:
        """Expression that is true on rows that break the constraint."""
        when = pl.all_horizontal(*_among(self.when)) if self.when else pl.lit(True)
        return (when & ~pl.all_horizontal(*_among(self.then))).fill_null(False)


class Ordering(Frozen):
    """``lower`` must not exceed ``upper`` where both are known."""

    lower: str
    upper: str
    reason: str

    def broken(self) -> pl.Expr:
        """Expression that is true on rows that break the constraint."""
        return (pl.col(self.lower) > pl.col(self.upper)).fill_null(False)


class Outcome(Frozen):
    """A binary task: either ``event`` within ``horizon`` (unit of the time column), or ``column`` in ``positive``."""

    name: str
    label: str
    horizon: float | None = None
    column: str | None = None
    positive: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.horizon is None) == (self.column is None):
            raise ValueError(f"outcome {self.name} must have either horizon or column; mend the codebook")
        return self


class Schema(Frozen):
    """All that is publicly known about a cohort's table.

    Parameters
    ----------
    name : str
        Cohort name, for instance ``support2_lung``.
    columns : tuple of Column
    outcomes : tuple of Outcome
        The first is the primary one.
    constraints : tuple of Implication or Ordering
        Hold in every row, real and synthetic.
    index_date : str or None
        Date column from which de-identification counts days.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    outcomes: tuple[Outcome, ...] = ()
    constraints: tuple[Implication | Ordering, ...] = ()
    index_date: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"{self.name} must name each column once; mend the codebook")
        named = {o.column for o in self.outcomes if o.column} | ({self.index_date} if self.index_date else set())
        for constraint in self.constraints:
            named |= _names_in(constraint)
        if unknown := named - set(self.names):
            raise ValueError(f"{self.name} must refer to its own columns, got {sorted(unknown)}; mend the codebook")
        if any(o.horizon is not None for o in self.outcomes) and not (self.time and self.event):
            raise ValueError(f"{self.name} must have a time and an event column for its horizon; mend the codebook")
        return self

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def with_role(self, *roles: Role) -> list[Column]:
        """Columns that have one of ``roles``, in order."""
        return [column for column in self.columns if column.role in roles]

    @property
    def identifier(self) -> Column | None:
        """The patient identifier: the privacy unit."""
        return next(iter(self.with_role(Role.IDENTIFIER)), None)

    @property
    def time(self) -> Column | None:
        """Follow-up time."""
        return next(iter(self.with_role(Role.TIME)), None)

    @property
    def event(self) -> Column | None:
        """Event indicator with levels ``0`` (censored) and ``1`` (event)."""
        return next(iter(self.with_role(Role.EVENT)), None)

    def features(self) -> list[Column]:
        """Columns a classifier may see: known at index time, never leaking, never an outcome."""
        allowed = (Role.QUASI_IDENTIFIER, Role.SENSITIVE, Role.COVARIATE)
        return [c for c in self.with_role(*allowed) if not c.leakage and c.kind not in (Kind.TEXT, Kind.DATE)]

    def select(self, names: Iterable[str]) -> "Schema":
        """The schema restricted to ``names``; constraints and outcomes that need a dropped column go with it."""
        kept = set(names)
        derived = {c.name for c in self.columns if c.role in (Role.TIME, Role.EVENT)}
        return Schema(
            name=self.name,
            title=self.title,
            columns=tuple(c for c in self.columns if c.name in kept),
            outcomes=tuple(o for o in self.outcomes if (derived if o.horizon is not None else {o.column}) <= kept),
            constraints=tuple(c for c in self.constraints if _names_in(c) <= kept),
            index_date=self.index_date if self.index_date in kept else None,
        )

    def polars(self) -> dict[str, pl.DataType]:
        """Column name to polars type."""
        return {column.name: column.dtype for column in self.columns}


def _ordered(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and low < high


def _among(levels: Mapping[str, tuple[str, ...]]) -> list[pl.Expr]:
    return [pl.col(name).cast(pl.String).is_in(list(allowed)) for name, allowed in levels.items()]


def _names_in(constraint: Implication | Ordering) -> set[str]:
    if isinstance(constraint, Ordering):
        return {constraint.lower, constraint.upper}
    return set(constraint.when) | set(constraint.then)
