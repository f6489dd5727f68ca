"""Longitudinal records as arrays from which patients can be drawn.

Belongs here: the numeric form of records that the trajectory metrics share, and drawing patients from it. Does not
belong here: statistics of it (``path_statistics``).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from records.longitudinal import LongitudinalSchema, Records
from records.schema import Column


@dataclass(frozen=True)
class Paths:
    """Visits in the order of patients and days.

    Parameters
    ----------
    patient, day : numpy.ndarray of int, shape (visits,)
    values : numpy.ndarray of float, shape (measurements, visits)
        In the unit of the codebook; levels of a category count 0, 1, ... in public order; missing is NaN.
    end : numpy.ndarray of int, shape (patients,)
        Day on which follow-up ended.
    event : numpy.ndarray of int, shape (patients,)
        0 censored, else the number of the terminal event.
    """

    patient: np.ndarray
    day: np.ndarray
    values: np.ndarray
    end: np.ndarray
    event: np.ndarray

    @classmethod
    def of(cls, records: Records, schema: LongitudinalSchema) -> Self:
        """Arrays of validated records."""
        key = schema.patient_id
        position = records.patients.select(key).with_row_index("patient")
        visits = records.visits.join(position, on=key).sort("patient", schema.day)
        return cls(
            visits["patient"].to_numpy().astype(np.int64),
            visits[schema.day].to_numpy(),
            np.stack([numbers(visits[c.name], c) for c in schema.measurements]),
            records.patients[schema.follow_up.name].to_numpy(),
            records.patients[schema.event.name].to_physical().to_numpy().astype(np.int64),
        )

    @property
    def patients(self) -> int:
        """Number of patients."""
        return self.end.size

    @property
    def same(self) -> np.ndarray:
        """Whether a visit and the one after it are of one patient, shape (visits - 1,)."""
        return self.patient[1:] == self.patient[:-1]

    def drawn(self, chosen: np.ndarray) -> "Paths":
        """Patients at the positions ``chosen``, in that order; one may be there several times."""
        counts = np.bincount(self.patient, minlength=self.patients)
        starts = np.cumsum(counts) - counts
        lengths = counts[chosen]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        rows = np.repeat(starts[chosen], lengths) + within
        patient = np.repeat(np.arange(chosen.size), lengths)
        return Paths(patient, self.day[rows], self.values[:, rows], self.end[chosen], self.event[chosen])


def numbers(values: pl.Series, column: Column) -> np.ndarray:
    """A column as numbers, shape (rows,); see ``Paths.values``."""
    plain = values.cast(column.dtype).to_physical() if column.levels else values
    return plain.cast(pl.Float64).fill_null(float("nan")).to_numpy()
