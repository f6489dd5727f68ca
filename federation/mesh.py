"""Connections from one party to all others of a job.

Belongs here: what the engine asks of them, the count of what was sent, and connections inside one process for tests.
Does not belong here: sockets (``streams``).
"""

import asyncio
from typing import Protocol

import numpy as np

Payload = np.ndarray | bytes


class Mesh(Protocol):
    """Ordered, reliable and authenticated messages between the parties 0 to ``parties - 1``.

    ``send`` and ``receive`` name the operation by a ``tag``; another tag than expected is an error of the sender.
    Arrays are ``uint64`` and arrive with their shape.

    Raises
    ------
    PartyLostError, StalledError, GarbledError
        The peer's connection broke, it was silent for too long, or it sent something else than the protocol asks for.
    """

    index: int
    parties: int
    bytes_sent: int
    messages_sent: int

    async def send(self, peer: int, tag: int, payload: Payload) -> None: ...
    async def receive(self, peer: int, tag: int) -> Payload: ...


class LocalMesh:
    """Connections inside one process: for tests, which run all parties as tasks. ``received`` is a party's view."""

    def __init__(self, index: int, lines: dict[tuple[int, int], "asyncio.Queue[tuple[int, Payload]]"]) -> None:
        self.index = index
        self.parties = 1 + max(sender for sender, _ in lines)
        self.bytes_sent = self.messages_sent = 0
        self.received: list[tuple[int, int, Payload]] = []
        self._lines = lines

    async def send(self, peer: int, tag: int, payload: Payload) -> None:
        """Put it in the peer's line."""
        self.bytes_sent += len(payload) if isinstance(payload, bytes) else payload.nbytes
        self.messages_sent += 1
        await self._lines[self.index, peer].put((tag, payload))

    async def receive(self, peer: int, tag: int) -> Payload:
        """Take the next of the peer's line."""
        found, payload = await self._lines[peer, self.index].get()
        assert found == tag, f"operation {tag} met operation {found} of party {peer}"
        self.received.append((peer, tag, payload))
        return payload


def local_meshes(parties: int) -> list[LocalMesh]:
    """One mesh for each of the parties of this process."""
    lines = {(i, j): asyncio.Queue[tuple[int, Payload]]() for i in range(parties) for j in range(parties) if i != j}
    return [LocalMesh(index, lines) for index in range(parties)]
