"""The log-rank test of two or more groups, divided on shares.

Belongs here: observed and expected events and their covariance, as from pooled patients. Opened are these sums only; the
numbers at risk and the events of each day stay shared. Does not belong here: curves (``survival``).

References
----------
Mantel (1966), Cancer Chemotherapy Reports 50:163. Peto and Peto (1972), Journal of the Royal Statistical Society A 135:185.
"""

import numpy as np

from federation import field
from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.protocols.division import FRACTION, inverses, truncated
from federation.protocols.follow_up import follow_up
from federation.protocols.patients import patients
from federation.protocols.suppression import SUPPRESSED, Result, answer, left_out, opened_counts
from federation.protocols.tails import chi_squared
from federation.runtime import Runtime, Shares
from federation.site import Site
from records.errors import ParameterError

POINTS = 1000
_BITS = 57  # of expected events in fixed point
RATIO, COUNT = 14, 10  # bits of shares of the groups, and of events, in the covariance


async def log_rank(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """Whether the survival of the groups ``by`` differs; groups that are too small are left out of the test.

    ``interval`` coarsens time to so many recording steps; by default to at most 1,000 points.
    """
    if "by" not in job.parameters:
        raise ParameterError("a log-rank test must name groups, got none; set by to a category of the columns")
    own = follow_up(await patients(rt, site, job), job, points=POINTS)
    counted = np.stack([own.events_at(), own.at_risk()])
    shares = await rt.input_sum(counted, counted.shape)
    sizes = await opened_counts(rt, shares[1, :, 0], job.minimum_count)
    died = await opened_counts(rt, _total(shares[0]), job.minimum_count)
    kept = np.flatnonzero((sizes != SUPPRESSED) & (died != SUPPRESSED))
    notes = [left_out(f"{own.names[g]} (patients or events)", job) for g in range(len(own.names)) if g not in kept]
    names = [own.names[g] for g in kept]
    groups = [{"group": n, "patients": int(sizes[g]), "events": int(died[g])} for n, g in zip(names, kept, strict=True)]
    if len(kept) < 2:
        return answer(job, notes, {"by": own.by, "groups": groups, "statistic": None, "p_value": None})
    steps.tell("division by the numbers at risk")
    expected, covariance = await _compared(rt, shares[:, kept], int(sizes[kept].sum()))
    for group, number in zip(groups, expected, strict=True):
        group["expected"] = float(number)
    statistic = _statistic(died[kept] - expected, covariance)
    tested = {"statistic": statistic, "degrees": len(kept) - 1, "p_value": chi_squared(statistic, len(kept) - 1)}
    return answer(job, notes, {"by": own.by, "interval": own.width, "groups": groups, **tested})


async def _compared(rt: Runtime, shares: Shares, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Expected events, and the covariance of observed less expected ones, of all groups but the last."""
    events, at_risk = shares
    deaths, total = (_total(part.T) for part in (events, at_risk))
    counts = np.stack([total, rt.subtract(total, rt.public(1, total.shape))])
    # Nobody dies where nobody is at risk, nor two where one is: what their inverses are does not matter.
    top = max(1, most.bit_length())
    bits = min(FRACTION, _BITS - 2 * top)
    inverse = await inverses(rt, counts, top=top, precision=bits)
    share = await _times(rt, at_risk, inverse[0], bits + top - RATIO)
    expected = await rt.inner((await rt.multiply(deaths, inverse[0]))[None], at_risk.T.copy())
    ties = await rt.multiply(deaths, rt.subtract(deaths, rt.public(1, deaths.shape)))
    tied = await _times(rt, ties[None], inverse[1], bits + top - COUNT)
    weight = rt.subtract(rt.scale(deaths, 1 << COUNT), tied[0])
    free = share[:-1]
    weighted = await rt.multiply(np.broadcast_to(weight, free.shape), free)
    products = await rt.inner(weighted, free.T.copy())
    opened = await rt.open(np.concatenate([expected.ravel(), _total(weighted), products.ravel()]))
    own, alone, both = np.split(opened.astype(float), np.cumsum([len(at_risk), len(free)]))
    covariance = np.diag(alone) / 2 ** (COUNT + RATIO) - both.reshape(len(free), -1) / 2 ** (COUNT + 2 * RATIO)
    return own / 2 ** (bits + top), covariance


async def _times(rt: Runtime, numbers: Shares, inverse: Shares, bits: int) -> Shares:
    return await truncated(rt, await rt.multiply(numbers, np.broadcast_to(inverse, numbers.shape)), bits)


def _statistic(difference: np.ndarray, covariance: np.ndarray) -> float:
    free = difference[:-1]
    return float(free @ np.linalg.pinv(covariance) @ free)


def _total(shares: Shares) -> Shares:
    """Sum over the last axis of a matrix."""
    return field.matmul(shares, np.ones((shares.shape[1], 1), dtype=np.uint64))[:, 0]
