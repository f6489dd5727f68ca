"""The party: listens beside its data, lets in those whom its settings name, and takes part in jobs.

Belongs here: the process. Does not belong here: one job (``participation``).
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from federation.errors import FederationError
from federation.jobs.ends import LOST, REFUSED, End
from federation.party import messages
from federation.party.approval import Approvals
from federation.party.authority import PartyRole
from federation.party.identity import BUFFER, GREETING, HANDSHAKE_SECONDS, Address, Peer, peer_of
from federation.party.journal import ENDED, Journal
from federation.party.meeting import MESH, Connection, Meetings
from federation.party.participation import Participation
from federation.party.settings import PartySettings
from records.errors import ParameterError

HELLO_SECONDS = 10.0


class PartyService:
    """One hospital.

    Parameters
    ----------
    settings : PartySettings
    site : Site
        Reads the hospital's data.
    programs : mapping of str to Program
        What it can compute.
    clock : callable
        For tests.
    """

    def __init__(
        self, settings: PartySettings, site: Any, programs: Mapping[str, Any], *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self.settings = settings
        self.site = site
        self.programs = programs
        self.clock = clock
        self.approvals = Approvals(settings.approvals)
        self.meetings = Meetings()
        self.log = logging.getLogger(f"phaseiv.party.{settings.name}")

    async def __aenter__(self) -> Self:
        self._check_kinds()
        server_context, self.client_context = self.settings.credentials.server(), self.settings.credentials.client()
        self.journal = Journal(self.settings.journal)
        self._close_former()
        self.approvals.clear()
        self._conversations: set[asyncio.Task[Any]] = set()
        try:
            self._server = await self._listening(server_context)
        except OSError:
            self.journal.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._conversations:
            task.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        self.journal.close()

    async def serve(self) -> None:
        """Until cancelled."""
        await self._server.serve_forever()

    def _check_kinds(self) -> None:
        named = {kind for rule in self.settings.datasets.values() for kind in rule.computations}
        if unknown := sorted(named - set(self.programs)):
            known = ", ".join(sorted(self.programs))
            raise ParameterError(
                f"computations of {self.settings.name} must be of {known}, got {', '.join(unknown)}; mend its settings"
            )

    def _close_former(self) -> None:
        """Jobs that a former process left open have ended for everybody else as this party's loss."""
        for job in self.journal.open:
            end = End.by(LOST, self.settings.name, "this party stopped during the job")
            self.journal.record(ENDED, job, now=self.clock(), state=end.state, reason=end.reason)

    async def _listening(self, context: ssl.SSLContext) -> asyncio.Server:
        host, port = Address.parsed(self.settings.listen)
        return await asyncio.start_server(
            self._connected, host, port, ssl=context, limit=BUFFER, ssl_handshake_timeout=HANDSHAKE_SECONDS
        )

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        kept = False
        try:
            writer.write(GREETING)
            kept = await self._received(peer_of(writer), Connection(reader, writer))
        except asyncio.CancelledError:
            self.log.info("the party stops")  # asyncio 3.11 complains about a callback that is cancelled
        except (FederationError, OSError, TimeoutError) as error:
            self.log.warning("a connection ended: %s", error)
        finally:
            self._conversations.discard(task)
            if not kept:
                writer.close()

    async def _received(self, peer: Peer, connection: Connection) -> bool:
        """Whether the connection lives on, in a job's mesh."""
        async with asyncio.timeout(HELLO_SECONDS):
            hello = await messages.read(connection.reader)
        if hello is None:
            return False
        if peer.role is PartyRole.PARTY and hello["type"] == MESH and peer.name in self.settings.peers:
            return self.meetings.arrived(peer.name, hello, connection)
        if peer.role is PartyRole.RESEARCHER and hello["type"] == "submit" and peer.name in self.settings.researchers:
            await Participation(self, peer.name, connection).attend(hello)
            return False
        reason = f"{self.settings.name} must know who calls, got the {peer.role} {peer.name}; ask it to let you in"
        self.journal.record("connection.refused", "", now=self.clock(), name=peer.name, role=str(peer.role))
        with contextlib.suppress(OSError):
            await messages.write(connection.writer, "refused", state=REFUSED, reason=reason)
        return False
