"""Kaplan-Meier curves whose steps stand for at least ``minimum_count`` events each.

Belongs here: where the curve steps, found by search on shares, and the curve from what is opened there. Does not belong
here: comparing curves (``log_rank``).

Days with events are piled up until ``minimum_count`` events make a step, and a step is opened only while as many patients
are at risk. Of a step the parties open the events, the patients at risk at its end, and the sum over its events of the
patients that were not censored before each, plain and weighted by the events before. From these two follows the line
that tells best how many were at risk at each of the step's events: with steps of one day the curve is the pooled one, with
wider steps it is so as far as censoring is even inside a step. How many patients were censored between two opened steps
follows from the result and may be below ``minimum_count``.

References
----------
Kaplan and Meier (1958), Journal of the American Statistical Association 53:457. Greenwood (1926), for the variance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from federation import field
from federation.comparison import negative
from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.protocols.patients import Patients, patients
from federation.protocols.scaling import Scale
from federation.protocols.suppression import SUPPRESSED, Left, Result, answer, large_enough, left_out, opened_counts
from federation.runtime import Runtime, Shares
from federation.site import Site
from records.discretisation import encode_column
from records.errors import ParameterError
from records.schema import Column, Kind, Role

PIVOTS = 64
MOST_TIMES = 2**16
NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class FollowUp:
    """This party's patients with known follow-up: time in the grid's steps, event, and group number."""

    times: np.ndarray
    events: np.ndarray
    groups: np.ndarray
    names: tuple[str, ...]
    by: str | None
    scale: Scale
    width: int

    @property
    def length(self) -> int:
        """Points of the grid."""
        return self.scale.span // self.width + 1

    def events_at(self) -> np.ndarray:
        """Events, shape (groups, points)."""
        return self._counted(self.events)

    def at_risk(self) -> np.ndarray:
        """Patients whose time is not before each point, shape (groups, points)."""
        left = self._counted(np.ones(len(self.times), dtype=bool))
        return left[:, ::-1].cumsum(axis=1)[:, ::-1]

    def day(self, point: int) -> float:
        """Time in the column's unit."""
        return self.scale.value(point * self.width)

    def _counted(self, chosen: np.ndarray) -> np.ndarray:
        flat = self.groups[chosen] * self.length + self.times[chosen]
        return np.bincount(flat, minlength=len(self.names) * self.length).reshape(len(self.names), self.length)


