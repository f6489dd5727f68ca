"""A party in a process of its own that meets a fault: ``python -m tests.federation.party.process FILE PHASE FAULT``."""

import asyncio
import os
import pickle
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from federation.jobs.steps import Steps
from federation.mesh import Payload
from federation.party.journal import Journal
from federation.party.meeting import Meetings
from federation.party.participation import Participation
from federation.party.service import PartyService
from federation.runtime import Runtime
from federation.streams import StreamMesh
from tests.federation.party.patients import site
from tests.federation.party.programs import PROGRAMS

# Phase to the method that begins it.
PHASES: dict[str, tuple[type, str]] = {
    "admit": (Participation, "_admit"), "accept": (Participation, "_agree_to"), "meet": (Meetings, "all_met"),
    "agree": (Runtime, "agree"), "debit": (Journal, "debit"), "share": (Runtime, "input_sum"), "open": (Runtime, "open"),
    "answer": (Steps, "answer"), "end": (Participation, "_close"),
}  # fmt: skip


def kill() -> None:
    """The machine dies."""
    os.kill(os.getpid(), signal.SIGKILL)


def stall() -> None:
    """The machine hangs."""
    os.kill(os.getpid(), signal.SIGSTOP)


def garble() -> None:
    """From now on other bytes than the protocol's go to the parties."""

    async def send(self: StreamMesh, peer: int, tag: int, payload: Payload) -> None:
        self._connections[peer].writer.write(b"\xff" * 64)

    StreamMesh.send = send


def interrupted(kind: type, name: str, fault: Callable[[], None]) -> None:
    """Let the fault happen before a method runs."""
    original = getattr(kind, name)

    def method(*arguments: Any, **named: Any) -> Any:
        fault()
        return original(*arguments, **named)

    setattr(kind, name, method)


async def main(file: Path) -> None:
    """Serve until SIGTERM."""
    settings = pickle.loads(file.read_bytes())
    async with PartyService(settings, site(20), PROGRAMS) as party:
        running = asyncio.ensure_future(party.serve())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
        print("ready", flush=True)
        await asyncio.gather(running, return_exceptions=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        interrupted(*PHASES[sys.argv[2]], {"kill": kill, "stall": stall, "garble": garble}[sys.argv[3]])
    asyncio.run(main(Path(sys.argv[1])))
