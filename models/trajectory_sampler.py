"""Drawing histories visit by visit: given a first visit, what comes next, when, and in which state.

Belongs here: the loop over visits, for many patients at once, in level numbers and days. Does not belong here:
learning (``additive_logit``), or level numbers back to tables (``progression``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from models.additive_logit import AdditiveLogit, drawn
from models.decode import decode_column
from models.event_tokens import BAND, NEXT, NUMBER, PHASE, TAIL, VISIT, WAIT, Codes, later, number_level, phase
from records.discretisation import encode_column
from records.longitudinal import LongitudinalSchema


@dataclass(frozen=True)
class Histories:
    """Drawn visits, and how each patient's follow-up ended.

    Parameters
    ----------
    patient, day : numpy.ndarray of int, shape (visits,)
    codes : dict of str to numpy.ndarray of int, shape (visits,)
        Levels of the measurements.
    end : numpy.ndarray of int, shape (patients,)
        Day on which follow-up ended.
    event : numpy.ndarray of int, shape (patients,)
        Level of the event column.
    """

    patient: np.ndarray
    day: np.ndarray
    codes: Codes
    end: np.ndarray
    event: np.ndarray


def histories(
    logits: Mapping[str, AdditiveLogit], first: Codes, schema: LongitudinalSchema, rng: np.random.Generator
) -> Histories:
    """One history for each row of ``first``, which holds the levels of baseline and first visit.

    A history ends with a terminal event, with the end of follow-up, or when the codebook's bounds are reached: at visit
    ``most_visits`` something else must come next, and what would come after the longest follow-up is not observed.
    """
    patients = len(next(iter(first.values())))
    base, state = [c.name for c in schema.baseline], [c.name for c in schema.measurements]
    left, day, now = np.arange(patients), np.zeros(patients, dtype=np.int64), dict(first)
    end, event = np.zeros(patients, dtype=np.int64), np.zeros(patients, dtype=np.int64)
    visits: list[tuple[np.ndarray, np.ndarray, Codes]] = []
    for number in range(1, schema.most_visits + 1):
        visits.append((left, day, {name: now[name] for name in state}))
        gap = _what_and_when(logits, now, day, number, schema, rng)
        on = now[NEXT] == VISIT
        end[left[~on]], event[left[~on]] = (day + gap)[~on], now[NEXT][~on] - 1
        now, left, day = {name: levels[on] for name, levels in now.items()}, left[on], (day + gap)[on]
        if not left.size:
            break
        for name in state:
            now[later(name)] = logits[later(name)].draw(now, left.size, rng)
        now = {name: now[name] for name in base} | {name: now[later(name)] for name in state}
    patient, days = np.concatenate([v[0] for v in visits]), np.concatenate([v[1] for v in visits])
    order = np.lexsort((days, patient))
    codes = {name: np.concatenate([v[2][name] for v in visits])[order] for name in state}
    return Histories(patient[order], days[order], codes, end, event)


def _what_and_when(
    logits: Mapping[str, AdditiveLogit], now: Codes, day: np.ndarray, number: int, schema: LongitudinalSchema,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Add to ``now`` what comes next and when, and return the days until then."""
    rows, longest = day.size, int(schema.follow_up.maximum or 0)
    now[NUMBER] = np.full(rows, number_level(np.array(number)))
    now[PHASE] = np.full(rows, phase(np.array(number)))
    now[BAND] = encode_column(pl.Series(day), schema.visits[schema.day])
    odds = logits[NEXT].log_odds(now, rows)
    if number == schema.most_visits:
        odds[:, VISIT] = -np.inf
    now[NEXT] = drawn(odds, rng)
    now[WAIT], now[TAIL] = logits[WAIT].draw(now, rows, rng), logits[TAIL].draw(now, rows, rng)
    on = now[NEXT] == VISIT
    gap = decode_column(np.where(on, now[WAIT], now[TAIL]), schema.gap, rng).to_numpy().astype(np.int64)
    gap = np.maximum(gap, on)
    beyond = day + gap > longest
    now[NEXT] = np.where(beyond, VISIT + 1, now[NEXT])
    return np.where(beyond, longest - day, gap)
