"""Many downloads at once from a real server: ``python -m benchmarks.repository [downloads] [MiB]``.

Belongs here: seconds, throughput and the server's memory while packages stream. Does not belong here: tests of what is
sent (``tests/hub/repository``). Each download comes from an access token, fetches its own one-time token and checks the
sha256 of what arrives.
"""

import asyncio
import hashlib
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.access import permits
from hub.access.tables import Request
from hub.caller import Caller
from hub.database.engine import Database
from hub.delivery.tables import Order
from hub.deployment import Deployment, utc_now
from hub.keys import Keys
from hub.people import accounts
from hub.people.roles import Role
from hub.people.sessions import issue_token
from hub.repository import vault
from hub.repository.tables import Artefact
from hub.settings import HubSettings
from hub.web.application import build

PAGE = Path("docs/benchmarks/repository.md")
MIB = 2**20
PIECE = 262_144


@dataclass
class Measured:
    """Outcome of one round; memory in MiB: before the first download, and the most while they ran."""

    downloads: int
    size: int
    seconds: float = 0.0
    before: float = 0.0
    peak: float = 0.0
    each: list[float] = field(default_factory=list)
    wrong: int = 0

    @property
    def row(self) -> str:
        """As a line of the page's table."""
        rate = self.downloads * self.size / self.seconds
        slow = sorted(self.each)[int(0.95 * (len(self.each) - 1))]
        return (
            f"| {self.downloads} | {self.size} | {self.seconds:.1f} | {rate:.0f} | {statistics.median(self.each):.1f} "
            f"| {slow:.1f} | {self.before:.0f} | {self.peak:.0f} | {self.wrong} |"
        )


def hub_with_package(home: Path, mib: int, downloads: int, keys: Keys) -> tuple[Deployment, str, str, str]:
    """A hub with one artefact; returns it, the artefact's id and sha256, and an access token."""
    settings = HubSettings(home=home)
    hub = Deployment(settings, Database(settings.url), keys)
    hub.database.create()
    package, now = home / "package.zip", utc_now()
    package.write_bytes(os.urandom(mib * MIB))
    with hub.database.write() as session:
        person = accounts.create(
            session, now=now, email="a@example.org", name="A", roles=frozenset({Role.DEVELOPER}), password=None
        )
        request = Request(
            person_id=person.id, kind="synthetic", dataset_ids=["set"], form={"purposes": ["e"]}, state="granted",
            created_at=now, updated_at=now,
        )  # fmt: skip
        session.add(request)
        session.flush()
        permit = permits.issue(Caller(session, now, hub, person), request, months=1)
        order = Order(
            permit_id=permit.id, offer_id="offer", person_id=person.id, dataset_id="set", use_case="stroke",
            synthesizer="auto", epsilon=1.0, rows=1, formats=["parquet"], created_at=now, updated_at=now, deadline=now,
        )  # fmt: skip
        session.add(order)
        session.flush()
        made: Artefact = vault.deposit(
            session,
            hub,
            package=package,
            order=order,
            title="Set",
            facts={},
            now=now,
            expires_at=now + timedelta(days=1),
        )
        made.downloads_left = downloads * 2
        return hub, made.id, made.sha256, issue_token(session, person, "benchmark", now)


def serve(home: Path, port: int, keys: tuple[bytes, bytes]) -> None:
    """The server's process."""
    settings = HubSettings(home=home)
    signing = Ed25519PrivateKey.from_private_bytes(keys[1])
    hub = Deployment(settings, Database(settings.url), Keys(keys[0], signing))
    uvicorn.run(build(hub), host="127.0.0.1", port=port, log_level="error", backlog=4096)


async def measure(port: int, pid: int, artefact: str, sha256: str, token: str, downloads: int, mib: int) -> Measured:
    """All downloads at once, and the server's memory every tenth of a second."""
    result = Measured(downloads, mib)
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/api/v1/artefacts/{artefact}"
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
        await _awake(client, path)
        tokens = [(await client.post(f"{path}/token")).json()["token"] for _ in range(downloads)]
    sent = f"Authorization: Bearer {token}"
    result.before = resident(pid)
    watcher = asyncio.create_task(_watched(pid, result))
    start = time.perf_counter()
    await asyncio.gather(*[_download(port, f"{path}/download?token={one}", sent, sha256, result) for one in tokens])
    result.seconds = time.perf_counter() - start
    watcher.cancel()
    return result


async def _download(port: int, target: str, headers: str, sha256: str, result: Measured) -> None:
    """Over a bare socket: a client library would cost more than the server."""
    start, digest = time.perf_counter(), hashlib.sha256()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4 * PIECE)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n{headers}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        while part := await reader.read(PIECE):
            digest.update(part)
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        pass  # its digest is wrong, and counted as that
    result.wrong += digest.hexdigest() != sha256
    result.each.append(time.perf_counter() - start)


async def _awake(client: httpx.AsyncClient, url: str) -> None:
    for _ in range(200):
        try:
            await client.get(url)
            return
        except httpx.TransportError:
            await asyncio.sleep(0.1)


async def _watched(pid: int, result: Measured) -> None:
    while True:
        result.peak = max(result.peak, resident(pid))
        await asyncio.sleep(0.1)


def resident(pid: int) -> float:
    """Resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def round_of(downloads: int, mib: int) -> Measured:
    """One server, one package, ``downloads`` at once."""
    secrets = (os.urandom(32), os.urandom(32))
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        keys = Keys(secrets[0], Ed25519PrivateKey.from_private_bytes(secrets[1]))
        _, artefact, sha256, token = hub_with_package(Path(folder), mib, downloads, keys)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(Path(folder), port, secrets))
        process.start()
        try:
            assert process.pid is not None
            return asyncio.run(measure(port, process.pid, artefact, sha256, token, downloads, mib))
        finally:
            process.terminate()
            process.join()


TEXT = """# Downloads from the temporary repository

`python -m benchmarks.repository`: one server process (uvicorn, SQLite, encrypted package, one-time token for each download,
sha256 of every transfer checked), all downloads begun at once, clients on the same 2 cores.

| downloads | MiB each | s | MiB/s | median s | p95 s | server MiB before | server MiB at most | wrong |
|---|---|---|---|---|---|---|---|---|
{rows}

Packages are decrypted frame by frame (64 KiB) by at most 40 worker threads, and a slow reader holds back its own frames
only: the server never holds a whole package.
"""


def main(arguments: Sequence[str]) -> None:
    """Measure and write the page."""
    downloads, mib = (int(arguments[0]), int(arguments[1])) if len(arguments) == 2 else (500, 20)
    rounds = [(downloads // 10, mib), (downloads, mib // 10), (downloads, mib)]
    rows = []
    for number, size in rounds:
        rows.append(round_of(max(number, 1), max(size, 1)).row)
        print(rows[-1], flush=True)
    PAGE.write_text(TEXT.format(rows="\n".join(rows)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
