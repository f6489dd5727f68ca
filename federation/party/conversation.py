"""One job seen from the researcher: the same words to every party, and their answers compared.

Belongs here: submitting, starting, stepping, ending, and which end holds when parties report different ones. Does not
belong here: the interface for callers (``researcher``).
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from federation.jobs.codebook import differing
from federation.jobs.ends import EXPIRED, GARBLED, LOST, MISMATCH, REFUSED, STALLED, End, JobEndedError, verdict
from federation.jobs.job import Job
from federation.party import messages
from federation.party.identity import Address, IdentityError, dial
from federation.party.messages import Message, MessageError
from federation.party.settings import ResearcherSettings
from federation.party.signature import Signature, verified

STAGES = {"accepted": "accepted", "progress": "running", "result": "done"}


@dataclass(frozen=True)
class Figures:
    """What one party has sent to the others for a job so far, in how many messages and rounds, and its seconds."""

    bytes: int = 0
    messages: int = 0
    rounds: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Progress:
    """News of one party: ``stage`` is ``accepted``, ``asks``, ``running`` or ``done``; ``note`` says at what it works."""

    party: str
    stage: str
    figures: Figures = field(default_factory=Figures)
    note: str = ""


class Conversation:
    """The connections of one job."""

    def __init__(
        self, settings: ResearcherSettings, context: ssl.SSLContext, job: Job, on_progress: Callable[[Progress], None]
    ) -> None:
        self.settings = settings
        self.job = job
        self.figures: dict[str, Figures] = {}
        self.signatures: dict[str, Signature] = {}
        self._context = context
        self._on_progress = on_progress
        self._writers: dict[str, asyncio.StreamWriter] = {}
        self._inbox: asyncio.Queue[tuple[str, Message | MessageError | None]] = asyncio.Queue()
        self._listeners: list[asyncio.Task[None]] = []
        self._closed: list[str] = []
        self._ended: End | None = None
        self._running = False
        self._heard: dict[str, float] = {}
        self._step = 0
        self._start = time.monotonic()

    @property
    def lost(self) -> tuple[str, ...]:
        """Parties whose connection broke."""
        return tuple(self._closed)

    @property
    def seconds(self) -> float:
        """Since the job was submitted."""
        return time.monotonic() - self._start

    async def open(self) -> None:
        """Submit the job, wait until all parties accept it, and start it."""
        await self._connect()
        await self._say("submit", job=self.job.model_dump(mode="json"))
        accepted = await self._all("accepted", within=self.settings.timeout_seconds)
        for name, message in accepted.items():
            if message.get("sha256") != self.job.sha256:
                await self._fail(End(MISMATCH, f"{name} accepted another job; ask again without it"))
        await self._compare_codebooks({name: message.get("codebook") or {} for name, message in accepted.items()})
        heads = {name: message.get("head") for name, message in accepted.items()}
        await self._say("start", sha256=self.job.sha256, heads=heads)
        self._running = True

    async def step(self, request: Mapping[str, Any]) -> Any:
        """One step, answered alike by all parties."""
        self._step += 1
        await self._say("step", number=self._step, request=request)
        return self._value(await self._agreed("answer"))

    async def finish(self) -> Any:
        """The result of the program, reported alike by all parties."""
        await self._say("finish")
        answers = await self._agreed("result")
        for name, message in answers.items():
            shown = self._writers[name].get_extra_info("ssl_object").getpeercert(binary_form=True)
            if (proof := verified(shown, message.get("signature"), self.job.sha256, str(message["sha256"]))) is None:
                await self._fail(End.by(GARBLED, name, f"{name} must sign its result, got no valid signature; ask it"))
            self.signatures |= {name: proof} if proof else {}
        return self._value(answers)

    async def end(self, end: End) -> None:
        """Tell the parties how the job ended; the first end holds."""
        if self._ended is None:
            self._ended = end
            await self._say("end", state=end.state, reason=end.reason)
            await self._all("ended", within=self.settings.grace_seconds, strict=False)

    async def close(self) -> None:
        """Close all connections."""
        for task in self._listeners:
            task.cancel()
        for writer in self._writers.values():
            writer.close()
        await asyncio.gather(*self._listeners, return_exceptions=True)

    async def _connect(self) -> None:
        if unknown := set(self.job.participants) - set(self.settings.parties):
            self._ended = End(REFUSED, f"parties must have an address, got none for {', '.join(sorted(unknown))}")
            raise JobEndedError(self._ended)
        dialled = await asyncio.gather(*map(self._dial, self.job.participants), return_exceptions=True)
        for end in dialled:
            if isinstance(end, BaseException):
                raise end
        if failed := [end for end in dialled if isinstance(end, End)]:
            await self._fail(failed[0])

    async def _dial(self, name: str) -> End | None:
        address = Address.parsed(self.settings.parties[name])
        try:
            reader, writer = await dial(self._context, name, address, seconds=self.settings.timeout_seconds)
        except IdentityError as error:
            return End(REFUSED, str(error))
        except TimeoutError:
            return End.by(STALLED, name)
        except OSError as error:
            return End(
                f"lost:{name}", f"{name} must listen at {address}, got {error.strerror or error}; is it running?"
            )
        self._writers[name] = writer
        self._listeners.append(asyncio.create_task(self._listen(name, reader)))
        return None

    async def _listen(self, name: str, reader: asyncio.StreamReader) -> None:
        message: Message | MessageError | None = {}
        while isinstance(message, dict):
            try:
                message = await messages.read(reader)
            except MessageError as error:
                message = error
            self._inbox.put_nowait((name, message))

    async def _say(self, kind: str, **fields: Any) -> None:
        written = [messages.write(writer, kind, **fields) for writer in self._writers.values()]
        # A broken connection is reported by its listener, and a party that does not read by its silence.
        for error in await asyncio.gather(*map(self._in_time, written), return_exceptions=True):
            if isinstance(error, BaseException) and not isinstance(error, OSError):
                raise error

    async def _in_time(self, written: Coroutine[Any, Any, None]) -> None:
        async with asyncio.timeout(self.settings.timeout_seconds):
            await written

    async def _agreed(self, kind: str) -> dict[str, Message]:
        """The messages of all that are left, if they have the same value.

        A party whose connection broke may be done without (openings that survive it); if not, the others say so.
        """
        answers = await self._all(kind)
        digests = {name: str(message.get("sha256")) for name, message in answers.items()}
        values = [(name, answers[name].get("value")) for name in self.job.tellers if name in answers]
        if len(answers) <= self.job.degree or not values:
            await self._fail(End.by(LOST, self._closed[0]))
        for name, value in values:
            if messages.digest(value) != digests[name]:
                await self._fail(End.by(GARBLED, name))
        if odd := _odd_one(digests):
            await self._fail(End(MISMATCH, f"{odd} has another result than the rest; ask again without it"))
        return answers

    def _value(self, answers: Mapping[str, Message]) -> Any:
        """What the first participant that is left tells."""
        return next(answers[name].get("value") for name in self.job.tellers if name in answers)

    async def _all(self, kind: str, *, within: float | None = None, strict: bool = True) -> dict[str, Message]:
        """One message of ``kind`` from every party; anything that ends the job is raised."""
        found: dict[str, Message] = {}
        waiting = self._writers.keys() - self._closed - {self._ended.party if self._ended else None}
        deadline = None if within is None else time.monotonic() + within
        self._heard = dict.fromkeys(waiting, time.monotonic())
        while missing := sorted(waiting - found.keys()):
            try:
                name, message = await self._next(self._patience(missing, deadline))
            except TimeoutError:
                if not strict:
                    break
                await self._fail(self._overdue(missing, deadline))
                continue
            self._heard[name] = time.monotonic()
            if isinstance(message, dict) and message["type"] == kind:
                found[name] = message
                self._note(name, message)
            elif isinstance(message, dict) and message["type"] == "asks":
                deadline = None  # a person decides, until the job expires
                self._on_progress(Progress(name, "asks"))
            elif isinstance(message, dict) and message["type"] == "progress":
                self._note(name, message)
            elif self._running and message is None and strict:
                self._closed.append(name)
                waiting.discard(name)
            elif strict:
                await self._fail(self._reported(name, message), name)
            elif not isinstance(message, dict):
                waiting.discard(name)
        return found

    def _patience(self, missing: list[str], deadline: float | None) -> float:
        """Seconds to wait: until the job expires, at most to ``deadline``, and not longer than a running party is silent."""
        ends = [time.monotonic() + (self.job.expires_at - datetime.now(UTC)).total_seconds()]
        ends += [] if deadline is None else [deadline]
        # A running party tells its progress twice a second.
        ends += [self._heard[name] + self.settings.timeout_seconds for name in missing] if self._running else []
        return min(ends) - time.monotonic()

    def _overdue(self, missing: list[str], deadline: float | None) -> End:
        if datetime.now(UTC) >= self.job.expires_at:
            return End(EXPIRED, self._expired())
        return End.by(STALLED, min(missing, key=lambda name: self._heard[name]))

    async def _next(self, seconds: float) -> tuple[str, Message | MessageError | None]:
        # Not wait_for, which loses a cancellation that comes together with a message (Python 3.11).
        async with asyncio.timeout(max(seconds, 0.001)):
            return await self._inbox.get()

    def _note(self, name: str, message: Message) -> None:
        sent = message.get("figures")
        if isinstance(sent, dict):
            self.figures[name] = Figures(**{key: sent[key] for key in Figures.__dataclass_fields__ if key in sent})
        if stage := STAGES.get(message["type"]):
            figures = self.figures.get(name, Figures())
            self._on_progress(Progress(name, stage, figures, str(message.get("note", ""))))

    def _reported(self, name: str, message: Message | MessageError | None) -> End | None:
        """The end that a party reports; ``None`` when its connection broke."""
        if message is None:
            self._closed.append(name)
            return None
        if isinstance(message, dict) and message["type"] in ("failed", "refused"):
            return End(str(message.get("state", REFUSED)), str(message.get("reason", "")))
        return End.by(GARBLED, name)

    async def _fail(self, end: End | None, name: str = "") -> None:
        """Ask the others how they stand, settle one end, tell all, and raise it."""
        decided = end if not name else None
        reports: dict[str, End | None] = {other: None for other in self._writers if other not in self._closed}
        if name in reports:
            reports[name] = end
        if decided is None:
            await self._say("stop")
            await self._hear(reports)
            decided = verdict(reports, self._closed)
        await self.end(decided)
        raise JobEndedError(decided)

    async def _hear(self, reports: dict[str, End | None]) -> None:
        deadline = time.monotonic() + self.settings.grace_seconds
        while any(reports[name] is None for name in reports if name not in self._closed):
            try:
                name, message = await self._next(deadline - time.monotonic())
            except TimeoutError:
                return
            if message is None or isinstance(message, MessageError) or message["type"] in ("failed", "refused"):
                report = self._reported(name, message)
                reports[name] = reports.get(name) or report

    async def _compare_codebooks(self, found: dict[str, dict[str, str]]) -> None:
        for column in self.job.touched:
            digests = {name: book[column] for name, book in found.items() if column in book}
            if odd := _odd_one(digests):
                other = next(name for name in digests if digests[name] != digests[odd])
                columns = ", ".join(differing(found[odd], found[other]))
                reason = f"{odd} must use the codebook of the rest, got another in {columns}; mend its codebook"
                await self._fail(End(MISMATCH, reason))

    def _expired(self) -> str:
        return f"the job must end by {self.job.expires_at:%FT%TZ}, got no result until then; give it more time"


def _odd_one(digests: Mapping[str, str]) -> str | None:
    """A party whose digest is not the most common one."""
    values = list(digests.values())
    return next((name for name in digests if digests[name] != max(values, key=values.count)), None)
