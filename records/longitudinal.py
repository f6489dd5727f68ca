"""Longitudinal records: a table of patients and a table of their visits, and what is publicly known about both.

Belongs here: the two tables as one value, and their joint schema. Does not belong here: checking them
(``longitudinal_validation``), or a table with one row per patient (``schema``).
"""

from dataclasses import dataclass
from typing import Self

import polars as pl
from pydantic import Field, model_validator

from records.schema import Column, Frozen, Schema


class LongitudinalSchema(Frozen):
    """All that is publicly known about the records of a cohort.

    Parameters
    ----------
    patients : Schema
        One row per patient: identifier, treatment, baseline, follow-up time and how it ended. The event's first level
        is the end of observation without an event; every other level is a terminal event.
    visits : Schema
        One row per patient and day. Columns that may be missing are null.
    patient_id : str
        Column that links the two tables.
    day : str
        Column of ``visits`` with the day of the visit; the first visit of a patient is on day 0. Its bins are the
        bands of time in which a model may differ.
    treatment : str
        Column of ``patients``.
    leading : tuple of str
        Measurements on which the end of follow-up may depend where privacy leaves no room for all; the first is the
        one that the other measurements may follow.
    gap : Column
        Bounds and bins of the days from one visit to the next, or to the end of follow-up.
    most_visits : int
        Public cap on the visits of a patient that a model may look at.
    """

    name: str
    title: str
    patients: Schema
    visits: Schema
    patient_id: str
    day: str
    treatment: str
    leading: tuple[str, ...] = Field(min_length=1)
    gap: Column
    most_visits: int = Field(ge=2, le=1000)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for schema, names in ((self.patients, (self.patient_id, self.treatment)), (self.visits, self._visit_columns)):
            if unknown := set(names) - set(schema.names):
                raise ValueError(f"{schema.name} must have the columns {', '.join(unknown)}; mend the codebook")
        if self.patients.time is None or self.patients.event is None:
            raise ValueError(f"{self.patients.name} must have a time and an event column; mend the codebook")
        if set(self.leading) & {self.patient_id, self.day}:
            raise ValueError(f"{self.name} must be led by measurements, got {self.leading}; mend the codebook")
        named = [c.name for c in (*self.baseline, *self.measurements)]
        if len(set(named)) < len(named):
            raise ValueError(f"{self.name} must name each column of both tables once; mend the codebook")
        if any(not (c.levels or c.numeric) for c in (*self.baseline, *self.measurements)):
            raise ValueError(f"{self.name} must have levels or bounds for every column; mend the codebook")
        return self

    @property
    def _visit_columns(self) -> tuple[str, ...]:
        return (self.patient_id, self.day, *self.leading)

    @property
    def follow_up(self) -> Column:
        """Days from the first visit to the end of follow-up."""
        return self.patients.with_role("time")[0]  # type: ignore[arg-type]

    @property
    def event(self) -> Column:
        """How follow-up ended."""
        return self.patients.with_role("event")[0]  # type: ignore[arg-type]

    @property
    def censored(self) -> str:
        """Level of the event column that is no event."""
        return next(iter(self.event.levels))

    @property
    def terminal(self) -> list[str]:
        """Levels of the event column that are events, which compete with each other."""
        return list(self.event.levels)[1:]

    @property
    def baseline(self) -> list[Column]:
        """Columns of ``patients`` known at the first visit, treatment included."""
        after = {self.patient_id, self.follow_up.name, self.event.name}
        return [c for c in self.patients.columns if c.name not in after]

    @property
    def measurements(self) -> list[Column]:
        """Columns of ``visits`` that are measured, the leading one first."""
        measured = [c for c in self.visits.columns if c.name not in (self.patient_id, self.day)]
        return sorted(measured, key=lambda c: c.name != self.leading[0])


@dataclass(frozen=True)
class Records:
    """Patients and their visits."""

    patients: pl.DataFrame
    visits: pl.DataFrame

    def of(self, patient_id: str, chosen: pl.Series) -> "Records":
        """The records of some patients; ``chosen`` holds values of the column ``patient_id``."""
        keep = pl.col(patient_id).is_in(chosen.implode())
        return Records(self.patients.filter(keep), self.visits.filter(keep))
