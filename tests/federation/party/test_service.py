"""Parties and a researcher over TLS, in one process; faults of whole processes are in ``test_faults``."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from federation.jobs.ends import JobEndedError
from federation.jobs.job import Job, issued
from federation.party.approval import Approvals, Decision
from federation.party.authority import Authority, PartyRole, join
from federation.party.journal import Journal, contradicting, entries
from federation.party.messages import MessageError
from federation.party.researcher import Progress, Researcher
from federation.party.service import PartyService
from federation.site import TableSite
from records.errors import ParameterError
from tests.federation.party.members import Members
from tests.federation.party.patients import codebook, site
from tests.federation.party.programs import PROGRAMS

pytestmark = pytest.mark.anyio
EVERYTHING = {"computations": dict.fromkeys(PROGRAMS, "auto"), "budget_rho": 1.0}
FIVE = ("north", "south", "west", "east", "centre")


def asked(members: Members, **changed: Any) -> Job:
    description = {
        "kind": "sum",
        "participants": list(members.names),
        "dataset": "stroke",
        "columns": ["sex"],
        **changed,
    }
    return issued(description, researcher="ada")


@asynccontextmanager
async def serving(members: Members, **options: dict[str, Any]) -> AsyncIterator[dict[str, PartyService]]:
    """All parties; ``options`` by name."""
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(
                PartyService(settings, **{"site": site(20 + i), "programs": PROGRAMS, **options.get(name, {})})
            )
            for i, (name, settings) in enumerate(members.settings.items())
        }


@pytest.fixture
def members(tmp_path: Path) -> Members:
    return Members(tmp_path, rule=EVERYTHING)


def states(members: Members, job: Job) -> dict[str, Any]:
    """The state in which each journal says that the job ended."""
    found = {name: list(entries(settings.journal)) for name, settings in members.settings.items()}
    return {
        name: next((e.detail["state"] for e in log if e.event == "job.ended" and e.job == job.id), None)
        for name, log in found.items()
    }


async def ended(members: Members, job: Job, **options: dict[str, Any]) -> JobEndedError:
    """The end of a job that does not come to a result."""
    async with serving(members, **options), Researcher(members.researcher) as researcher:
        with pytest.raises(JobEndedError) as caught:
            await researcher.run(job)
        return caught.value


async def test_a_sum_of_three_parties(members: Members):
    job = asked(members)
    news: list[Progress] = []
    async with serving(members), Researcher(members.researcher) as researcher:
        result = await researcher.run(job, on_progress=news.append)
    assert result.value == {"patients": 63}
    assert result.end.state == "done"
    assert set(result.figures) == set(members.names)
    assert all(one.bytes > 0 and one.rounds > 2 and one.seconds > 0 for one in result.figures.values())
    assert {(one.party, one.stage) for one in news} >= {
        (name, s) for name in members.names for s in ("accepted", "done")
    }
    assert states(members, job) == dict.fromkeys(members.names, "done")


async def test_a_log_that_was_rewritten_contradicts_the_others(members: Members):
    async with serving(members), Researcher(members.researcher) as researcher:
        for _ in range(2):
            await researcher.run(asked(members, rho=0.1))
    north, west = members.settings["north"].journal, members.settings["west"].journal
    assert contradicting(north, west, "north") == []
    kept = [entry for entry in entries(north) if entry.event != "budget.debited"]
    north.unlink()
    with Journal(north) as journal:
        for one in kept:
            journal.record(one.event, one.job, now=datetime.fromisoformat(one.at), **one.detail)
    assert len(list(entries(north))) == len(kept)  # in itself it is whole
    assert len(contradicting(north, west, "north")) == 1


async def test_filters_reach_the_sites(members: Members):
    async with serving(members), Researcher(members.researcher) as researcher:
        result = await researcher.run(asked(members, filters=[{"column": "sex", "op": "==", "value": "f"}]))
    assert result.value == {"patients": 7 + 7 + 8}


async def test_five_parties_one_of_which_only_computes(tmp_path: Path):
    members = Members(tmp_path, FIVE, rule=EVERYTHING)
    centre = members.settings["centre"].model_copy(update={"datasets": {}, "computes": {"stroke": "stroke"}})
    members.settings["centre"] = centre
    job = asked(members, rho=0.5)
    empty = TableSite({"stroke": (codebook(), None)})
    async with serving(members, centre={"site": empty}), Researcher(members.researcher) as researcher:
        assert (await researcher.run(job)).value == {"patients": 20 + 21 + 22 + 23}
    debits = {n: [e.event for e in entries(s.journal)].count("budget.debited") for n, s in members.settings.items()}
    assert debits == {**dict.fromkeys(FIVE, 1), "centre": 0}


async def test_steps_are_answered_in_order(members: Members):
    job = asked(members, kind="steps")
    async with serving(members), Researcher(members.researcher) as researcher, researcher.session(job) as session:
        for factor in (1, 2):
            answer = await session.step({"size": 4, "factor": factor})
            np.testing.assert_array_equal(answer, 3 * factor * np.arange(4))
        result = await session.finish()
    assert result.value == {"steps": 2}
    assert states(members, job) == dict.fromkeys(members.names, "done")


async def test_a_session_that_is_left_is_finished(members: Members):
    job = asked(members, kind="steps")
    async with serving(members), Researcher(members.researcher) as researcher, researcher.session(job) as session:
        await session.step({"size": 2, "factor": 1})
    assert states(members, job) == dict.fromkeys(members.names, "done")


async def test_large_steps_and_answers(members: Members):
    job = asked(members, kind="steps")
    async with serving(members), Researcher(members.researcher) as researcher, researcher.session(job) as session:
        answer = await session.step({"size": 200_000, "factor": 1, "estimate": np.zeros(200_000)})
        assert answer.shape == (200_000,)


async def test_jobs_at_the_same_time(members: Members):
    async with serving(members), Researcher(members.researcher) as researcher:
        results = await asyncio.gather(*(researcher.run(asked(members)) for _ in range(4)))
    assert [result.value for result in results] == [{"patients": 63}] * 4


async def test_steps_beyond_the_declared_cost_end_the_job_and_the_debit_stays(members: Members):
    job = asked(members, kind="steps", rho=0.1)
    async with serving(members) as parties, Researcher(members.researcher) as researcher:
        with pytest.raises(JobEndedError, match=r"at most the job's rho 0\.1, of which 0\.04 is left, got 0\.06"):
            await stepped(researcher, job, 2, rho=0.06)
        assert {party.journal.spent("stroke") for party in parties.values()} == {0.1}
    assert states(members, job) == dict.fromkeys(members.names, "budget")


async def stepped(researcher: Researcher, job: Job, times: int, **fields: Any) -> None:
    async with researcher.session(job) as session:
        for _ in range(times):
            await session.step({"size": 1, "factor": 1, **fields})


async def test_budgets_are_used_up_once(members: Members):
    async with serving(members) as parties, Researcher(members.researcher) as researcher:
        await researcher.run(asked(members, rho=0.7))
        with pytest.raises(JobEndedError, match=r"what is left of the budget of stroke, 0\.3000") as caught:
            await researcher.run(asked(members, rho=0.7))
        assert caught.value.end.state == "budget"
        assert {party.journal.spent("stroke") for party in parties.values()} == {0.7}


async def test_a_replayed_job_is_refused(members: Members):
    job = asked(members)
    async with serving(members), Researcher(members.researcher) as researcher:
        await researcher.run(job)
        with pytest.raises(JobEndedError, match="must be new") as caught:
            await researcher.run(job)
    assert caught.value.end.state == "refused"


async def test_a_replayed_job_is_refused_after_a_restart(members: Members):
    job = asked(members)
    async with serving(members), Researcher(members.researcher) as researcher:
        await researcher.run(job)
    assert "must be new" in str(await ended(members, job))


@pytest.mark.parametrize(
    ("changed", "state", "words"),
    [
        ({"dataset": "heart"}, "refused", "one that north offers, got heart"),
        ({"kind": "unfit"}, "refused", "bins must be positive"),
        ({"minimum_count": 1}, "refused", "minimum_count must be at least 10"),
        ({"participants": ["north", "south", "nowhere"]}, "refused", "got none for nowhere"),
    ],
)
async def test_refusals_carry_their_reason(members: Members, changed: dict[str, Any], state: str, words: str):
    error = await ended(members, asked(members, **changed))
    assert error.end.state == state
    assert words in error.end.reason


async def test_words_that_quote_data_stay_at_the_site(members: Members):
    error = await ended(members, asked(members, kind="broken", parameters={"odd": 1}))
    assert error.end.state == "refused"
    assert "south: the program broke with RuntimeError" in error.end.reason
    assert "p17" not in str(error)


@pytest.mark.parametrize(("odd", "state"), [(1, "mismatch"), (0, "mismatch")])
async def test_a_party_with_another_result_is_named(members: Members, odd: int, state: str):
    job = asked(members, kind="selfish", parameters={"odd": odd})
    error = await ended(members, job)
    assert error.end.state == state
    assert members.names[odd] in error.end.reason
    assert states(members, job) == dict.fromkeys(members.names, "mismatch")


async def test_a_party_with_another_codebook_is_named(members: Members):
    job = asked(members)
    error = await ended(members, job, west={"site": site(sexes="fmx")})
    assert error.end.state == "mismatch"
    assert "west must use the codebook of the rest, got another in sex" in error.end.reason
    assert states(members, job) == dict.fromkeys(members.names, "mismatch")


async def test_a_hospital_without_patients_is_named(members: Members):
    error = await ended(members, asked(members), south={"site": site(0)})
    assert error.end.state == "refused"
    assert error.end.reason.startswith("south: a party must have patients")


@pytest.mark.parametrize("days", [-1, 1])
async def test_a_party_whose_clock_is_off_by_a_day(members: Members, days: int):
    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(days=days)

    error = await ended(members, asked(members), south={"clock": clock})
    assert error.end.state == "expired"
    assert error.end.reason.startswith("south: ")


async def test_a_party_that_is_not_there(members: Members):
    job = asked(members)
    async with AsyncExitStack() as stack:
        for name in ("north", "south"):
            service = PartyService(members.settings[name], site(), PROGRAMS)
            await stack.enter_async_context(service)
        researcher = await stack.enter_async_context(Researcher(members.researcher))
        with pytest.raises(JobEndedError, match="west must listen at") as caught:
            await researcher.run(job)
    assert caught.value.end.state == "lost:west"


async def test_a_researcher_whom_a_party_does_not_know(members: Members):
    members.settings["south"] = members.settings["south"].model_copy(update={"researchers": ("bob",)})
    error = await ended(members, asked(members))
    assert error.end.state == "refused"
    assert "south must know who calls, got the researcher ada" in error.end.reason


async def test_a_party_with_a_certificate_of_another_authority(members: Members, tmp_path: Path):
    impersonated(members, Authority.init(tmp_path / "stranger"), "south", PartyRole.PARTY)
    error = await ended(members, asked(members))
    assert error.end.state == "refused"
    assert "south at 127.0.0.1" in error.end.reason
    assert "must prove its name by a certificate of the authority" in error.end.reason


async def test_a_party_whose_certificate_is_over(members: Members):
    impersonated(members, members.authority, "south", PartyRole.PARTY, now=datetime.now(UTC) - timedelta(days=400))
    error = await ended(members, asked(members))
    assert error.end.state == "refused"
    assert "expired" in error.end.reason


async def test_a_researcher_with_a_certificate_of_another_authority(members: Members, tmp_path: Path):
    impersonated(members, Authority.init(tmp_path / "stranger"), "ada", PartyRole.RESEARCHER)
    job = asked(members)
    error = await ended(members, job)
    assert error.end.state == "refused"
    assert "must let this certificate in" in error.end.reason
    assert states(members, job) == dict.fromkeys(members.names)


def impersonated(members: Members, authority: Authority, name: str, role: PartyRole, **when: datetime) -> None:
    """Give a member another certificate and key of its name; it still believes its own authority."""
    home = members.folder / name
    (home / f"{name}.key").unlink()
    request = join(authority.invite(name, role, **when), home)
    (home / f"{name}.pem").write_bytes(authority.sign(request, **when))


async def test_a_party_tells_at_its_start_what_it_cannot_compute(members: Members):
    with pytest.raises(ParameterError, match=r"must be of sum, got .*steps"):
        async with PartyService(members.settings["north"], site(), {"sum": PROGRAMS["sum"]}):
            pass


async def test_a_person_approves(members: Members):
    job = await decided(members, Decision(True, "eve"))
    assert states(members, job) == dict.fromkeys(members.names, "done")


async def test_a_person_declines(members: Members):
    with pytest.raises(JobEndedError, match="south: a person must approve the job, got no: not this year"):
        await decided(members, Decision(False, "eve", "not this year"))


async def decided(members: Members, decision: Decision) -> Job:
    south = members.settings["south"]
    rule = south.datasets["stroke"].model_copy(update={"computations": {"sum": "ask"}})
    members.settings["south"] = south.model_copy(update={"datasets": {"stroke": rule}})
    job, approvals, news = asked(members), Approvals(south.approvals), list[Progress]()
    async with serving(members), Researcher(members.researcher) as researcher:
        running = asyncio.create_task(researcher.run(job, on_progress=news.append))
        await happened(lambda: ("south", "asks") in {(one.party, one.stage) for one in news})
        approvals.decide(job.id, decision)
        assert (await running).value == {"patients": 63}
    return job


async def happened(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not check():
            await asyncio.sleep(0.02)


async def test_a_researcher_who_leaves_cancels(members: Members):
    job = asked(members, kind="slow")
    news: list[Progress] = []
    async with serving(members), Researcher(members.researcher) as researcher:
        running = asyncio.create_task(researcher.run(job, on_progress=news.append))
        await happened(lambda: any(one.stage == "running" for one in news))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await happened(lambda: set(states(members, job).values()) == {"cancelled"})


async def test_an_error_of_the_researcher_cancels(members: Members):
    job = asked(members, kind="steps")
    async with serving(members), Researcher(members.researcher) as researcher:
        with pytest.raises(MessageError, match="finite numbers"):
            await stepped(researcher, job, 1, unknown=float("nan"))
        await happened(lambda: set(states(members, job).values()) == {"cancelled"})


async def test_a_job_that_takes_too_long_expires(members: Members):
    now = datetime.now(UTC)
    times = {"issued_at": now.isoformat(), "expires_at": (now + timedelta(seconds=2)).isoformat()}
    job = asked(members, kind="slow", **times)
    error = await ended(members, job)
    assert error.end.state == "expired"
    assert states(members, job) == dict.fromkeys(members.names, "expired")


async def test_too_many_jobs_at_the_same_time_wait_for_their_turn(tmp_path: Path):
    members = Members(tmp_path, rule=EVERYTHING, most_jobs=1)
    news: list[Progress] = []
    async with serving(members), Researcher(members.researcher) as researcher:
        running = asyncio.create_task(researcher.run(asked(members, kind="slow"), on_progress=news.append))
        await happened(lambda: any(one.stage == "running" for one in news))
        with pytest.raises(JobEndedError, match="at the same time must be at most 1"):
            await researcher.run(asked(members))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
