import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from federation.jobs.job import Job, issued, parsed
from federation.party.approval import Approvals, Decision
from records.errors import ParameterError

pytestmark = pytest.mark.anyio
ASKED = {"kind": "counts", "participants": ["north", "south", "west"], "dataset": "stroke"}


@pytest.fixture
def job() -> Job:
    return issued(ASKED, researcher="ada")


async def answered(approvals: Approvals, job: Job, decision: Decision) -> Decision:
    waiting = asyncio.create_task(approvals.decided(job))
    while not approvals.waiting():
        await asyncio.sleep(0.01)
    assert approvals.decide(job.id[:8], decision) == job
    return await waiting


@pytest.mark.parametrize("decision", [Decision(True, "eve"), Decision(False, "eve", "not this year")])
async def test_a_waiting_job_gets_its_decision_and_nothing_stays(tmp_path: Path, job: Job, decision: Decision):
    approvals = Approvals(tmp_path)
    assert await answered(approvals, job, decision) == decision
    assert list(tmp_path.iterdir()) == []


async def test_a_job_nobody_decides_on_is_refused_when_it_expires(tmp_path: Path, job: Job):
    late = job.expires_at + timedelta(seconds=1)
    assert not (await Approvals(tmp_path).decided(job, lambda: late)).approved


async def test_a_decision_holds_for_the_job_that_was_seen(tmp_path: Path, job: Job):
    approvals = Approvals(tmp_path)
    waiting = asyncio.create_task(approvals.decided(job))
    while not approvals.waiting():
        await asyncio.sleep(0.01)
    seen = tmp_path / f"{job.id}.json"
    other = parsed(job.model_dump(mode="json") | {"columns": ["sex"]})
    seen.write_bytes(other.canonical)
    approvals.decide(job.id, Decision(True, "eve"))
    assert not (await waiting).approved


def test_only_waiting_jobs_are_decided_on(tmp_path: Path, job: Job):
    for identifier in (job.id, "", "../x"):
        with pytest.raises(ParameterError, match="one that waits"):
            Approvals(tmp_path).decide(identifier, Decision(True, "eve"))


def test_jobs_of_a_former_process_are_forgotten(tmp_path: Path, job: Job):
    approvals = Approvals(tmp_path)
    (tmp_path / f"{job.id}.json").write_bytes(job.canonical)
    assert approvals.waiting() == [job]
    approvals.clear()
    assert approvals.waiting() == []
