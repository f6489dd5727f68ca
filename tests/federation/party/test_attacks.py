"""Members with a valid certificate that do not keep to the protocol, spoken by hand."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from federation.jobs.job import Job, issued, parsed
from federation.party import messages
from federation.party.identity import Address, dial
from federation.party.journal import entries
from federation.party.meeting import Connection
from federation.party.service import PartyService
from tests.federation.party.members import Members
from tests.federation.party.patients import site
from tests.federation.party.programs import PROGRAMS

pytestmark = pytest.mark.anyio
RULE = {"computations": dict.fromkeys(PROGRAMS, "auto"), "budget_rho": 1.0}


@pytest.fixture
def members(tmp_path: Path) -> Members:
    return Members(tmp_path, rule=RULE, timeout_seconds=1.5)


@pytest.fixture
async def parties(members: Members) -> AsyncIterator[Members]:
    async with AsyncExitStack() as stack:
        for settings in members.settings.values():
            await stack.enter_async_context(PartyService(settings, site(), PROGRAMS))
        yield members


def asked(members: Members, **changed: Any) -> Job:
    description = {"kind": "steps", "participants": list(members.names), "dataset": "stroke", "rho": 0.25, **changed}
    return issued(description, researcher="ada")


@asynccontextmanager
async def line(members: Members, to: str, context: ssl.SSLContext | None = None) -> AsyncIterator[Connection]:
    """A connection to a party, as the researcher unless another's context is given."""
    context = context or members.researcher.credentials.client()
    reader, writer = await dial(context, to, Address.parsed(members.addresses[to]))
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


async def heard(connection: Connection, *kinds: str) -> messages.Message:
    """The next message of one of these kinds."""
    async with asyncio.timeout(10):
        while True:
            message = await messages.read(connection.reader)
            assert message is not None, "the connection ended"
            if message["type"] in kinds:
                return message


async def started(stack: AsyncExitStack, members: Members, jobs: dict[str, Job]) -> dict[str, Connection]:
    """A job that each party has accepted and begun, not always the same one."""
    lines = {name: await stack.enter_async_context(line(members, name)) for name in jobs}
    for name, job in jobs.items():
        await messages.write(lines[name].writer, "submit", job=job.model_dump(mode="json"))
    for name, job in jobs.items():
        assert (await heard(lines[name], "accepted", "refused"))["sha256"] == job.sha256
    for name, job in jobs.items():
        await messages.write(lines[name].writer, "start", sha256=job.sha256)
    return lines


@pytest.mark.parametrize("odd", ["north", "south", "west"])
async def test_a_researcher_who_gives_one_party_another_job_gets_no_share(parties: Members, odd: str):
    job = asked(parties)
    other = parsed(job.model_dump(mode="json") | {"rho": 0.01})
    async with AsyncExitStack() as stack:
        lines = await started(stack, parties, {name: other if name == odd else job for name in parties.names})
        ends = [await heard(one, "failed") for one in lines.values()]
    assert "mismatch" in {end["state"] for end in ends}
    assert {end["state"] for end in ends} <= {"mismatch", "lost:west", "lost:south", "stalled:south", "stalled:west"}
    await asyncio.sleep(0.1)
    for settings in parties.settings.values():
        assert not [e for e in entries(settings.journal) if e.event in ("budget.debited", "job.started")]


async def test_a_researcher_who_gives_one_party_another_step_gets_no_answer(parties: Members):
    job = asked(parties)
    async with AsyncExitStack() as stack:
        lines = await started(stack, parties, dict.fromkeys(parties.names, job))
        for name, one in lines.items():
            await messages.write(one.writer, "step", number=1, request={"size": 1, "factor": 1 + (name == "west")})
        ends = [await heard(one, "failed", "answer") for one in lines.values()]
    assert [end.get("state") for end in ends] == ["mismatch"] * 3
    assert "west" in ends[0]["reason"]
    assert "west" in ends[1]["reason"]


async def test_a_researcher_who_ends_the_steps_for_one_party_only_is_noticed(parties: Members):
    job = asked(parties)
    async with AsyncExitStack() as stack:
        lines = await started(stack, parties, dict.fromkeys(parties.names, job))
        for name, one in lines.items():
            if name == "north":
                await messages.write(one.writer, "finish")
            else:
                await messages.write(one.writer, "step", number=1, request={"size": 1, "factor": 1})
        assert [(await heard(one, "failed", "answer", "result")).get("state") for one in lines.values()] == [
            "mismatch"
        ] * 3


async def test_a_party_cannot_submit_a_job(parties: Members):
    job = asked(parties)
    async with line(parties, "south", parties.settings["north"].credentials.client()) as one:
        await messages.write(one.writer, "submit", job=job.model_dump(mode="json"))
        assert "must know who calls, got the party north" in (await heard(one, "refused"))["reason"]


