"""Tables on shares, opened: exactly and without small counts, or with noise that no party knows.

Belongs here: the one way in which tables leave the protocol. Does not belong here: drawing the noise (``noise``).
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.noise import Drawers, gaussian_part, gaussian_rho
from federation.protocols.contributions import bounded_sum
from federation.protocols.suppression import SUPPRESSED, opened_with_totals
from federation.runtime import Runtime, Shares
from records.errors import ParameterError


class Opened(NamedTuple):
    """Tables with suppressed counts marked, and what their noise was; ``None`` without noise."""

    tables: list[np.ndarray]
    privacy: dict[str, Any] | None


async def opened_tables(rt: Runtime, job: Job, steps: Steps, own: Sequence[np.ndarray]) -> Opened:
    """Sums of all parties' tables. With the job's parameter ``bound`` each party's part is proved to be within it."""
    bound = job.parameters.get("bound")
    shares = []
    for table in own:
        if bound is None:
            shares.append(await rt.input_sum(table, table.shape))
        elif isinstance(bound, int) and not isinstance(bound, bool):
            steps.tell("proofs of each party's contribution")
            shares.append(await bounded_sum(rt, table, bound=bound))
        else:
            raise ParameterError(f"bound must be the most patients of a party, got {bound}; choose for instance 100000")
    return await opened_shares(rt, job, steps, shares)


async def opened_shares(rt: Runtime, job: Job, steps: Steps, tables: Sequence[Shares]) -> Opened:
    """Tables of which one patient changes one cell by one each; with noise if the job has a rho."""
    flat = np.concatenate([table.ravel() for table in tables])
    if job.rho is None:
        steps.tell(f"opening {flat.size} cells")
        return Opened(await opened_with_totals(rt, tables, job.minimum_count), None)
    drawers = Drawers(rt.parties, job.colluding)
    sigma = sigma_for(job.rho, [table.size for table in tables], drawers)
    steps.spend(_cost(sigma, [table.size for table in tables], drawers))
    steps.tell(f"noise for {flat.size} cells")
    noise = await rt.input_sum(gaussian_part(flat.shape, sigma, drawers), flat.shape)
    # All that cost privacy is in the shares by now: a party that is lost here need not cost the budget again.
    counts = await rt.open(rt.add(flat, noise), survive=True)
    if job.minimum_count:
        counts = np.where(counts < job.minimum_count, SUPPRESSED, counts)
    return Opened(_cut(counts, tables), _described(job, sigma, drawers))


def sigma_for(rho: float, cells: Sequence[int], drawers: Drawers) -> float:
    """Scale of noise at which tables of these numbers of cells cost at most ``rho`` together."""
    low = high = math.sqrt(len(cells) / (2 * rho))
    while _cost(high, cells, drawers) > rho:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if _cost(middle, cells, drawers) <= rho else (middle, high)
    return high


def _cost(sigma: float, cells: Sequence[int], drawers: Drawers) -> float:
    return sum(gaussian_rho(sigma, size, drawers) for size in cells)


def _described(job: Job, sigma: float, drawers: Drawers) -> dict[str, Any]:
    """``sd`` is what errs in the result, ``sigma`` what protects after colluders took their parts away."""
    return {
        "rho": job.rho, "epsilon": job.epsilon, "delta": job.delta, "sigma": sigma, "collusion": drawers.collusion,
        "sd": sigma * math.sqrt(drawers.parties / drawers.honest),
    }  # fmt: skip


def _cut(flat: np.ndarray, tables: Sequence[Shares]) -> list[np.ndarray]:
    ends = np.cumsum([table.size for table in tables])[:-1]
    return [part.reshape(table.shape) for part, table in zip(np.split(flat, ends), tables, strict=True)]
