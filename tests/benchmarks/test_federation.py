"""The benchmark's parties are real processes with TLS, and a slow line is slow."""

import asyncio
import time

import pytest

from benchmarks.federation.link import Pipe, Route, relays
from benchmarks.federation.network import measure


def test_a_pipe_lets_so_much_through_a_second() -> None:
    pipe = Pipe(1000)
    assert [pipe.passed(500, 10.0), pipe.passed(500, 10.0), pipe.passed(100, 20.0)] == [10.5, 11.0, 20.1]


def test_relays_delay_and_keep_order() -> None:
    async def echoed() -> tuple[bytes, float]:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(40_000))

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        ports = await relays([Route(0, 1, server.sockets[0].getsockname()[1])], delay=0.05, bytes_per_second=4e6)
        reader, writer = await asyncio.open_connection("127.0.0.1", ports["0-1"])
        start = time.monotonic()
        writer.write(bytes(range(250)) * 160)
        return await reader.readexactly(40_000), time.monotonic() - start

    got, seconds = asyncio.run(echoed())
    assert got == bytes(range(250)) * 160
    assert seconds >= 0.1 + 4 * 40_000 / 4e6 * 0.5  # each way up and down, of which pieces overlap


@pytest.mark.slow
@pytest.mark.parametrize("program", ["sum", "absolute", "noisy marginals"])
def test_parties_are_measured(program: str) -> None:
    cost = measure(program, 3, 500)
    assert cost.bytes > 0
    assert cost.seconds > 0