async def kaplan_meier(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """Survival curves, of all patients or by the levels of the category ``by``.

    The job's columns are time, event and the category. ``interval`` coarsens time to so many recording steps.
    """
    own = follow_up(await patients(rt, site, job), job)
    counted = np.stack([own.events_at(), own.events_at().cumsum(axis=1), own.at_risk()])
    shares = await rt.input_sum(counted, counted.shape)
    sizes = await opened_counts(rt, shares[2, :, 0], job.minimum_count)
    ends = await _step_ends(rt, shares[1], shares[2], sizes != SUPPRESSED, max(job.minimum_count, 1), steps)
    curves, notes = [], []
    for g, (name, opened) in enumerate(zip(own.names, await _opened_steps(rt, shares, ends), strict=True)):
        curves.append(_curve(own, name, int(sizes[g]), ends[g], opened))
        notes += _left(own, name, int(sizes[g]), ends[g], job)
    unit = {"column": own.scale.name, "interval": own.width * own.scale.step}
    return answer(job, notes, {"by": own.by, "time": unit, "curves": curves})


def follow_up(held: Patients, job: Job) -> FollowUp:
    """Time, event and group of the patients for whom they are known.

    Raises
    ------
    ParameterError
        The columns are not a time, an event and at most one category.
    """
    columns = [held.schema[name] for name in job.columns]
    time, event = (_only(columns, role) for role in (Role.TIME, Role.EVENT))
    by = [column for column in columns if column not in (time, event) and column.name == job.parameters.get("by")]
    if "by" in job.parameters and (not by or by[0].kind is not Kind.CATEGORY):
        raise ParameterError(f"by must be a category among the job's columns, got {job.parameters['by']}; add it")
    scale, width = Scale.of(time), _width(job)
    if scale.span // width >= MOST_TIMES:
        raise ParameterError(f"time must have at most {MOST_TIMES} points, got {scale.span // width}; raise interval")
    used = [time.name, event.name, *(column.name for column in by)]
    known = held.table.select(used).drop_nulls()
    group = encode_column(known[by[0].name], by[0]) if by else np.zeros(known.height, np.int64)
    # Rounded up, as an event is known to have happened by the end of an interval.
    points = -(-scale.integers(known[time.name]) // width)
    names = tuple(by[0].levels.values()) if by else ("all",)
    died = (known[event.name].cast(pl.String) == "1").to_numpy()
    return FollowUp(points, died, group.astype(np.int64), names, by[0].name if by else None, scale, width)


async def first_reaching(rt: Runtime, rising: Shares, goal: Shares, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """For each row the first point in [start, stop) where ``rising`` is at least ``goal``, and ``stop`` if there is none.

    Parameters
    ----------
    rising : shares of shape (rows, points), rising along each row
    goal : shares of shape (rows,)
    """
    low, high, rows = start.copy(), stop.copy(), np.arange(len(start))[:, None]
    while (low < high).any():
        pivots = low[:, None] + (np.maximum(high - 1 - low, 0)[:, None] * np.linspace(0, 1, PIVOTS)).astype(np.int64)
        pivots[:, -1] = np.maximum(high - 1, low)
        pivots = np.minimum(pivots, rising.shape[1] - 1)
        short = await negative(rt, rt.subtract(rising[rows, pivots], np.broadcast_to(goal[:, None], pivots.shape)))
        reached = await rt.open(short) == 0
        first = np.where(reached.any(axis=1), reached.argmax(axis=1), PIVOTS)
        before = np.take_along_axis(pivots, np.clip(first - 1, 0, PIVOTS - 1)[:, None], axis=1)[:, 0] + 1
        at = np.take_along_axis(pivots, np.clip(first, 0, PIVOTS - 1)[:, None], axis=1)[:, 0]
        open_ = low < high
        high = np.where(open_ & (first < PIVOTS), at, high)
        low = np.where(open_ & (first > 0), np.minimum(before, high), low)
        low = np.where(open_ & (first == 0), high, low)
    return high


async def _step_ends(
    rt: Runtime, events: Shares, at_risk: Shares, going: np.ndarray, minimum: int, steps: Steps
) -> list[list[int]]:
    """Points at which each group's curve steps."""
    groups, length = events.shape
    if minimum == 1:
        before = np.concatenate([np.zeros((groups, 1), np.uint64), events[:, :-1]], axis=1)
        happened = await rt.open(rt.subtract(events, before)) > 0
        return [np.flatnonzero(row).tolist() for row in happened]
    ends: list[list[int]] = [[] for _ in range(groups)]
    reached = np.zeros(groups, dtype=np.uint64)
    start = np.zeros(groups, dtype=np.int64)
    rows = np.arange(groups)
    while going.any():
        steps.tell(f"step {max(map(len, ends)) + 1} of the curves")
        goal = rt.add(reached, rt.public(minimum, (groups,)))
        found = await first_reaching(rt, events, goal, np.where(going, start, length), np.full(groups, length))
        going = going & (found < length)
        at = np.minimum(found, length - 1)
        going = going & await large_enough(rt, at_risk[rows, at], minimum)
        for g in np.flatnonzero(going):
            ends[g].append(int(at[g]))
        reached = np.where(going, events[rows, at], reached)
        start = np.where(going, at + 1, start)
        going = going & (start < length)
    return ends


async def _opened_steps(rt: Runtime, shares: Shares, ends: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """Events, at risk, and the two sums of uncensored patients of each step; shape (4, steps) for each group."""
    at, cumulative, at_risk = shares
    before = rt.subtract(cumulative, at)
    uncensored = await rt.multiply(at, rt.add(at_risk, before))
    # Twice the mean number of events before each event of a day.
    rank = rt.subtract(rt.add(rt.scale(before, 2), at), rt.public(1, at.shape))
    weighted = await rt.multiply(uncensored, rank)
    parts = []
    for g, points in enumerate(ends):
        inside = _inside(points, at.shape[1])
        summed = field.matmul(inside, np.stack([at[g], uncensored[g], weighted[g]], axis=1)).T
        parts.append(np.stack([summed[0], at_risk[g, list(points)], summed[1], summed[2]]))
    if not any(part.size for part in parts):
        return parts
    opened = await rt.open(np.concatenate(parts, axis=1))
    return np.split(opened, np.cumsum([part.shape[1] for part in parts])[:-1], axis=1)


def _inside(points: Sequence[int], length: int) -> np.ndarray:
    """Which points of the grid each step holds, as 0 and 1 of the field, shape (steps, points)."""
    starts = np.array([-1, *points[:-1]] if points else [], dtype=np.int64)
    grid = np.arange(length)
    return ((grid > starts[:, None]) & (grid <= np.array(points, dtype=np.int64)[:, None])).astype(np.uint64)


def _curve(own: FollowUp, name: str, size: int, points: Sequence[int], opened: np.ndarray) -> dict[str, object]:
    """The curve as columns of equal length, ready to be drawn as steps."""
    survival, spread, happened = 1.0, 0.0, 0
    rows = [(own.day(0), 1.0, 1.0, 1.0, size, 0)] if size != SUPPRESSED else []
    for point, (events, at_risk, plain, weighted) in zip(points, opened.T.tolist(), strict=True):
        exposed = np.maximum(_at_risk_at_each(events, plain, weighted / 2, happened), 1.0)
        happened += events
        survival *= float(np.prod(1 - 1 / exposed))
        spread += float(np.sum(1 / (exposed * np.maximum(exposed - 1, 1e-9))))
        rows.append((own.day(point), survival, *_interval(survival, spread), at_risk, events))
    names = ("times", "survival", "lower", "upper", "at_risk", "events")
    columns = [list(values) for values in zip(*rows, strict=True)] or [[] for _ in names]
    median = next((time for time, level, *_ in rows if level <= 0.5), None)
    patients_ = None if size == SUPPRESSED else size
    return {"group": name, "patients": patients_, **dict(zip(names, columns, strict=True)), "median": median}


def _at_risk_at_each(events: int, plain: float, weighted: float, before: int) -> np.ndarray:
    """Patients at risk at each event of a step, if the uncensored ones fall along a line from event to event."""
    rank = np.arange(events)
    middle = (events - 1) / 2
    spread = events * (events**2 - 1) / 12
    slope = (weighted - before * plain - middle * plain) / spread if events > 1 else 0.0
    return plain / events + slope * (rank - middle) - before - rank


def _interval(survival: float, spread: float) -> tuple[float, float]:
    """95% by the log-log transformation of Greenwood's variance."""
    if not 0 < survival < 1:
        return survival, survival
    width = NORMAL_95 * math.sqrt(spread) / math.log(survival)
    return survival ** math.exp(-width), survival ** math.exp(width)


def _left(own: FollowUp, name: str, size: int, points: Sequence[int], job: Job) -> list[Left]:
    if size == SUPPRESSED:
        return [left_out(f"the curve of {name}", job)]
    if points and points[-1] == own.length - 1:
        return []
    last = own.day(points[-1]) if points else own.day(0)
    why = f"fewer than {job.minimum_count} events, or patients at risk"
    return [{"what": f"the curve of {name} after {last:g}", "why": why}]


def _only(columns: Sequence[Column], role: Role) -> Column:
    found = [column for column in columns if column.role is role]
    if len(found) != 1:
        raise ParameterError(f"columns must hold one {role} column, got {len(found)}; name the codebook's")
    return found[0]


def _width(job: Job) -> int:
    width = job.parameters.get("interval", 1)
    if not isinstance(width, int) or isinstance(width, bool) or width < 1:
        raise ParameterError(f"interval must be a whole number of recording steps, got {width}; choose for instance 7")
    return width
