"""A slow network between parties of one machine, where the kernel has none (``netem``).

Belongs here: relays that delay what passes and let each party send and receive so many bytes a second. Does not belong
here: parties (``party``). TLS passes through unread. Losses and TCP's own slow start are not imitated.
"""

import asyncio
import contextlib
import json
import sys
from typing import NamedTuple

PIECE = 1 << 14
WAITING = 256  # pieces under way in one direction before the sender must wait


class Pipe:
    """What one party can send, or receive, in all."""

    def __init__(self, bytes_per_second: float) -> None:
        self._rate, self._free = bytes_per_second, 0.0

    def passed(self, size: int, arrived: float) -> float:
        """When the last byte is through, of ``size`` bytes that come at ``arrived``."""
        self._free = max(self._free, arrived) + size / self._rate
        return self._free


class Route(NamedTuple):
    """From one party to another: the relay's way to where the latter listens."""

    source: int
    target: int
    port: int


async def relays(routes: list[Route], *, delay: float, bytes_per_second: float) -> dict[str, int]:
    """Port of the relay of each ``source-target``; ``delay`` in seconds, one way."""
    parties = {party for route in routes for party in (route.source, route.target)}
    up, down = ({party: Pipe(bytes_per_second) for party in parties} for _ in range(2))
    ports = {}
    for route in routes:

        async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, route: Route = route) -> None:
            try:
                onward_reader, onward = await asyncio.open_connection("127.0.0.1", route.port)
            except OSError:  # the party does not listen yet
                return writer.close()
            forth = _relayed(reader, onward, up[route.source], down[route.target], delay)
            back = _relayed(onward_reader, writer, up[route.target], down[route.source], delay)
            await asyncio.gather(forth, back)

        server = await asyncio.start_server(arrived, "127.0.0.1", 0)
        ports[f"{route.source}-{route.target}"] = server.sockets[0].getsockname()[1]
    return ports


async def _relayed(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, up: Pipe, down: Pipe, delay: float
) -> None:
    loop, waiting = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]](WAITING)

    async def deliver() -> None:
        while True:
            when, piece = await waiting.get()
            await asyncio.sleep(max(0.0, when - loop.time()))
            if not piece:
                return writer.close()
            writer.write(piece)
            await writer.drain()

    delivering = asyncio.ensure_future(deliver())
    with contextlib.suppress(OSError):
        while piece := await reader.read(PIECE):
            await waiting.put((down.passed(len(piece), up.passed(len(piece), loop.time()) + delay), piece))
        await waiting.put((loop.time() + delay, b""))
        await delivering


async def _serve(delay: float, bytes_per_second: float, routes: list[Route]) -> None:
    print(json.dumps(await relays(routes, delay=delay, bytes_per_second=bytes_per_second)), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    one_way, rate, *named = sys.argv[1:]
    asyncio.run(_serve(float(one_way), float(rate), [Route(*map(int, name.split("-"))) for name in named]))
