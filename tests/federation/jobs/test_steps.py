import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import MismatchError
from federation.jobs.job import Job, issued
from federation.jobs.steps import Steps
from federation.mesh import local_meshes
from federation.runtime import Runtime
from records.errors import BudgetError

Request = Mapping[str, Any] | None


def job(rho: float | None = 1.0) -> Job:
    asked = {"kind": "steps", "participants": ["north", "south", "west"], "dataset": "stroke", "rho": rho}
    return issued(asked, researcher="ada")


def seen(requests: Sequence[Sequence[Request]]) -> list[list[Any] | BaseException]:
    """What each of three parties takes for its steps, from the requests that each got."""

    async def run() -> list[Any]:
        one, taken = job(), []
        for mesh, got in zip(local_meshes(3), requests, strict=True):
            queue: asyncio.Queue[Request] = asyncio.Queue()
            for request in got:
                queue.put_nowait(request)
            taken.append(_taken(Steps(one, Runtime(mesh, 1), queue, _answer)))
        return await asyncio.gather(*taken, return_exceptions=True)

    return asyncio.run(run())


async def _taken(steps: Steps) -> list[Any]:
    return [request async for request in steps]


async def _answer(number: int, value: Any) -> None:
    pass


def test_all_parties_see_the_same_steps_in_order():
    asked = [{"n": 1}, {"n": 2}, None]
    assert seen([asked] * 3) == [[{"n": 1}, {"n": 2}]] * 3


@pytest.mark.parametrize(
    "other",
    [[{"n": 1}, {"n": 3}, None], [{"n": 2}, {"n": 1}, None], [None], [{"n": 1}, None], [{"n": 1, "m": 0}, None]],
)
def test_another_step_at_one_party_stops_all(other: list[Request]):
    asked = [{"n": 1}, {"n": 2}, None]
    assert all(isinstance(one, MismatchError) for one in seen([asked, other, asked]))


@given(st.lists(st.floats(1e-6, 0.5), max_size=30))
def test_no_sequence_of_steps_costs_more_than_declared(costs: list[float]):
    steps, spent = Steps(job(1.0), Runtime(local_meshes(3)[0], 1), asyncio.Queue(), _answer), 0.0
    for rho in costs:
        try:
            steps.spend(rho)
        except BudgetError:
            assert spent + rho > 1.0
            continue
        spent += rho
    assert steps.spent == pytest.approx(spent)
    assert spent <= 1.0 + 1e-6


@pytest.mark.parametrize("rho", [0.0, -1.0, float("nan"), float("inf")])
def test_costs_that_are_no_costs_are_refused(rho: float):
    steps = Steps(job(), Runtime(local_meshes(3)[0], 1), asyncio.Queue(), _answer)
    with pytest.raises(BudgetError, match="positive and finite"):
        steps.spend(rho)


def test_a_job_without_privacy_cannot_pay_for_noise():
    steps = Steps(job(None), Runtime(local_meshes(3)[0], 1), asyncio.Queue(), _answer)
    with pytest.raises(BudgetError, match="at most the job's rho 0"):
        steps.spend(0.1)
