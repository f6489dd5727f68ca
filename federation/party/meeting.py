"""How the parties of one job find each other: every pair has one TLS connection, dialled by the one that comes first.

Belongs here: dialling, and handing a connection that came in to the job that waits for it. Does not belong here: what is
sent over it (``federation.streams``).
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import NamedTuple

from federation.errors import PartyLostError, StalledError
from federation.jobs.ends import MISMATCH, End, JobEndedError
from federation.jobs.job import Job
from federation.party import messages
from federation.party.identity import Address, IdentityError, dial

MESH = "mesh"


class Connection(NamedTuple):
    """One pair's connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Meetings:
    """The connections that jobs of this party wait for.

    A connection is taken only for a job that this party has accepted, from a party that takes part in it.
    """

    def __init__(self) -> None:
        self._awaited: dict[tuple[str, str], asyncio.Future[tuple[str, Connection]]] = {}

    def expect(self, job: Job, name: str) -> None:
        """From now on parties that come before ``name`` may call for ``job``."""
        for other in job.participants[: job.participants.index(name)]:
            self._awaited[job.id, other] = asyncio.get_running_loop().create_future()

    def arrived(self, other: str, hello: messages.Message, connection: Connection) -> bool:
        """Hand over a connection; ``False`` when no job waits for it."""
        awaited = self._awaited.get((str(hello.get("job")), other))
        if awaited is None or awaited.done():
            return False
        awaited.set_result((str(hello.get("sha256")), connection))
        return True

    def forget(self, job: Job) -> None:
        """The job is over."""
        for key in [key for key in self._awaited if key[0] == job.id]:
            awaited = self._awaited.pop(key)
            if awaited.done() and not awaited.cancelled():
                awaited.result()[1].writer.close()
            awaited.cancel()

    async def all_met(
        self, job: Job, name: str, addresses: Mapping[str, str], context: ssl.SSLContext, seconds: float
    ) -> dict[int, Connection]:
        """The connection to every other participant, by its number.

        Raises
        ------
        PartyLostError, StalledError
            A party cannot be reached, or does not call.
        JobEndedError
            A party calls for another job.
        """
        own = job.participants.index(name)
        callers = [self._called(job, i, seconds) for i in range(own)]
        dialled = [self._dialled(job, i, addresses, context, seconds) for i in range(own + 1, len(job.participants))]
        tasks = [asyncio.ensure_future(one) for one in callers + dialled]
        try:
            return dict(await asyncio.gather(*tasks))
        except BaseException:  # cancelling, too, must close what was opened
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for task in tasks:
                if not task.cancelled() and task.exception() is None:
                    task.result()[1].writer.close()
            raise

    async def _called(self, job: Job, other: int, seconds: float) -> tuple[int, Connection]:
        name = job.participants[other]
        try:
            async with asyncio.timeout(seconds):
                digest, connection = await self._awaited[job.id, name]
        except TimeoutError:
            raise StalledError(other) from None
        if digest != job.sha256:
            raise JobEndedError(End(MISMATCH, f"{name} has another job under the same id; ask again without it"))
        return other, connection

    @staticmethod
    async def _dialled(
        job: Job, other: int, addresses: Mapping[str, str], context: ssl.SSLContext, seconds: float
    ) -> tuple[int, Connection]:
        name = job.participants[other]
        try:
            reader, writer = await dial(context, name, Address.parsed(addresses[name]), seconds=seconds)
            await messages.write(writer, MESH, job=job.id, sha256=job.sha256)
        except TimeoutError:
            raise StalledError(other) from None
        except IdentityError as error:
            raise JobEndedError(End(f"lost:{name}", str(error))) from None
        except OSError:
            raise PartyLostError(other) from None
        return other, Connection(reader, writer)
