"""Running the project's commands as a user does: in processes of their own, on a home of their own."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BINARIES = Path(sys.executable).parent
PROJECT = Path(__file__).parents[2]
PATIENCE = 600  # seconds on a loaded machine; what hangs, hangs longer


def started(home: Path, *command: str, log: Path | None = None, **settings: str) -> subprocess.Popen[str]:
    """A command of the project, for instance ``phaseiv run stroke``, in a process group of its own, output kept.

    What runs for long needs a ``log``: a pipe that nobody reads is full after 64 KiB, and then the servers stand still.
    """
    environment = {**os.environ, "PHASEIV_HOME": str(home), "DAGSTER_HOME": str(home / "dagster"), **settings}
    with log.open("w") if log else contextlib.nullcontext(subprocess.PIPE) as output:
        return subprocess.Popen(
            [str(BINARIES / command[0]), *command[1:]], env=environment, cwd=PROJECT, text=True,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


def done(home: Path, *command: str, **settings: str) -> tuple[int, str]:
    """Exit code and output of a command."""
    process = started(home, *command, **settings)
    output, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, output


def released(home: Path, *command: str) -> tuple[str, ...]:
    """The command with the epsilon at which it ended in a release.

    Noise has no seed, and the gate refuses about one candidate in a hundred by chance; a refused question keeps its
    answers, so another epsilon asks a new one.
    """
    output = ""
    for epsilon in ("5", "6"):
        code, output = done(home, *command, "--epsilon", epsilon)
        if code == 0:
            return *command, "--epsilon", epsilon
        assert "Release refused" in output, output
    raise AssertionError(output)


def quick(use_case: str, **synthesis: Any) -> dict[str, Any]:
    """Run configuration without repeated fits, which take a third of the time."""
    steps = {"synthetic": synthesis, "downstream_classifier": {"refits": 0}}
    return {"ops": {f"{use_case}__{step}": {"config": config} for step, config in steps.items()}}


def published(home: Path) -> dict[Path, bytes]:
    """What was handed out: every file of the releases and every page."""
    folders = (home / "releases", home / "reports")
    return {path: path.read_bytes() for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()}


def until(happened: Callable[[], object]) -> None:
    """Wait for something that must happen."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def at_work(home: Path) -> list[int]:
    """Processes that were started with this home, from /proc."""
    return [int(p.name) for p in Path("/proc").glob("[0-9]*") if f"PHASEIV_HOME={home}\0".encode() in _environment(p)]


def children(pid: int) -> list[int]:
    """Processes that a process started, from /proc."""
    return [int(p.name) for p in Path("/proc").glob("[0-9]*") if _parent(p) == pid]


def _environment(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes() + b"\0"
    except OSError:  # it ended meanwhile, or belongs to another user
        return b""


def _parent(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it ended meanwhile
        return None
