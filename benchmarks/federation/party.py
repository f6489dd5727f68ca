"""One party's process: ``python -m benchmarks.federation.party FOLDER INDEX PROGRAM SIZE DEGREE ADDRESS...``.

Belongs here: connections with certificates of both sides, and the measuring of one program. Does not belong here: who
starts it (``network``).
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.federation.programs import PROGRAMS
from federation.party.identity import BUFFER, GREETING, Address, Credentials, dial, peer_of
from federation.party.meeting import Connection
from federation.runtime import Runtime
from federation.streams import StreamMesh

TIMEOUT = 300.0


async def connected(folder: Path, index: int, addresses: list[Address]) -> dict[int, Connection]:
    """To all parties, dialling those that come later."""
    names = [f"party-{i}" for i in range(len(addresses))]
    proof = Credentials(folder / "authority.pem", folder / f"{names[index]}.pem", folder / f"{names[index]}.key")
    found: dict[int, Connection] = {}
    complete = asyncio.Event()

    def add(other: int, connection: Connection) -> None:
        found[other] = connection
        if len(found) == len(addresses) - 1:
            complete.set()

    async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        add(names.index(peer_of(writer).name), Connection(reader, writer))

    host, port = addresses[index]
    server = await asyncio.start_server(arrived, host, port, ssl=proof.server(), limit=BUFFER)
    for other in range(index + 1, len(addresses)):
        add(other, await _dialled(proof, names[other], addresses[other]))
    await asyncio.wait_for(complete.wait(), TIMEOUT)
    server.close()
    return found


async def _dialled(proof: Credentials, name: str, address: Address) -> Connection:
    """Others may still be starting."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            return Connection(*await dial(proof.client(), name, address))
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


async def measured(folder: Path, index: int, program: str, size: int, degree: int, addresses: list[str]) -> dict[str, Any]:  # fmt: skip
    """Seconds from the moment that all are there, processor seconds, bytes and messages sent, peak memory."""
    mesh = StreamMesh(index, await connected(folder, index, list(map(Address.parsed, addresses))), timeout=TIMEOUT)
    runtime, chosen = Runtime(mesh, degree), PROGRAMS[program]
    own = chosen.own(index, size)
    await runtime.agree(b"start")
    before, start, busy = mesh.bytes_sent, time.perf_counter(), time.process_time()
    opened = await chosen.run(runtime, own)
    result = {
        "seconds": time.perf_counter() - start, "processor": time.process_time() - busy,
        "bytes": mesh.bytes_sent - before, "messages": mesh.messages_sent,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }  # fmt: skip
    await runtime.agree(b"end")
    await mesh.close()
    if index == 0 and not chosen.right(opened, len(addresses), size):
        raise ArithmeticError(f"{program} of {size} by {len(addresses)} parties is wrong")
    return result


if __name__ == "__main__":
    place, number, name, cells, threshold, *listening = sys.argv[1:]
    print(json.dumps(asyncio.run(measured(Path(place), int(number), name, int(cells), int(threshold), listening))))
