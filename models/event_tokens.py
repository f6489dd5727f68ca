"""Longitudinal records as events in level numbers: one row per visit, with what came next.

Belongs here: the vocabulary of events (a visit, the end of follow-up, each terminal event), the gap to them, and the
state before and after. Does not belong here: learning from them, or counting them (``event_tables``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from records.discretisation import encode_column, level_count
from records.longitudinal import LongitudinalSchema, Records

NUMBER, BAND, NEXT = "visit number", "band", "what comes next"
WAIT, TAIL = "days to the next visit", "days to the end"
END, COUNT, PHASE = "event and follow-up", "visits so far", "early or later visit"
STARTS = np.array([1, 2, 3, 4, 6, 9, 12])
EARLY = 2  # visits of the early phase, in which the next one usually follows sooner
VISIT = 0

Codes = dict[str, np.ndarray]


def later(name: str) -> str:
    """Attribute that holds a measurement at the next visit."""
    return f"next {name}"


def number_level(number: np.ndarray) -> np.ndarray:
    """Level of visit numbers 1, 2, ...: 1, 2, 3, 4-5, 6-8, 9-11, 12 and more."""
    return np.searchsorted(STARTS, number, side="right") - 1


def phase(number: np.ndarray) -> np.ndarray:
    """0 for early visits and 1 for later ones."""
    return (number > EARLY).astype(np.int64)


def event_levels(schema: LongitudinalSchema) -> dict[str, int]:
    """Number of levels of every attribute of an event row."""
    levels = {c.name: level_count(c) for c in (*schema.baseline, *schema.measurements)}
    levels |= {later(c.name): level_count(c) for c in schema.measurements}
    gaps = level_count(schema.gap)
    return levels | {
        NUMBER: len(STARTS), BAND: level_count(schema.visits[schema.day]), NEXT: 1 + len(schema.event.levels),
        WAIT: gaps, TAIL: gaps, END: len(schema.event.levels) * level_count(schema.follow_up),
        COUNT: schema.most_visits, PHASE: 2,
    }  # fmt: skip


@dataclass(frozen=True)
class Events:
    """Visits in the order of patients and days.

    Parameters
    ----------
    patient, number : numpy.ndarray of int, shape (visits,)
        Position of the patient, and the visit's number from 1.
    codes : dict of str to numpy.ndarray of int, shape (visits,)
        Level numbers of every attribute. ``NEXT`` is 0 for a visit and else 1 + the level of the event column;
        attributes of the next visit, and ``WAIT``, mean something only if a visit comes next, ``TAIL`` only if not;
        ``END`` is the patient's.
    """

    patient: np.ndarray
    number: np.ndarray
    codes: Mapping[str, np.ndarray]

    @property
    def goes_on(self) -> np.ndarray:
        """Whether a visit comes next, shape (visits,)."""
        return self.codes[NEXT] == VISIT


def events_of(records: Records, schema: LongitudinalSchema) -> Events:
    """Encode validated records; visits beyond ``most_visits`` are dropped, which keeps the days to the end."""
    key, day = schema.patient_id, schema.day
    position = records.patients.select(key).with_row_index("patient")
    visits = records.visits.join(position, on=key, maintain_order="left").sort("patient", day)
    visits = visits.with_columns(number=pl.int_range(1, pl.len() + 1).over("patient"))
    visits = visits.filter(pl.col("number") <= schema.most_visits)
    patient = visits["patient"].to_numpy().astype(np.int64)
    number, days = visits["number"].to_numpy(), visits[day].to_numpy()
    goes_on = np.append(patient[1:] == patient[:-1], False)
    ends = records.patients[schema.follow_up.name].to_numpy()[patient]
    after = np.where(goes_on, np.append(days[1:], 0), ends)
    gap = encode_column(pl.Series(np.clip(after - days, *_bounds(schema))), schema.gap)
    kind = encode_column(records.patients[schema.event.name], schema.event)[patient]
    codes: Codes = {c.name: encode_column(records.patients[c.name], c)[patient] for c in schema.baseline}
    for column in schema.measurements:
        codes[column.name] = encode_column(visits[column.name], column)
        codes[later(column.name)] = np.append(codes[column.name][1:], 0)
    codes |= {
        COUNT: number - 1,
        PHASE: phase(number),
        NUMBER: number_level(number),
        BAND: encode_column(visits[day], schema.visits[day]),
    }
    codes |= {NEXT: np.where(goes_on, VISIT, 1 + kind), WAIT: gap, TAIL: gap}
    return Events(patient, number, codes | {END: end_level(kind, ends, schema)})


def alike(records: Records, schema: LongitudinalSchema, wanted: pl.DataFrame) -> pl.Series:
    """Whether each patient has the levels of ``wanted`` (one row of baseline and first visit), in patients' order."""
    first = records.visits.filter(pl.col(schema.day) == 0)
    table = records.patients.join(first, on=schema.patient_id, maintain_order="left")
    columns = [c for c in (*schema.baseline, *schema.measurements) if c.name in wanted.columns]
    same = [encode_column(table[c.name], c) == encode_column(wanted[c.name], c)[0] for c in columns]
    return pl.Series(np.logical_and.reduce(same))


def end_level(event: np.ndarray, day: np.ndarray, schema: LongitudinalSchema) -> np.ndarray:
    """Level of how (level of the event column) and when (day) follow-up ended, shape of ``day``."""
    return event * level_count(schema.follow_up) + encode_column(pl.Series(day), schema.follow_up)


def _bounds(schema: LongitudinalSchema) -> tuple[float, float]:
    return float(schema.gap.minimum or 0), float(schema.gap.maximum or 0)
