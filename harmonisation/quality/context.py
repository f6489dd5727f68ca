"""The tables under check, each row with what other tables say of its person and visit.

Belongs here: which fields can be used, joins, and counting all of a table's checks in one pass. Does not belong here:
what is checked (``conformance``, ``completeness``, ``plausibility``).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import polars as pl

from harmonisation.omop.cdm import HOLDS, Cdm
from harmonisation.omop.tables import CLINICAL, TABLES, Field
from harmonisation.quality.results import Result

BIRTH, DEATH, GENDER, VISIT_START, VISIT_END = "__birth", "__death", "__gender", "__visit_start", "__visit_end"
NO_TABLE, NO_FIELD = "a table it needs is not there", "a field it needs is not there, or of another type"
Override = Mapping[tuple[str, str, str | None], float]


@dataclass(frozen=True)
class Measure:
    """A check to count: ``violated`` and ``among`` are true on rows of table ``over``; each must never be null."""

    check: str
    table: str
    field: str | None
    violated: pl.Expr
    among: pl.Expr
    threshold: float
    concept: str | None = None
    over: str | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A check that does not apply, and why."""

    check: str
    table: str
    field: str | None
    reason: str
    concept: str | None = None


@dataclass(frozen=True)
class Context:
    """OMOP tables, the day of the check, and thresholds that differ from the usual ones.

    Parameters
    ----------
    cdm : Cdm
    today : date
        No date may lie after the next day.
    thresholds : mapping of (check, table, field) to float
    """

    cdm: Cdm
    today: date
    thresholds: Override = field(default_factory=dict)

    @property
    def vocabulary(self) -> pl.DataFrame | None:
        """The concept table, or ``None`` where there is none or it is empty."""
        frame = self.cdm.tables.get("concept")
        return frame if frame is not None and frame.height else None

    def fields(self) -> Iterator[tuple[str, str, Field]]:
        """Table, name and definition of every field that the model asks for and the tables have in its type."""
        for table in CLINICAL:
            usable = self.usable(table).columns
            yield from ((table, name, one) for name, one in TABLES[table].items() if name in usable)

    def usable(self, table: str) -> pl.DataFrame:
        """The columns of a table that are of the model's type; none for a table that is absent."""
        return self._usable.get(table, pl.DataFrame())

    @cached_property
    def _usable(self) -> dict[str, pl.DataFrame]:
        return {name: _typed(name, frame) for name, frame in self.cdm.tables.items()}

    def keys(self, table: str, name: str) -> pl.Series | None:
        """Distinct values of a field, or ``None`` where it cannot be used."""
        frame = self.usable(table)
        return frame[name].drop_nulls().unique() if name in frame.columns else None

    @cached_property
    def _joined(self) -> dict[str, pl.LazyFrame]:
        return {name: self._join(frame.lazy(), frame.columns) for name, frame in self._usable.items()}

    @cached_property
    def _columns(self) -> dict[str, set[str]]:
        return {name: set(frame.collect_schema()) for name, frame in self._joined.items()}

    def count(self, wanted: Iterable[Measure | Skipped]) -> Iterator[Result]:
        """The results, in order; all measures over a table are counted in one pass."""
        listed = list(wanted)
        counted: dict[int, tuple[int, int]] = {}
        by_table: dict[str, list[tuple[int, Measure]]] = {}
        for number, one in enumerate(listed):
            if isinstance(one, Measure) and self._reason(one) is None:
                by_table.setdefault(one.over or one.table, []).append((number, one))
        for table, measures in by_table.items():
            row = self._joined[table].select(
                expression
                for number, one in measures
                for expression in (
                    (one.violated & one.among).sum().alias(f"v{number}"),
                    one.among.sum().alias(f"n{number}"),
                )
            )
            found = row.collect().row(0, named=True)
            counted |= {number: (found[f"v{number}"], found[f"n{number}"]) for number, _ in measures}
        for number, one in enumerate(listed):
            yield self._result(one, counted.get(number))

    def _result(self, one: Measure | Skipped, counts: tuple[int, int] | None) -> Result:
        if isinstance(one, Skipped):
            return Result(one.check, one.table, one.field, one.concept, reason=one.reason)
        violated, denominator = counts or (0, 0)
        threshold = self.thresholds.get((one.check, one.table, one.field), one.threshold)
        reason = self._reason(one) or (None if denominator else "there is no record to check")
        return Result(one.check, one.table, one.field, one.concept, violated, denominator, threshold, reason)

    def _reason(self, one: Measure) -> str | None:
        table = one.over or one.table
        if table not in self.cdm.tables:
            return NO_TABLE
        return None if set(one.needs) <= self._columns[table] else NO_FIELD

    def _join(self, frame: pl.LazyFrame, columns: list[str]) -> pl.LazyFrame:
        if "person_id" in columns:
            for other in (self._births, self._deaths):
                if other is not None:
                    frame = frame.join(other, on="person_id", how="left")
        if "visit_occurrence_id" in columns and self._visits is not None:
            frame = frame.join(self._visits, on="visit_occurrence_id", how="left")
        return frame

    @cached_property
    def _births(self) -> pl.LazyFrame | None:
        person = self.usable("person")
        if not {"person_id", "year_of_birth"} <= set(person.columns):
            return None
        day = pl.date("year_of_birth", _part(person, "month_of_birth"), _part(person, "day_of_birth"))
        gender = pl.col("gender_concept_id") if "gender_concept_id" in person.columns else pl.lit(None, pl.Int64)
        known = pl.col("year_of_birth").is_between(1, 9999)
        birth = pl.when(known).then(day).alias(BIRTH)
        return person.lazy().select("person_id", birth, gender.alias(GENDER)).unique("person_id", keep="first")

    @cached_property
    def _deaths(self) -> pl.LazyFrame | None:
        death = self.usable("death")
        if not {"person_id", "death_date"} <= set(death.columns):
            return None
        return death.lazy().group_by("person_id").agg(pl.col("death_date").min().alias(DEATH))

    @cached_property
    def _visits(self) -> pl.LazyFrame | None:
        visits, names = self.usable("visit_occurrence"), ("visit_start_date", "visit_end_date")
        if not {"visit_occurrence_id", *names} <= set(visits.columns):
            return None
        start, end = (pl.col(name) for name in names)
        chosen = visits.lazy().select("visit_occurrence_id", start.alias(VISIT_START), end.alias(VISIT_END))
        return chosen.unique("visit_occurrence_id", keep="first")


def _typed(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    fields = TABLES.get(table)
    if fields is None:
        return frame
    return frame.select(
        pl.col(name).cast(fields[name].dtype)
        for name in frame.columns
        if name in fields and HOLDS[fields[name].form](frame.schema[name])
    )


def _part(person: pl.DataFrame, name: str) -> pl.Expr:
    """Month or day of birth; unknown or impossible ones are the first, so that nobody is born too late."""
    if name not in person.columns:
        return pl.lit(1)
    highest = 12 if name == "month_of_birth" else 28
    return pl.when(pl.col(name).is_between(1, highest)).then(name).otherwise(1)