async def test_a_researcher_cannot_take_a_partys_place_in_the_mesh(parties: Members):
    job = asked(parties)
    async with line(parties, "west") as west, line(parties, "west") as mesh:
        await messages.write(west.writer, "submit", job=job.model_dump(mode="json"))
        await heard(west, "accepted")
        await messages.write(mesh.writer, "mesh", job=job.id, sha256=job.sha256)
        assert (await heard(mesh, "refused"))["state"] == "refused"
    logged = [e.detail["name"] for e in entries(parties.settings["west"].journal) if e.event == "connection.refused"]
    assert logged == ["ada"]


async def test_a_researcher_cannot_submit_in_anothers_name(parties: Members):
    job = parsed(asked(parties).model_dump(mode="json") | {"researcher": "bob"})
    async with line(parties, "south") as one:
        await messages.write(one.writer, "submit", job=job.model_dump(mode="json"))
        assert "submitted by its researcher bob, got ada" in (await heard(one, "refused"))["reason"]


async def test_a_party_that_calls_for_a_job_nobody_has_is_not_heard(parties: Members):
    async with line(parties, "west", parties.settings["north"].credentials.client()) as one:
        await messages.write(one.writer, "mesh", job=asked(parties).id, sha256="0" * 64)
        assert await messages.read(one.reader) is None


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\n",
        b"{}\n",
        b"[]\n",
        b'{"type":"magic"}\n',
        b'{"type":"submit"}\n',
        b'{"type":"submit","job":[]}\n',
        b"\n",
    ],
)
async def test_garbage_in_place_of_a_job(parties: Members, content: bytes):
    async with line(parties, "north") as one:
        one.writer.write(content)
        async with asyncio.timeout(5):
            message = await messages.read(one.reader)
        assert message is None or message["type"] == "refused"
    await usual(parties)


@pytest.mark.parametrize("content", [b"\xff\n", b'{"type":"start","sha256":"0"}\n', b'{"type":"step","request":1}\n'])
async def test_garbage_after_a_job_ends_it(parties: Members, content: bytes):
    job = asked(parties)
    async with line(parties, "north") as one:
        await messages.write(one.writer, "submit", job=job.model_dump(mode="json"))
        await heard(one, "accepted")
        one.writer.write(content)
        await heard(one, "ended")
    assert [e.detail["state"] for e in entries(parties.settings["north"].journal) if e.event == "job.ended"] == [
        "garbled:researcher"
    ]
    await usual(parties)


async def test_a_researcher_who_vanishes_ends_the_job_for_all(parties: Members):
    job = asked(parties, kind="slow")
    async with AsyncExitStack() as stack:
        lines = await started(stack, parties, dict.fromkeys(parties.names, job))
        for one in lines.values():
            await heard(one, "progress")
        for one in lines.values():
            one.writer.transport.abort()
    async with asyncio.timeout(5):
        while {end(parties, name) for name in parties.names} != {"lost:researcher"}:
            await asyncio.sleep(0.05)


async def test_a_job_that_waits_for_a_person_is_forgotten_with_its_researcher(tmp_path: Path):
    members = Members(tmp_path, rule={"computations": {"sum": "ask"}})
    settings = members.settings["north"]
    async with PartyService(settings, site(), PROGRAMS) as party:
        async with line(members, "north") as one:
            job = asked(members, kind="sum", rho=None, columns=["sex"])
            await messages.write(one.writer, "submit", job=job.model_dump(mode="json"))
            await heard(one, "asks")
            async with asyncio.timeout(5):
                while party.approvals.waiting() != [job]:
                    await asyncio.sleep(0.02)
        async with asyncio.timeout(5):
            while party.approvals.waiting():
                await asyncio.sleep(0.02)


def end(members: Members, name: str) -> str | None:
    """State of the only job in a journal."""
    return next((e.detail["state"] for e in entries(members.settings[name].journal) if e.event == "job.ended"), None)


async def test_a_step_that_is_no_step_is_refused_by_all(parties: Members):
    job = asked(parties)
    async with AsyncExitStack() as stack:
        lines = await started(stack, parties, dict.fromkeys(parties.names, job))
        for one in lines.values():
            await messages.write(one.writer, "step", number=1, request={"colour": "red"})
        ends = [await heard(one, "failed") for one in lines.values()]
    assert {end["state"] for end in ends} == {"refused"}
    await usual(parties)


async def usual(parties: Members) -> None:
    """The parties go on as if nothing had been."""
    from federation.party.researcher import Researcher

    async with Researcher(parties.researcher) as researcher:
        result = await researcher.run(asked(parties, kind="sum", rho=None, columns=["sex"]))
    assert result.value == {"patients": 60}
