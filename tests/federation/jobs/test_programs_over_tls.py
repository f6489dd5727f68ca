"""Every program between parties over TLS: the same results as in one process, and what travelled."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from federation.jobs.job import issued
from federation.jobs.programs import PROGRAMS
from federation.party.researcher import Researcher, Result
from federation.party.service import PartyService
from tests.federation.jobs.test_programs import QUESTIONS
from tests.federation.parties import a_job, computed, hospitals
from tests.federation.party.members import PARTIES, Members

pytestmark = pytest.mark.anyio
NCCTG, POOLED, _ = hospitals("lung", "ncctg_lung")
RULE = {"computations": dict.fromkeys(PROGRAMS, "auto"), "minimum_count": 5, "budget_rho": 10.0}
NAMES = dict(zip(["site-0", "site-1", "site-2"], PARTIES, strict=True))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _asked(folder: Path, kind: str, columns: list[str], parameters: dict[str, Any], **given: Any) -> Result:
    members = Members(folder, rule=RULE, timeout_seconds=20.0)
    description = {
        "kind": kind, "participants": list(PARTIES), "dataset": "stroke", "columns": columns, "parameters": parameters,
        "minimum_count": 5, **given,
    }  # fmt: skip
    async with AsyncExitStack() as stack:
        for name, site in zip(PARTIES, NCCTG, strict=True):
            service = PartyService(members.settings[name], _renamed(site), PROGRAMS)
            await stack.enter_async_context(service)
        researcher = await stack.enter_async_context(Researcher(members.researcher))
        return await researcher.run(issued(description, researcher="ada"))


def _renamed(site: Any) -> Any:
    """The site's tables under the name of the data set that the members offer."""
    site._tables = {"stroke": site._tables["ward"], "ward": site._tables["ward"]}
    return site


def _without_names(value: Any) -> Any:
    text = json.dumps(value)
    for ours, theirs in NAMES.items():
        text = text.replace(ours, theirs)
    return {**json.loads(text), "dataset": "stroke"}


@pytest.mark.parametrize("kind", sorted(QUESTIONS))
async def test_results_are_those_of_one_process(kind: str, tmp_path: Path):
    columns, parameters = QUESTIONS[kind]
    parameters = json.loads(json.dumps(parameters).replace("site-0", "north").replace("site-1", "south"))
    result = await _asked(tmp_path, kind, columns, parameters)
    figures = list(result.figures.values())
    assert all(one.bytes > 0 for one in figures)
    if kind not in ("log_rank", "cox"):  # these round at random in the last digits
        job = a_job(kind, columns, parameters=QUESTIONS[kind][1])
        local = await asyncio.to_thread(computed, PROGRAMS[kind], NCCTG, job)
        assert result.value == _without_names(local)


async def test_a_private_table_is_debited_and_noisy(tmp_path: Path):
    result = await _asked(tmp_path, "contingency", ["sex", "event"], {}, rho=0.5)
    assert result.value["privacy"]["rho"] == 0.5
    counts = np.array([n or 0 for row in result.value["counts"] for n in row])
    assert abs(counts.sum() - POOLED.height) < 50
