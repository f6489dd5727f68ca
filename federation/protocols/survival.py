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

import numpy as np

from federation import field
from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.protocols.follow_up import FollowUp, follow_up
from federation.protocols.patients import patients
from federation.protocols.search import first_reaching
from federation.protocols.suppression import SUPPRESSED, Left, Result, answer, large_enough, left_out, opened_counts
from federation.protocols.tails import NORMAL_95
from federation.runtime import Runtime, Shares
from federation.site import Site


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
