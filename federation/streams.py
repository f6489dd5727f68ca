"""Connections to the other parties of a job over asyncio streams, as TLS gives them.

Belongs here: frames, time-outs and what a broken frame means. Does not belong here: dialling and certificates
(``party.meeting``).

A frame is a header (length, tag, number in its direction, dimensions) and the content. TLS keeps order and content, so a
frame that does not fit is its sender's doing.
"""

import asyncio
import struct
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from federation.errors import GarbledError, PartyLostError, PeerError, StalledError
from federation.mesh import Payload

HEADER = struct.Struct("<QQQB")  # bytes of content, tag, number, dimensions (or BYTES)
DIMENSION = struct.Struct("<Q")
BYTES = 255
MOST_DIMENSIONS, MOST_BYTES = 4, 1 << 31
PIECE = 1 << 18


class Stream(Protocol):
    """An open connection to one party."""

    @property
    def reader(self) -> asyncio.StreamReader: ...
    @property
    def writer(self) -> asyncio.StreamWriter: ...


class StreamMesh:
    """See ``federation.mesh.Mesh``.

    Parameters
    ----------
    index : int
        This party's number.
    connections : mapping of int to Stream
        By the number of the party at the other end.
    timeout : float
        Seconds without a byte after which a peer counts as stalled.
    """

    def __init__(self, index: int, connections: Mapping[int, Stream], *, timeout: float) -> None:
        self.index = index
        self.parties = len(connections) + 1
        self.bytes_sent = self.messages_sent = 0
        self._connections = connections
        self._timeout = timeout
        self._sent = dict.fromkeys(connections, 0)
        self._received = dict.fromkeys(connections, 0)

    async def send(self, peer: int, tag: int, payload: Payload) -> None:
        """One frame."""
        writer = self._connections[peer].writer
        shape = None if isinstance(payload, bytes) else payload.shape
        content = _content(payload)
        sizes = b"" if shape is None else b"".join(map(DIMENSION.pack, shape))
        kind = BYTES if shape is None else len(shape)
        header = HEADER.pack(len(content), tag, self._sent[peer], kind) + sizes
        self._sent[peer] += 1
        self.bytes_sent += len(header) + len(content)
        self.messages_sent += 1
        try:
            writer.write(header)
            for start in range(0, len(content), PIECE):
                writer.write(content[start : start + PIECE])
                await asyncio.wait_for(writer.drain(), self._timeout)
        except TimeoutError:
            raise StalledError(peer) from None
        except (OSError, RuntimeError):  # asyncio's TLS raises the latter on a closed transport
            raise PartyLostError(peer) from None

    async def receive(self, peer: int, tag: int) -> Payload:
        """The next frame of ``peer``, which must be of operation ``tag``."""
        try:
            length, found, number, kind = HEADER.unpack(await self._read(peer, HEADER.size))
            if found != tag or number != self._received[peer]:
                raise GarbledError(peer, f"operation {found} in place of {tag}")
            self._received[peer] += 1
            if kind == BYTES:
                return bytes(await self._read(peer, self._bounded(peer, length)))
            if kind > MOST_DIMENSIONS:
                raise GarbledError(peer)
            sizes = await self._read(peer, DIMENSION.size * kind)
            shape = tuple(int(size) for (size,) in DIMENSION.iter_unpack(sizes))
            if length != 8 * int(np.prod(shape, dtype=object)):
                raise GarbledError(peer)
            return np.frombuffer(await self._read(peer, self._bounded(peer, length)), dtype="<u8").reshape(shape)
        except TimeoutError:
            raise StalledError(peer) from None
        except PeerError:
            raise
        except (OSError, EOFError):
            raise PartyLostError(peer) from None

    async def close(self) -> None:
        """Close all connections; what was not sent is dropped."""
        for connection in self._connections.values():
            connection.writer.transport.abort()

    async def _read(self, peer: int, size: int) -> bytearray:
        """Exactly ``size`` bytes; each piece of them may take the time-out."""
        reader, whole = self._connections[peer].reader, bytearray(size)
        filled = 0
        while filled < size:
            piece = await asyncio.wait_for(reader.read(min(size - filled, 4 * PIECE)), self._timeout)
            if not piece:
                raise EOFError
            whole[filled : filled + len(piece)] = piece
            filled += len(piece)
        return whole

    def _bounded(self, peer: int, length: int) -> int:
        if length > MOST_BYTES:
            raise GarbledError(peer, f"a message of {length:,} bytes")
        return length


def _content(payload: Payload) -> memoryview:
    if isinstance(payload, bytes):
        return memoryview(payload)
    flat = np.ascontiguousarray(payload, "<u8").reshape(-1)
    return flat.data.cast("B") if flat.size else memoryview(b"")
