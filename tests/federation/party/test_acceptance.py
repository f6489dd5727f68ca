from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from federation.jobs.codebook import digests
from federation.jobs.ends import BUDGET, EXPIRED, REFUSED, JobEndedError
from federation.jobs.job import issued
from federation.party.acceptance import accepted
from federation.party.journal import Journal
from federation.party.settings import PartySettings, Rule
from federation.site import TableSite
from tests.federation.party.patients import codebook, site

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RULE = Rule(
    computations={"counts": "auto", "survival": "ask", "logistic": "never", "contingency": "auto"}, budget_rho=1.0,
    most_cells=8,
)  # fmt: skip
SETTINGS = PartySettings(
    name="north", listen="127.0.0.1:1", peers={"south": "127.0.0.1:2", "west": "127.0.0.1:3"}, researchers=("ada",),
    datasets={"stroke": RULE}, computes={"lung": "lung"},
)  # fmt: skip
ASKED: dict[str, Any] = {
    "kind": "counts", "participants": ["north", "south", "west"], "dataset": "stroke", "columns": ["sex"],
}  # fmt: skip
KINDS = ("counts", "survival", "logistic", "contingency")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.jsonl") as journal:
        yield journal


def answer(
    journal: Journal, *, researcher: str = "ada", settings: PartySettings = SETTINGS, at: TableSite | None = None,
    now: datetime = NOW, **changed: Any,
) -> str:  # fmt: skip
    job = issued({**ASKED, **changed}, researcher="ada", now=NOW)
    return accepted(
        job, researcher=researcher, settings=settings, site=at or site(), journal=journal, kinds=KINDS, now=now
    )


def with_rule(**changed: Any) -> PartySettings:
    return SETTINGS.model_copy(update={"datasets": {"stroke": RULE.model_copy(update=changed)}})


def test_what_is_allowed_is_accepted(journal: Journal):
    assert answer(journal) == "auto"
    assert answer(journal, kind="survival") == "ask"
    assert answer(journal, rho=1.0) == "auto"
    assert answer(journal, codebook=digests(codebook(), ["sex"])) == "auto"
    assert answer(journal, filters=[{"column": "age", "op": ">=", "value": 65}]) == "auto"
    assert answer(journal, dataset="lung", columns=["whatever"]) == "auto"  # only computes there


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"researcher": "eve"}, "submitted by its researcher ada, got eve"),
        ({"settings": SETTINGS.model_copy(update={"researchers": ()})}, "must know the researcher, got ada"),
        ({"participants": ["a", "south", "west"]}, "participants must be parties"),
        ({"participants": ["north", "south", "stranger"]}, "participants must be parties"),
        ({"settings": SETTINGS.model_copy(update={"fewest_parties": 5})}, "participants must be at least 5 .* got 3"),
        ({"settings": SETTINGS.model_copy(update={"least_threshold": 2})}, "threshold must be at least 2"),
        ({"rho": 0.1, "collusion": 0}, "collusion must be at least 1"),
        ({"kind": "magic"}, "kind must be one of"),
        ({"kind": "logistic"}, "allows contingency, counts, survival on stroke, got logistic"),
        ({"dataset": "heart"}, "one that north offers, got heart"),
        ({"minimum_count": 5}, "minimum_count must be at least 10, got 5"),
        ({"settings": with_rule(only_private=True)}, "must have differential privacy"),
        ({"columns": ["weight"]}, "free for computations on stroke, got weight"),
        ({"columns": ["patient"]}, "neither identifiers nor texts"),
        ({"filters": [{"column": "patient", "op": "==", "value": "p1"}]}, "neither identifiers nor texts"),
        ({"filters": [{"column": "sex", "op": "==", "value": "x"}]}, "values of the codebook"),
        ({"filters": [{"column": "age", "op": "<", "value": 7}]}, "values of the codebook"),
        ({"settings": with_rule(columns=("age",))}, "free for computations on stroke, got sex"),
        ({"settings": with_rule(columns=("sex",)), "parameters": {"by": "age"}}, "free for .*, got age"),
        ({"settings": with_rule(columns=("sex",)), "parameters": {"outcome": "worse"}}, "free for .*, got stage"),
        ({"parameters": {"of": [1, {"north": ["patient"]}]}}, "neither identifiers nor texts, got patient"),
        ({"settings": with_rule(columns=("sex",)), "columns": []}, "columns must be named, got none"),
        ({"codebook": digests(codebook("fmx"), ["sex"])}, "codebook must be the job's, got another in sex"),
        ({"kind": "contingency", "columns": ["sex", "age", "stage"]}, "at most 8 cells, got 12"),
        ({"at": site(0)}, "must have patients in stroke or only compute, got none"),
        ({"at": TableSite({})}, "must be readable, got ParameterError"),
    ],
)
def test_what_is_not_allowed_is_refused_with_the_reason(journal: Journal, changed: dict[str, Any], words: str):
    with pytest.raises(JobEndedError, match=words) as caught:
        answer(journal, **changed)
    assert caught.value.end.state == REFUSED


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_is_off_by_a_day_is_told_with_both_times(journal: Journal, days: int):
    with pytest.raises(
        JobEndedError, match=r"2026-03-02T\d\d:00:00Z in the job, got 2026-03-0\dT09:00:00Z here"
    ) as caught:
        answer(journal, now=NOW + timedelta(days=days))
    assert caught.value.end.state == EXPIRED


def test_small_differences_of_clocks_are_allowed(journal: Journal):
    assert answer(journal, now=NOW - timedelta(seconds=30)) == "auto"


def test_a_job_id_serves_once(journal: Journal):
    identifier = "00000000-0000-4000-8000-000000000000"
    assert answer(journal, id=identifier) == "auto"
    journal.admit(identifier, now=NOW)
    with pytest.raises(JobEndedError, match="must be new"):
        answer(journal, id=identifier)


def test_what_exceeds_the_budget_is_refused(journal: Journal):
    journal.debit("former", "stroke", rho=0.7, total=1.0, now=NOW)
    assert answer(journal, rho=0.3) == "auto"
    with pytest.raises(JobEndedError, match=r"what is left of the budget of stroke, 0\.3000, got 0\.3100") as caught:
        answer(journal, rho=0.31)
    assert caught.value.end.state == BUDGET
    with pytest.raises(JobEndedError, match="what is left"):
        answer(journal, settings=with_rule(budget_rho=None), rho=0.01)


def test_jobs_without_privacy_are_counted(journal: Journal):
    few = with_rule(most_exact_jobs=2)
    for number in range(2):
        assert answer(journal, settings=few) == "auto"
        journal.admit(f"exact {number}", now=NOW, dataset="stroke")
    journal.admit("private", now=NOW, dataset="stroke", rho=0.1)
    with pytest.raises(JobEndedError, match="without differential privacy must be at most 2") as caught:
        answer(journal, settings=few)
    assert caught.value.end.state == BUDGET
    assert answer(journal, settings=few, rho=0.1) == "auto"
