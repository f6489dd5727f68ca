"""Results of checks: counts and verdicts, one row a check.

Belongs here: the results as values, table and JSON. Does not belong here: making or drawing them. Counts are exact counts
of real records: for the hospital, not for release; ``facts`` says what may be told.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from harmonisation.quality.types import TYPES, Category, CheckType, Level

_COLUMNS = {
    "check": pl.String, "level": pl.String, "category": pl.String, "context": pl.String, "table": pl.String,
    "field": pl.String, "concept": pl.String, "violated": pl.Int64, "denominator": pl.Int64, "percent": pl.Float64,
    "threshold": pl.Float64, "failed": pl.Boolean, "not_applicable": pl.Boolean, "reason": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Result:
    """One check.

    Parameters
    ----------
    check : str
        Name of the type.
    table, field, concept : str or None
        What it was made for.
    violated, denominator : int
        Records that violate it, of how many.
    threshold : float
        Highest percentage that passes, 0 to 100.
    reason : str or None
        Why it does not apply.
    """

    check: str
    table: str
    field: str | None = None
    concept: str | None = None
    violated: int = 0
    denominator: int = 0
    threshold: float = 0.0
    reason: str | None = None

    @property
    def type(self) -> CheckType:
        """Its check type."""
        return TYPES[self.check]

    @property
    def applies(self) -> bool:
        """Whether there was anything to check."""
        return self.reason is None

    @property
    def percent(self) -> float:
        """Records that violate it, 0 to 100."""
        return 100 * self.violated / self.denominator if self.denominator else 0.0

    @property
    def failed(self) -> bool:
        """Whether more records violate it than the threshold allows."""
        return self.applies and self.percent > self.threshold

    def row(self) -> dict[str, Any]:
        """The result under the names of the table of results."""
        level = Level.CONCEPT if self.concept else self.type.level
        return {
            "check": self.check, "level": level.value, "category": self.type.category.value,
            "context": self.type.context.value, "table": self.table, "field": self.field, "concept": self.concept,
            "violated": self.violated, "denominator": self.denominator, "percent": self.percent,
            "threshold": self.threshold, "failed": self.failed, "not_applicable": not self.applies, "reason": self.reason,
        }  # fmt: skip


@dataclass(frozen=True)
class Results:
    """All checks of one source."""

    source: str
    checks: tuple[Result, ...]

    def __iter__(self) -> Iterator[Result]:
        return iter(self.checks)

    def failed(self) -> list[Result]:
        """The checks that failed."""
        return [one for one in self.checks if one.failed]

    def of(self, category: Category) -> list[Result]:
        """The checks of a category that apply."""
        return [one for one in self.checks if one.applies and one.type.category is category]

    def frame(self) -> pl.DataFrame:
        """One row a check; see ``Result.row`` for the columns."""
        return pl.DataFrame([one.row() for one in self.checks], schema=_COLUMNS, orient="row")

    def summary(self) -> dict[str, dict[str, int]]:
        """Category to numbers of checks: ``passed``, ``failed``, ``not_applicable``."""
        counted = {category.value: {"passed": 0, "failed": 0, "not_applicable": 0} for category in Category}
        for one in self.checks:
            verdict = "failed" if one.failed else "passed" if one.applies else "not_applicable"
            counted[one.type.category.value][verdict] += 1
        return counted

    def to_json(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        return {"source": self.source, "summary": self.summary(), "checks": [one.row() for one in self.checks]}


def joined(source: str, parts: Iterable[Iterable[Result]]) -> Results:
    """The results of several kinds of checks as one."""
    return Results(source, tuple(one for part in parts for one in part))
