"""One job at one party, from the researcher's submission to the end that all share.

Belongs here: the order of events. Does not belong here: the rules (``acceptance``), the log (``journal``), connections
(``meeting``, ``service``) and what is computed (programs).

The order: check the rules, note the id as used, ask a person where the site wants it, accept; at the start meet the
other parties, agree on the digest of the job, debit the budget, and only then run the program, which shares. Whatever
fails ends in a state that goes to the researcher, who settles one for all; the debit stays, and the shares are dropped.
"""

import asyncio
import contextlib
import time
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from federation.errors import FederationError
from federation.jobs.ends import (
    CANCELLED,
    EXPIRED,
    GARBLED,
    LOST,
    REFUSED,
    RESEARCHER,
    STALLED,
    End,
    JobEndedError,
    end_of,
)
from federation.jobs.job import Job, parsed
from federation.jobs.steps import Steps
from federation.party import messages
from federation.party.acceptance import accepted, codebook, refusal
from federation.party.journal import ENDED, STARTED
from federation.party.meeting import Connection
from federation.party.signature import signed
from federation.runtime import Runtime
from federation.streams import StreamMesh
from records.errors import PhaseIVError

if TYPE_CHECKING:
    from federation.party.service import PartyService

PROGRESS_SECONDS, END_SECONDS = 0.5, 15.0
LONGEST_STATE, LONGEST_REASON = 100, 2000


