"""Starts the parties of one measurement, each as a process of its own, and gathers what they measured.

Belongs here: certificates, ports, processes. Does not belong here: what is computed (``programs``).
"""

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from federation.party.authority import Authority, PartyRole, join

LIMIT_SECONDS = 900
OURS = [sys.executable, "-m", "benchmarks.federation.party"]


@dataclass(frozen=True)
class Line:
    """Between any two parties; each sends and receives ``megabits`` a second in all."""

    round_trip: float
    megabits: float


@dataclass(frozen=True)
class Cost:
    """Of one program: the slowest party's seconds; sums over parties of the rest; the largest peak of memory."""

    seconds: float
    processor: float
    bytes: int
    messages: int
    memory: int


def measure(
    program: str, parties: int, size: int, *, line: Line | None = None, command: list[str] | None = None
) -> Cost:
    """Run ``program`` once; ``command`` is a party's process, ours unless given."""
    with tempfile.TemporaryDirectory() as folder, _addresses(parties, line) as addresses:
        certified(Path(folder), parties)
        threshold = str((parties - 1) // 2)
        processes = [
            subprocess.Popen(
                [*(command or OURS), folder, str(i), program, str(size), threshold, *addresses[i]],
                stdout=subprocess.PIPE,
            )
            for i in range(parties)
        ]
        try:
            found = [json.loads(process.communicate(timeout=LIMIT_SECONDS)[0]) for process in processes]
        finally:
            for process in processes:
                process.kill()
    largest = {key: max(one[key] for one in found) for key in ("seconds", "memory")}
    return Cost(**largest, **{key: sum(one[key] for one in found) for key in ("processor", "bytes", "messages")})


def certified(folder: Path, parties: int) -> None:
    """An authority's certificate and a key and certificate for each party."""
    authority = Authority.init(folder / "authority")
    for i in range(parties):
        request = join(authority.invite(f"party-{i}", PartyRole.PARTY), folder)
        (folder / f"party-{i}.pem").write_bytes(authority.sign(request))


def free_ports(count: int) -> list[int]:
    """Ports on which nobody listens now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def _addresses(parties: int, line: Line | None) -> Iterator[list[list[str]]]:
    """What each party calls its own and the others' addresses; behind relays if there is a line between them."""
    ports = free_ports(parties)
    direct = [[f"127.0.0.1:{port}" for port in ports] for _ in range(parties)]
    if line is None:
        yield direct
        return
    routes = [f"{i}-{j}-{ports[j]}" for j in range(parties) for i in range(j)]
    words = [str(line.round_trip / 2), str(line.megabits * 125_000), *routes]
    relays = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.federation.link", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert relays.stdout is not None
        for route, port in json.loads(relays.stdout.readline()).items():
            source, target = map(int, route.split("-"))
            direct[source][target] = f"127.0.0.1:{port}"
        yield direct
    finally:
        relays.kill()
        relays.wait()
