"""Programs that tests run: small, and some that misbehave."""

import asyncio
from typing import Any

import numpy as np

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.runtime import Runtime
from federation.site import Site
from records.errors import ParameterError


async def total(runtime: Runtime, site: Site, job: Job, steps: Steps) -> dict[str, Any]:
    """Patients of all parties."""
    own = site.table(job.dataset, job.columns, job.filters).height if job.dataset in site.datasets() else 0
    if job.rho is not None:
        steps.spend(job.rho)
    shares = await runtime.input_sum(np.array([own]), (1,))
    return {"patients": int((await runtime.open(shares))[0])}


async def session(runtime: Runtime, site: Site, job: Job, steps: Steps) -> dict[str, Any]:
    """Each step asks for the sum of a number of every party, and may cost something."""
    async for request in steps:
        if "rho" in request:
            steps.spend(request["rho"])
        values = np.arange(request["size"]) * request["factor"]
        await steps.answer(await runtime.open(await runtime.input_sum(values, values.shape)))
    return {"steps": steps.number}


async def lasting(runtime: Runtime, site: Site, job: Job, steps: Steps) -> dict[str, Any]:
    """A sum that is opened even if a party is lost after it has shared."""
    shares = await runtime.input_sum(np.array([runtime.index + 1]), (1,))
    return {"total": int((await runtime.open(shares, survive=True))[0])}


async def slow(runtime: Runtime, site: Site, job: Job, steps: Steps) -> dict[str, Any]:
    """Goes on for long, speaking all the time."""
    for _ in range(2000):
        await runtime.open(await runtime.input_sum(np.ones(1, np.int64), (1,)))
        await asyncio.sleep(0.01)
    return {}


async def selfish(runtime: Runtime, site: Site, job: Job, steps: Steps) -> dict[str, Any]:
    """Reports another result than the rest at the party with the number that the job names."""
    return {"index": runtime.index == job.parameters["odd"]}


async def broken(runtime: Runtime, site: Site, job: Job, steps: Steps) -> dict[str, Any]:
    """Breaks at one party, with words that quote its data."""
    if runtime.index == job.parameters["odd"]:
        raise RuntimeError("patient p17 is ill")
    await runtime.open(await runtime.input_sum(np.ones(1, np.int64), (1,)))
    return {}


async def unfit(runtime: Runtime, site: Site, job: Job, steps: Steps) -> dict[str, Any]:
    """Refuses the job's parameters everywhere."""
    raise ParameterError("bins must be positive, got -1; choose more")


PROGRAMS = {
    "sum": total, "steps": session, "lasting": lasting, "slow": slow, "selfish": selfish, "broken": broken, "unfit": unfit,
}  # fmt: skip
