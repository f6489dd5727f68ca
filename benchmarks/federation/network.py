"""Starts the parties of one measurement, each as a process of its own, and gathers what they measured.

Belongs here: certificates, ports, processes. Does not belong here: what is computed (``programs``).
"""

import json
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from federation.party.authority import Authority, PartyRole, join

LIMIT_SECONDS = 900


@dataclass(frozen=True)
class Cost:
    """Of one program: the slowest party's seconds; sums over parties of the rest; the largest peak of memory."""

    program: str
    parties: int
    size: int
    seconds: float
    processor: float
    bytes: int
    messages: int
    memory: int


def measure(program: str, parties: int, size: int, *, degree: int | None = None, command: list[str] | None = None) -> Cost:  # fmt: skip
    """Run ``program`` once; ``command`` is a party's process, ours unless given."""
    with tempfile.TemporaryDirectory() as folder:
        certified(Path(folder), parties)
        addresses = [f"127.0.0.1:{port}" for port in free_ports(parties)]
        start = command or [sys.executable, "-m", "benchmarks.federation.party"]
        threshold = str(degree or (parties - 1) // 2)
        processes = [
            subprocess.Popen(
                [*start, folder, str(i), program, str(size), threshold, *addresses], stdout=subprocess.PIPE
            )
            for i in range(parties)
        ]
        try:
            found = [json.loads(process.communicate(timeout=LIMIT_SECONDS)[0]) for process in processes]
        finally:
            for process in processes:
                process.kill()
    seconds, memory = (max(one[key] for one in found) for key in ("seconds", "memory"))
    processor, sent, messages = (sum(one[key] for one in found) for key in ("processor", "bytes", "messages"))
    return Cost(program, parties, size, seconds, processor, sent, messages, memory)


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