class Participation:
    """One conversation with a researcher."""

    def __init__(self, party: "PartyService", researcher: str, connection: Connection) -> None:
        self.party = party
        self.researcher = researcher
        self.connection = connection
        self._started = asyncio.Event()
        self._heads: dict[str, str] = {}
        self._requests: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue()
        self._mesh: StreamMesh | None = None
        self._runtime: Runtime | None = None
        self._steps: Steps | None = None
        self._start = time.monotonic()
        self._reported: End | None = None

    async def attend(self, submitted: messages.Message) -> None:
        """Take part in the job that was submitted, until it has ended."""
        try:
            job = parsed(submitted.get("job") or {})
        except PhaseIVError as error:
            await self._report(End(REFUSED, str(error)), "refused")
            return
        part = asyncio.create_task(self._take_part(job))
        listening = asyncio.create_task(self._listen(job, part))
        try:
            await asyncio.wait({part, listening}, return_when=asyncio.FIRST_COMPLETED)
            # The researcher asks all parties how they stand, and waits for those that are silent, before it settles an end.
            patience = self.party.settings.timeout_seconds + END_SECONDS if self._reported else self._left(job)
            await asyncio.wait({listening}, timeout=patience)
            end = listening.result() if listening.done() else self._reported or End.by(STALLED, RESEARCHER)
        finally:
            await _stopped(part)
            await _stopped(listening)
            self.party.meetings.forget(job)
            await self._leave()
        self._close(job, end)
        await self._say("ended")

    async def _listen(self, job: Job, part: "asyncio.Task[None]") -> End:
        """Hear the researcher until the end of the job."""
        while True:
            try:
                message = await messages.read(self.connection.reader)
            except FederationError:
                return End.by(GARBLED, RESEARCHER)
            if message is None:
                return End.by(LOST, RESEARCHER)
            if message["type"] == "end":
                return End(str(message.get("state"))[:LONGEST_STATE], str(message.get("reason", ""))[:LONGEST_REASON])
            if message["type"] == "stop":
                await _stopped(part)
                await self._report(End(CANCELLED, "the job was stopped"))
            elif not self._heard(job, message):
                return End.by(GARBLED, RESEARCHER)

    def _heard(self, job: Job, message: messages.Message) -> bool:
        if message["type"] == "start" and message.get("sha256") == job.sha256:
            told = message.get("heads")
            self._heads = (
                {n: str(told[n])[:64] for n in job.participants if n in told} if isinstance(told, dict) else {}
            )
            self._started.set()
        elif message["type"] == "step" and isinstance(message.get("request"), dict):
            self._requests.put_nowait(message["request"])
        elif message["type"] == "finish":
            self._requests.put_nowait(None)
        else:
            return False
        return True

    async def _take_part(self, job: Job) -> None:
        term = asyncio.timeout(self._left(job))
        try:
            rule = self._admit(job)
            async with term:
                await self._agree_to(job, rule)
                await self._started.wait()
                value = await self._compute(job)
            own = {"value": value} if self.party.settings.name in job.tellers else {}
            sha256 = messages.digest(value)
            proof = signed(self.party.settings.credentials.key, job.sha256, sha256)
            await self._say("result", sha256=sha256, signature=proof, figures=self._figures(), **own)
        except TimeoutError:
            over = f"the job must end by {job.expires_at:%FT%TZ}, got no result until then; give it more time"
            await self._report(End(EXPIRED, over) if term.expired() else End(REFUSED, "a wait took too long"))
        except Exception as error:
            if not isinstance(error, PhaseIVError):
                # Where it broke, not what the error says, which may quote a patient's values.
                place = "".join(traceback.format_tb(error.__traceback__))
                self.party.log.error("the program of job %s broke with %s\n%s", job.id, type(error).__name__, place)
            await self._report(end_of(error, job.participants), "failed" if self._started.is_set() else "refused")

    def _admit(self, job: Job) -> str:
        party, now = self.party, self.party.clock()
        detail = job.model_dump(mode="json", exclude={"id", "parameters", "codebook"}, exclude_defaults=True)
        try:
            if len(party.journal.open) >= party.settings.most_jobs:
                raise refusal(f"jobs at the same time must be at most {party.settings.most_jobs}, got one more; wait")
            rule = accepted(
                job, researcher=self.researcher, settings=party.settings, site=party.site, journal=party.journal,
                kinds=party.programs, now=now,
            )  # fmt: skip
        except JobEndedError as error:
            party.log.warning("job %s refused: %s (%s)", job.id, error.end.reason, error.__cause__ or "by rule")
            party.journal.record("job.refused", job.id, now=now, reason=error.end.reason, **detail)
            raise
        party.journal.admit(job.id, now=now, sha256=job.sha256, **detail)
        return rule

    async def _agree_to(self, job: Job, rule: str) -> None:
        party = self.party
        if rule == "ask":
            await self._say("asks", sha256=job.sha256)
            decision = await party.approvals.decided(job, party.clock)
            self._note(
                job, "job.approved" if decision.approved else "job.declined", by=decision.by, why=decision.reason
            )
            if not decision.approved:
                raise refusal(
                    f"a person must approve the job, got no: {decision.reason or 'no reason given'}; ask the site"
                )
        party.meetings.expect(job, party.settings.name)
        book = codebook(job, party.site)
        await self._say("accepted", sha256=job.sha256, codebook=book, head=party.journal.head)

    async def _compute(self, job: Job) -> Any:
        progress = asyncio.create_task(self._tell_progress())
        try:
            return await self._computed(job)
        finally:
            progress.cancel()

    async def _computed(self, job: Job) -> Any:
        party, settings = self.party, self.party.settings
        connections = await party.meetings.all_met(
            job, settings.name, settings.peers, party.client_context, settings.timeout_seconds
        )
        mesh = self._mesh = StreamMesh(
            job.participants.index(settings.name), connections, timeout=settings.timeout_seconds
        )
        runtime = self._runtime = Runtime(mesh, job.degree)
        await runtime.agree(bytes.fromhex(job.sha256))
        rule = settings.datasets.get(job.dataset)
        if job.rho is not None and rule is not None:
            party.journal.debit(job.id, job.dataset, rho=job.rho, total=rule.budget_rho or 0.0, now=party.clock())
        self._note(job, STARTED, heads=self._heads)
        self._steps = Steps(job, runtime, self._requests, self._answer)
        return await party.programs[job.kind](runtime, party.site, job, self._steps)

    async def _answer(self, number: int, value: Any) -> None:
        own = {"value": value} if self._steps and self.party.settings.name in self._steps.job.tellers else {}
        await self._say("answer", number=number, sha256=messages.digest(value), figures=self._figures(), **own)

    async def _tell_progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            note = self._steps.note if self._steps else ""
            await self._say("progress", figures=self._figures(), note=note)

    async def _report(self, end: End, kind: str = "failed") -> None:
        """Say once how the job ended here."""
        if self._reported is None:
            self._reported = end
            await self._say(kind, state=end.state, reason=end.reason)

    async def _say(self, kind: str, **fields: Any) -> None:
        # A broken connection shows to the listener.
        with contextlib.suppress(OSError):
            await messages.write(self.connection.writer, kind, **fields)

    def _figures(self) -> dict[str, float]:
        figures = {"seconds": round(time.monotonic() - self._start, 3)}
        if self._mesh is not None and self._runtime is not None:
            sent = {"bytes": self._mesh.bytes_sent, "messages": self._mesh.messages_sent}
            figures |= {**sent, "rounds": self._runtime.rounds}
        return figures

    def _left(self, job: Job) -> float:
        return max((job.expires_at - self.party.clock()).total_seconds(), 0.0)

    def _note(self, job: Job, event: str, **detail: Any) -> None:
        self.party.journal.record(event, job.id, now=self.party.clock(), **detail)

    def _close(self, job: Job, end: End) -> None:
        if job.id in self.party.journal.open:
            own = (
                {}
                if self._reported is None
                else {"own_state": self._reported.state, "own_reason": self._reported.reason}
            )
            self._note(job, ENDED, state=end.state, reason=end.reason, **self._figures(), **own)

    async def _leave(self) -> None:
        if self._mesh is not None:
            await self._mesh.close()


async def _stopped(task: "asyncio.Task[Any]") -> None:
    """Cancel until it holds: what waits by wait_for loses a cancellation that comes together with a message."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.1)
