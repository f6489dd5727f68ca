"""All parties of a job as tasks of one process, over real cohorts split by hospital."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.mesh import local_meshes
from federation.runtime import Runtime
from federation.site import TableSite
from records.schema import Schema
from use_cases.registry import discover

Program = Callable[[Runtime, TableSite, Job, Steps], Awaitable[dict[str, Any]]]
START = datetime(2026, 1, 1, tzinfo=UTC)


def a_job(kind: str, columns: Sequence[str] = (), parties: int = 3, **given: Any) -> Job:
    """A valid job on the data set ``ward``."""
    defaults: dict[str, Any] = {"id": str(uuid.uuid4()), "dataset": "ward", "researcher": "ada", "minimum_count": 5}
    names = tuple(f"site-{i}" for i in range(parties))
    times = {"issued_at": START, "expires_at": START + timedelta(hours=1)}
    return Job(**(defaults | {"kind": kind, "columns": tuple(columns), "participants": names, **times} | given))


def together(work: Callable[[Runtime], Awaitable[Any]], parties: int = 3, degree: int | None = None) -> list[Any]:
    """What each party gets from ``work``."""

    async def all_parties() -> list[Any]:
        runtimes = [Runtime(mesh, degree or (parties - 1) // 2) for mesh in local_meshes(parties)]
        return await asyncio.gather(*(work(rt) for rt in runtimes))

    return asyncio.run(all_parties())


def computed(program: Program, sites: Sequence[TableSite], job: Job) -> dict[str, Any]:
    """The result, which is the same at all parties."""

    async def at(rt: Runtime) -> dict[str, Any]:
        return await program(rt, sites[rt.index], job, quiet_steps(job, rt))

    results = together(at, len(sites), job.degree)
    assert all(result == results[0] for result in results)
    return results[0]


def quiet_steps(job: Job, rt: Runtime) -> Steps:
    """Steps of a program without a session."""

    async def unheard(number: int, value: Any) -> None:
        raise AssertionError("this program has no session")

    return Steps(job, rt, asyncio.Queue(), unheard)


def hospitals(use_case: str, cohort: str, parties: int = 3) -> tuple[list[TableSite], pl.DataFrame, Schema]:
    """Sites of a real cohort, dealt to ``parties``; the pooled table; the schema."""
    entry = discover()[use_case].cohort(cohort)
    pooled, schema = entry.load(), entry.table
    names = entry.site_names
    party = {name: i % parties for i, name in enumerate(names)}
    of = entry.assign_sites(pooled).replace_strict(party, return_dtype=pl.Int64)
    return [TableSite({"ward": (schema, pooled.filter(of == i))}) for i in range(parties)], pooled, schema
