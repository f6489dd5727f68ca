"""A synthesis session whose parties are tasks of this process: the protocol without the network."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from anyio.from_thread import start_blocking_portal

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.mesh import local_meshes
from federation.oracle import FederatedOracle
from federation.protocols.marginals import synthesis
from federation.runtime import Runtime
from federation.site import Site


class LocalSession:
    """Takes the researcher's steps to the parties, and one party's answer back after all gave the same."""

    def __init__(self, sites: Sequence[Site], job: Job) -> None:
        self.requests = [asyncio.Queue[Any]() for _ in sites]
        self.answers = [asyncio.Queue[Any]() for _ in sites]
        self.meshes = local_meshes(len(sites))
        runtimes = [Runtime(mesh, job.degree) for mesh in self.meshes]
        self.steps = [Steps(job, rt, self.requests[i], self._answering(i)) for i, rt in enumerate(runtimes)]
        programs = zip(runtimes, sites, self.steps, strict=True)
        self.parties = [asyncio.ensure_future(synthesis(rt, site, job, steps)) for rt, site, steps in programs]

    def _answering(self, party: int) -> Any:
        async def answer(number: int, value: Any) -> None:
            await self.answers[party].put(value)

        return answer

    async def step(self, request: Mapping[str, Any]) -> Any:
        for queue in self.requests:
            queue.put_nowait(request)
        answering = asyncio.gather(*(queue.get() for queue in self.answers))
        await asyncio.wait({answering, *self.parties}, return_when=asyncio.FIRST_COMPLETED)
        for party in self.parties:
            if party.done():
                await self._stopped(answering)
                party.result()
        found = await answering
        assert all((one == found[0]).all() if hasattr(one, "all") else one == found[0] for one in found)
        return found[0]

    async def _stopped(self, answering: "asyncio.Future[Any]") -> None:
        for waiting in (answering, *self.parties):
            waiting.cancel()
        await asyncio.gather(answering, *self.parties, return_exceptions=True)

    async def finish(self) -> list[Any]:
        for queue in self.requests:
            queue.put_nowait(None)
        return await asyncio.gather(*self.parties)


@contextmanager
def local_oracle(sites: Sequence[Site], job: Job, levels: Mapping[str, int]) -> Iterator[FederatedOracle]:
    """The researcher's oracle over parties of this process."""
    with start_blocking_portal() as portal:

        async def opened() -> LocalSession:
            return LocalSession(sites, job)

        yield FederatedOracle(portal, portal.call(opened), levels)  # type: ignore[arg-type]
