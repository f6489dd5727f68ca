"""Quantiles by bisection on shares: only the answer to "are there enough values up to here?" is opened.

Belongs here: exact quantiles of the pooled values, at the codebook's recording steps. Each opened bit follows from the
result. A quantile is one patient's value, so it is given only with ``minimum_count`` patients up to it and as many from
it on. Does not belong here: quantiles with noise.
"""

import math
from collections.abc import Sequence

import numpy as np

from federation.comparison import negative
from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.protocols.patients import patients
from federation.protocols.scaling import Scale
from federation.protocols.suppression import SUPPRESSED, Left, Result, answer, left_out, opened_counts
from federation.runtime import Runtime
from federation.site import Site
from records.errors import ParameterError

QUARTILES = (0.25, 0.5, 0.75)
Goal = tuple[int, int]  # position of the column, rank


async def quantiles(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """The smallest value with at least a share ``q`` of the patients up to it, for each column and each of ``shares``.

    That is numpy's method ``inverted_cdf``.
    """
    held, wanted = await patients(rt, site, job), _shares(job)
    scales = [Scale.of(held.schema[name]) for name in job.columns]
    own = [np.sort(scale.integers(held.table[scale.name].drop_nulls())) for scale in scales]
    sizes = np.array([len(values) for values in own], dtype=np.int64)
    counts = await opened_counts(rt, await rt.input_sum(sizes, sizes.shape), max(job.minimum_count, 1))
    goals, notes = _goals(counts, scales, wanted, job)
    steps.tell(f"bisection for {len(goals)} quantiles")
    found = dict(zip(goals, await _bisected(rt, own, scales, goals), strict=True))
    columns = [_column(scale, c, int(counts[c]), wanted, found) for c, scale in enumerate(scales)]
    return answer(job, notes, {"shares": list(wanted), "columns": columns})


def _shares(job: Job) -> Sequence[float]:
    given = job.parameters.get("shares", list(QUARTILES))
    shares = [given] if isinstance(given, int | float) else given
    if not isinstance(shares, list | tuple) or not all(isinstance(q, int | float) and 0 < q < 1 for q in shares):
        raise ParameterError(f"shares must lie between 0 and 1, got {given}; choose for instance 0.5")
    return [float(q) for q in shares]  # type: ignore[arg-type]


def _rank(share: float, count: int) -> int:
    return max(1, math.ceil(share * count - 1e-9))


def _goals(
    counts: np.ndarray, scales: Sequence[Scale], wanted: Sequence[float], job: Job
) -> tuple[list[Goal], list[Left]]:
    goals: list[Goal] = []
    notes: list[Left] = []
    for c, scale in enumerate(scales):
        n = int(counts[c])
        if n == SUPPRESSED:
            notes.append(left_out(scale.name, job))
            continue
        for share in wanted:
            rank = _rank(share, n)
            if min(rank, n - rank + 1) < job.minimum_count:
                notes.append(left_out(f"{scale.name} at {share:g}, on one side of it", job))
            elif (c, rank) not in goals:
                goals.append((c, rank))
    return goals, notes


async def _bisected(
    rt: Runtime, own: Sequence[np.ndarray], scales: Sequence[Scale], goals: Sequence[Goal]
) -> list[int]:
    low = np.zeros(len(goals), dtype=np.int64)
    high = np.array([scales[c].span for c, _ in goals], dtype=np.int64)
    ranks = np.array([rank for _, rank in goals], dtype=np.int64)
    while (low < high).any():
        middle = (low + high) // 2
        below = np.array([np.searchsorted(own[c], m, side="right") for (c, _), m in zip(goals, middle, strict=True)])
        shares = rt.subtract(await rt.input_sum(below, below.shape), rt.public(ranks))
        short = await rt.open(await negative(rt, shares)) == 1
        low, high = np.where(short, middle + 1, low), np.where(short, high, middle)
        low = np.minimum(low, high)
    return low.tolist()


def _column(scale: Scale, c: int, n: int, wanted: Sequence[float], found: dict[Goal, int]) -> dict[str, object]:
    if n == SUPPRESSED:
        return {"column": scale.name, "count": None, "values": [None] * len(wanted)}
    at = [found.get((c, _rank(share, n))) for share in wanted]
    return {"column": scale.name, "count": n, "values": [None if i is None else scale.value(i) for i in at]}
