"""A party's process dies, hangs or speaks garbage in each phase of a job: every end is named, and the same for all."""

import asyncio
import os
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from federation.jobs.ends import JobEndedError
from federation.jobs.job import Job, issued
from federation.party.journal import DEBITED, entries
from federation.party.researcher import Researcher
from federation.party.service import PartyService
from tests.federation.party.members import Members
from tests.federation.party.patients import site
from tests.federation.party.programs import PROGRAMS

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
RULE = {"computations": dict.fromkeys(PROGRAMS, "auto"), "budget_rho": 1.0}
FOUR = ("north", "south", "west", "east")
PROJECT = Path(__file__).parents[3]


@pytest.fixture
def members(tmp_path: Path) -> Members:
    return Members(tmp_path, rule=RULE, timeout_seconds=2.0)


def asked(members: Members, **changed: Any) -> Job:
    description = {"kind": "steps", "participants": list(members.names), "dataset": "stroke", "rho": 0.25, **changed}
    return issued(description, researcher="ada")


@asynccontextmanager
async def faulty(members: Members, *fault: str, name: str = "south") -> AsyncIterator[None]:
    """A party in a process of its own, killed at the end whatever it does."""
    file = members.folder / f"{name}.pickle"
    file.write_bytes(pickle.dumps(members.settings[name]))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.federation.party.process", str(file), *fault, stdout=subprocess.PIPE, cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def sound(members: Members, *names: str) -> AsyncIterator[None]:
    """Parties without faults, in this process."""
    async with AsyncExitStack() as stack:
        for name in names:
            await stack.enter_async_context(PartyService(members.settings[name], site(20), PROGRAMS))
        yield


async def stepped(members: Members, job: Job) -> dict[str, Any]:
    """Two steps and the result."""
    async with Researcher(members.researcher) as researcher, researcher.session(job) as session:
        for _ in range(2):
            await session.step({"size": 3, "factor": 1, "rho": 0.1})
        return dict((await session.finish()).value)


def ends(members: Members, job: Job, *names: str) -> dict[str, Any]:
    """State in each journal, none where the job was not admitted."""
    logs = {name: list(entries(members.settings[name].journal)) for name in names}
    return {
        name: next((e.detail["state"] for e in log if e.event == "job.ended" and e.job == job.id), None)
        for name, log in logs.items()
    }


def debited(members: Members, name: str) -> float:
    return sum(e.detail["rho"] for e in entries(members.settings[name].journal) if e.event == DEBITED)


# Phase, and whether the party itself, and the others, had to pay by then. The others pay when all have agreed.
PHASES = [
    ("admit", 0, 0), ("accept", 0, 0), ("meet", 0, 0), ("agree", 0, 0), ("debit", 0, 0.25), ("share", 0.25, 0.25),
    ("open", 0.25, 0.25), ("answer", 0.25, 0.25),
]  # fmt: skip


@pytest.mark.parametrize(("phase", "own", "others"), PHASES)
async def test_a_party_that_dies_is_named_by_all_and_may_come_back(
    members: Members, phase: str, own: float, others: float
):
    job = asked(members)
    async with sound(members, "north", "west"):
        async with faulty(members, phase, "kill"):
            with pytest.raises(JobEndedError) as caught:
                await stepped(members, job)
        assert caught.value.end.state == "lost:south"
        assert ends(members, job, "north", "west") == dict.fromkeys(("north", "west"), "lost:south")
        async with sound(members, "south"):
            assert ends(members, job, "south") == {"south": None if phase == "admit" else "lost:south"}
            assert (debited(members, "south"), debited(members, "north")) == (own, others)
            again = asked(members)
            assert await stepped(members, again) == {"steps": 2}
    assert ends(members, again, *members.names) == dict.fromkeys(members.names, "done")


@pytest.mark.parametrize(("phase", "own", "others"), PHASES)
async def test_a_party_that_hangs_is_named_by_all(members: Members, phase: str, own: float, others: float):
    job = asked(members)
    async with sound(members, "north", "west"), faulty(members, phase, "stall"):
        with pytest.raises(JobEndedError) as caught:
            await stepped(members, job)
        assert caught.value.end.state == "stalled:south"
    assert ends(members, job, "north", "west") == dict.fromkeys(("north", "west"), "stalled:south")
    assert (debited(members, "south"), debited(members, "north")) == (own, others)


@pytest.mark.parametrize("phase", ["share", "open"])
async def test_a_party_that_sends_garbage_is_named_by_all(members: Members, phase: str):
    job = asked(members)
    async with sound(members, "north", "west"), faulty(members, phase, "garble"):
        with pytest.raises(JobEndedError) as caught:
            await stepped(members, job)
        assert caught.value.end.state == "garbled:south"
    names = ("north", "south", "west")
    assert ends(members, job, *names) == dict.fromkeys(names, "garbled:south")


async def test_a_party_that_dies_when_all_is_done_changes_nothing_for_the_others(members: Members):
    job = asked(members)
    async with sound(members, "north", "west"), faulty(members, "end", "kill"):
        assert await stepped(members, job) == {"steps": 2}
    assert ends(members, job, "north", "west") == dict.fromkeys(("north", "west"), "done")


@pytest.mark.parametrize("name", ["north", "south", "west"])
async def test_a_sum_is_opened_without_a_party_that_dies_after_it_has_shared(members: Members, name: str):
    job, rest = asked(members, kind="lasting", rho=None), [other for other in members.names if other != name]
    fault = faulty(members, "open", "kill", name=name)
    async with sound(members, *rest), fault, Researcher(members.researcher) as researcher:
        result = await researcher.run(job)
    assert (result.value, result.lost) == ({"total": 6}, (name,))
    assert ends(members, job, *rest) == dict.fromkeys(rest, "done")


async def test_a_sum_is_not_opened_without_a_party_that_has_not_shared(members: Members):
    job = asked(members, kind="lasting", rho=None)
    async with sound(members, "north", "west"), faulty(members, "share", "kill"), Researcher(members.researcher) as one:
        with pytest.raises(JobEndedError, match="lost:south"):
            await one.run(job)
    assert ends(members, job, "north", "west") == dict.fromkeys(("north", "west"), "lost:south")


async def test_the_rest_goes_on_with_a_new_job(tmp_path: Path):
    members = Members(tmp_path, FOUR, rule=RULE, timeout_seconds=2.0)
    rest = [name for name in FOUR if name != "south"]
    async with sound(members, *rest):
        async with faulty(members, "share", "kill"):
            with pytest.raises(JobEndedError, match="lost:south"):
                await stepped(members, asked(members))
        assert await stepped(members, asked(members, participants=rest)) == {"steps": 2}
    assert {debited(members, name) for name in rest} == {0.5}
