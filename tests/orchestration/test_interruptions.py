"""A killed run, a killed step, a full disk: former outputs stay byte for byte, and the next run recovers."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.orchestration.commands import PATIENCE, children, done, published, released, started, until

pytestmark = pytest.mark.slow
RUN = ("phaseiv", "run", "stroke", "--refits", "0")
Command = tuple[str, ...]
SMALL_DISK = "48m"


@pytest.fixture(scope="module")
def home(new_home: Callable[[], Path]) -> Path:
    return new_home()


@pytest.fixture(scope="module")
def run_again(home: Path) -> Command:
    """The command that ended in a release; asked again, it costs nothing and ends in the same one."""
    return released(home, *RUN)


def deidentified(home: Path) -> list[int]:
    """When the hospitals' de-identified tables were written."""
    # Files that are being written have names of their own until they are whole.
    return [p.stat().st_mtime_ns for p in sorted((home / "storage" / "stroke" / "deidentified").glob("[!.]*"))]


def releases(home: Path) -> dict[Path, bytes]:
    return {path: data for path, data in published(home).items() if "releases" in path.parts}


def test_a_killed_run_changes_nothing(home: Path, run_again: Command) -> None:
    before, written = published(home), deidentified(home)
    run = started(home, *run_again)
    until(lambda: deidentified(home) != written)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=PATIENCE)
    assert run.returncode == -signal.SIGKILL
    assert published(home) == before


def test_killed_steps_fail_the_run(home: Path, run_again: Command, tmp_path: Path) -> None:
    before, written, log = published(home), deidentified(home), tmp_path / "launch.log"
    launch = started(home, "dg", "launch", "--job", "stroke", log=log)
    until(lambda: deidentified(home) != written)

    def ended() -> bool:
        """Whether the run is over; its steps, children of the process that forks them, are killed as they come."""
        for step in [step for server in children(launch.pid) for step in children(server)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(step, signal.SIGKILL)
        return launch.poll() is not None

    until(ended)
    assert launch.returncode != 0
    assert "ChildProcessCrashException" in log.read_text()
    assert published(home) == before


def test_the_next_run_recovers_where_sigterm_is_ignored(home: Path, run_again: Command) -> None:
    """Some supervisors start commands so; Dagster ends its log copiers by SIGTERM and would wait for them forever."""
    before = releases(home)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        run = started(home, *run_again)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    output, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, output
    assert releases(home) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that can really fill up; needs the right to mount."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return filler


def test_a_disk_that_fills_up_is_named_and_the_next_run_recovers(small_disk: Path) -> None:
    home = small_disk / "home"
    run_again = released(home, *RUN)
    before, written = published(home), deidentified(home)
    run = started(home, *RUN, "--epsilon", "1")
    until(lambda: deidentified(home) != written)
    filler = fill(small_disk)
    output, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 1, output
    assert "the disk of PHASEIV_HOME must have" in output
    assert "Traceback" not in output
    assert published(home) == before
    for table in (home / "storage").rglob("*.parquet"):
        pl.read_parquet(table)
    code, output = done(home, *run_again)
    assert code == 1
    assert "the disk of PHASEIV_HOME must have 16 MiB free, got 0 MiB" in output
    filler.unlink()
    code, output = done(home, *run_again)
    assert code == 0, output
