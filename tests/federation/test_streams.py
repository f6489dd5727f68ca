"""Frames over real sockets: arrays of any size arrive, and what does not fit is named after its sender."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from federation.errors import GarbledError, PartyLostError, PeerError, StalledError
from federation.runtime import Runtime
from federation.streams import BYTES, DIMENSION, HEADER, MOST_BYTES, PIECE, StreamMesh


class Connection(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def pair() -> tuple[Connection, Connection]:
    """Both ends of a connection through the loopback interface."""
    arrived: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda r, w: arrived.set_result(Connection(r, w)), "127.0.0.1", 0)
    dialled = Connection(*await asyncio.open_connection(*server.sockets[0].getsockname()))
    server.close()
    return dialled, await arrived


async def meshes(parties: int, timeout: float = 10) -> list[StreamMesh]:
    connections: list[dict[int, Connection]] = [{} for _ in range(parties)]
    for i in range(parties):
        for j in range(i):
            connections[i][j], connections[j][i] = await pair()
    return [StreamMesh(i, connections[i], timeout=timeout) for i in range(parties)]


async def closed(meshes: list[StreamMesh]) -> None:
    for mesh in meshes:
        await mesh.close()


def between_two(work: Callable[[StreamMesh, StreamMesh], Awaitable[Any]], timeout: float = 10) -> Any:
    async def run() -> Any:
        both = await meshes(2, timeout)
        try:
            return await work(*both)
        finally:
            await closed(both)

    return asyncio.run(run())


@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3), (2, 0, 3), (PIECE // 8 + 1,), (3, 100_000)])
def test_arrays_arrive_with_their_shape(shape: tuple[int, ...]) -> None:
    sent = np.random.default_rng(1).integers(1 << 61, size=shape, dtype=np.uint64)
    sent = np.asarray(sent, np.uint64)

    async def work(one: StreamMesh, other: StreamMesh) -> Any:
        _, got = await asyncio.gather(one.send(1, 7, sent), other.receive(0, 7))
        assert one.bytes_sent == HEADER.size + DIMENSION.size * len(shape) + sent.nbytes
        assert one.messages_sent == 1
        return got

    got = between_two(work)
    assert got.shape == shape
    assert (got == sent).all()


def test_many_messages_both_ways_in_order() -> None:
    async def work(one: StreamMesh, other: StreamMesh) -> None:
        async def talk(mesh: StreamMesh, peer: int) -> None:
            for tag in range(50):
                sending = mesh.send(peer, tag, bytes([tag]) * 20_000)
                _, got = await asyncio.gather(sending, mesh.receive(peer, tag))
                assert got == bytes([tag]) * 20_000

        await asyncio.gather(talk(one, 1), talk(other, 0))

    between_two(work)


def test_a_computation_of_four() -> None:
    async def run() -> list[list[int]]:
        all_four = await meshes(4)

        async def at(mesh: StreamMesh) -> list[int]:
            rt = Runtime(mesh, 1)
            total = await rt.input_sum(np.array([mesh.index, 100]), (2,))
            return (await rt.open(await rt.multiply(total, total))).tolist()

        try:
            return await asyncio.gather(*map(at, all_four))
        finally:
            await closed(all_four)

    assert asyncio.run(run()) == [[36, 160_000]] * 4


def frame(length: int, tag: int = 1, number: int = 0, kind: int = BYTES, content: bytes = b"") -> bytes:
    return HEADER.pack(length, tag, number, kind) + content


@pytest.mark.parametrize(
    "raw",
    [
        frame(3, tag=2, content=b"abc"),  # an operation out of turn
        frame(3, number=1, content=b"abc"),  # repeated, or left out
        frame(MOST_BYTES + 1),  # too long
        frame(8, kind=5),  # too many dimensions
        frame(8, kind=1, content=struct.pack("<QQ", 2, 0)),  # the shape does not fit the length
        frame(0, kind=4, content=struct.pack("<QQQQ", *[1 << 63] * 4)),  # a shape beyond 64 bits
        frame(8 << 40, kind=1, content=struct.pack("<Q", 1 << 40)),  # an array too long
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_garbage(raw: bytes) -> None:
    async def work(one: StreamMesh, other: StreamMesh) -> None:
        one._connections[1].writer.write(raw)
        await other.receive(0, 1)

    with pytest.raises(GarbledError, match="party 0 must"):
        between_two(work)


@pytest.mark.parametrize("sent", [b"", b"half a header", frame(10, content=b"half")])
def test_a_lost_party(sent: bytes) -> None:
    async def work(one: StreamMesh, other: StreamMesh) -> None:
        one._connections[1].writer.write(sent)
        one._connections[1].writer.close()
        await other.receive(0, 1)

    with pytest.raises(PartyLostError, match="party 0 must"):
        between_two(work)


def test_sending_to_a_lost_party() -> None:
    async def work(one: StreamMesh, other: StreamMesh) -> None:
        await other.close()
        for tag in range(20):
            await one.send(1, tag, bytes(1 << 20))
            await asyncio.sleep(0.01)

    with pytest.raises(PartyLostError, match="party 1 must"):
        between_two(work)


@pytest.mark.parametrize("sent", [b"", frame(10, content=b"half")])
def test_a_silent_party(sent: bytes) -> None:
    async def work(one: StreamMesh, other: StreamMesh) -> None:
        one._connections[1].writer.write(sent)
        await other.receive(0, 1)

    with pytest.raises(StalledError, match="party 0 must"):
        between_two(work, timeout=0.2)


def test_a_party_that_does_not_read() -> None:
    async def work(one: StreamMesh, other: StreamMesh) -> None:
        await one.send(1, 1, bytes(1 << 26))

    with pytest.raises(StalledError, match="party 1 must"):
        between_two(work, timeout=0.5)


def test_all_errors_name_a_peer() -> None:
    assert {StalledError(4).peer, PartyLostError(4).peer, GarbledError(4).peer} == {4}
    assert issubclass(StalledError, PeerError)
