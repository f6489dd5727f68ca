"""Kaplan-Meier curves whose steps stand for at least ``minimum_count`` events each.

Belongs here: where the curve steps, found by search on shares, and the curve from what is opened there. Does not belong
here: comparing curves (``log_rank``).

A curve steps where its events reach the next multiple of a little more than ``minimum_count``, and further on where that
makes fewer events than the minimum; a step is opened only while as many patients are at risk. Of a step the parties open the events, the patients at risk at its end, and the sum over its events of the
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
    ends = await _step_ends(rt, shares[1], shares[2], sizes, max(job.minimum_count, 1), steps)
    curves, notes = [], []
    for g, (name, opened) in enumerate(zip(own.names, await _opened_steps(rt, shares, ends), strict=True)):
        curves.append(_curve(own, name, int(sizes[g]), ends[g], opened))
        notes += _left(own, name, int(sizes[g]), ends[g], job)
    unit = {"column": own.scale.name, "interval": own.width * own.scale.step}
    return answer(job, notes, {"by": own.by, "time": unit, "curves": curves})


async def _step_ends(
    rt: Runtime, events: Shares, at_risk: Shares, sizes: np.ndarray, minimum: int, steps: Steps
) -> list[list[int]]:
    """Points at which each group's curve steps."""
    groups, length = events.shape
    if minimum == 1:
        before = np.concatenate([np.zeros((groups, 1), np.uint64), events[:, :-1]], axis=1)
        happened = await rt.open(rt.subtract(events, before)) > 0
        return [np.flatnonzero(row).tolist() for row in happened]
    # A little more than the minimum, so that a day with two events seldom leaves too few for the next step.
    spacing = minimum + max(1, minimum // 5)
    goals_of = [np.arange(spacing, max(size, 0) + 1, spacing) for size in sizes]
    rows, goals = np.repeat(np.arange(groups), [len(own) for own in goals_of]), np.concatenate(goals_of)
    steps.tell(f"search for at most {len(goals)} steps of the curves")
    found = await first_reaching(rt, events, goals, rows)
    ends = [np.unique(found[(rows == g) & (found < length)]) for g in range(groups)]
    at = np.repeat(np.arange(groups), [len(points) for points in ends]), np.concatenate(ends)
    enough = np.split(await large_enough(rt, at_risk[at], minimum), np.cumsum([len(points) for points in ends])[:-1])
    return await _merged(rt, events, [points[safe] for points, safe in zip(ends, enough, strict=True)], minimum)


async def _merged(rt: Runtime, events: Shares, ends: list[np.ndarray], minimum: int) -> list[list[int]]:
    """Ends of steps with enough events each: after a day with many events the next multiple comes too soon."""
    while True:
        reached = [events[g, points] for g, points in enumerate(ends)]
        before = [np.concatenate([np.zeros(1, np.uint64), own[:-1]])[: len(own)] for own in reached]
        happened = rt.subtract(np.concatenate(reached), np.concatenate(before))
        enough = np.split(await large_enough(rt, happened, minimum), np.cumsum([len(own) for own in reached])[:-1])
        if all(safe.all() for safe in enough):
            return [points.tolist() for points in ends]
        # Of steps in a row that are too small every second one is joined to the next.
        ends = [points[safe | ~_starts(~safe)] for points, safe in zip(ends, enough, strict=True)]


def _starts(small: np.ndarray) -> np.ndarray:
    """First, third, ... of each run of true values."""
    chosen = np.zeros(len(small), dtype=bool)
    for i in np.flatnonzero(small):
        chosen[i] = i == 0 or not chosen[i - 1]
    return chosen


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
