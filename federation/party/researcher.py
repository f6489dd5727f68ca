"""The researcher: submits a job to every party, follows it, and gets what the output rule opens.

Belongs here: the interface. Does not belong here: the conversation behind it (``conversation``), and shares, of which the
researcher never sees one.

::

    async with Researcher(settings) as researcher:
        result = await researcher.run(job, on_progress=print)
        async with researcher.session(job) as session:
            counts = await session.step({"measure": ["age", "sex"], "sigma": 4.0})
"""

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from federation.jobs.ends import CANCELLED, DONE, End
from federation.jobs.job import Job
from federation.party import messages
from federation.party.conversation import Conversation, Figures, Progress
from federation.party.settings import ResearcherSettings
from federation.party.signature import Signature

__all__ = ["Figures", "Progress", "Researcher", "Result", "Session"]


@dataclass(frozen=True)
class Result:
    """What a job opened (``value``), how it ended, and what each party sent and took for it; ``lost`` names parties that
    broke off when the others could already do without them. ``signatures`` are of the job and of ``sha256``, the digest of
    ``messages.encoded(value)``."""

    value: Mapping[str, Any]
    end: End
    figures: Mapping[str, Figures]
    seconds: float
    lost: tuple[str, ...] = ()
    signatures: Mapping[str, Signature] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Digest of the value, which the parties signed."""
        return messages.digest(self.value)

    @property
    def bytes(self) -> int:
        """Sent between all parties."""
        return sum(one.bytes for one in self.figures.values())


class Researcher:
    """A client of the parties.

    Parameters
    ----------
    settings : ResearcherSettings
        Its name, certificate and the parties' addresses.
    """

    def __init__(self, settings: ResearcherSettings) -> None:
        self.settings = settings
        self._context: ssl.SSLContext | None = None

    async def __aenter__(self) -> Self:
        self._context = self.settings.credentials.client()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._context = None

    async def run(self, job: Job, *, on_progress: Callable[[Progress], None] | None = None) -> Result:
        """Have a job of one computation done.

        Raises
        ------
        JobEndedError
            It ended otherwise than done; ``end`` names the state and the party.
        """
        async with self.session(job, on_progress=on_progress) as session:
            return await session.finish()

    @asynccontextmanager
    async def session(
        self, job: Job, *, on_progress: Callable[[Progress], None] | None = None
    ) -> "AsyncIterator[Session]":
        """A job of several steps; left by an error it is cancelled, otherwise finished.

        Raises
        ------
        JobEndedError
            The job was refused or ended early.
        """
        assert self._context is not None, "async with Researcher(...)"
        conversation = Conversation(self.settings, self._context, job, on_progress or (lambda _: None))
        try:
            await conversation.open()
            session = Session(conversation)
            yield session
            await session.finish()
        except BaseException:  # whatever ends the program, the parties must not wait for it
            await conversation.end(End(CANCELLED, "the researcher cancelled the job"))
            raise
        finally:
            await conversation.close()


class Session:
    """A running job."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._result: Result | None = None

    async def step(self, request: Mapping[str, Any]) -> Any:
        """Ask the parties for one step and return what it opened, which all parties reported alike."""
        return await self._conversation.step(request)

    async def finish(self) -> Result:
        """Tell that there are no more steps and return the program's result."""
        if self._result is None:
            value = await self._conversation.finish()
            await self._conversation.end(End(DONE))
            one = self._conversation
            self._result = Result(value, End(DONE), one.figures, one.seconds, one.lost, one.signatures)
        return self._result
