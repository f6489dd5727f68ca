"""Deposited tables, differencing across releases, questions and budgets, in the real application."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from hub.access import permits
from hub.access.tables import Permit, Request
from hub.catalogue.record import DatasetRecord
from hub.catalogue.tables import Dataset
from hub.deployment import Deployment
from hub.errors import GoneError
from hub.people import accounts
from hub.people.roles import Role
from hub.statistics import budgets, prepared, questions
from hub.statistics.tables import Question
from records.errors import BudgetError, ParameterError

RECORD = {
    "title": "Stroke", "description": "Stroke.", "identifier": "stroke", "applicable_legislation": ["http://x.eu/eli"],
    "keywords": ["stroke"], "themes": ["HEAL"], "types": ["PERSONAL_DATA"], "health_categories": ["a"], "provenance": "x",
    "contact": {"name": "a"}, "publisher": {"name": "a"}, "access_body": {"name": "a"}, "distributions": [],
    "variables": [{"name": n, "label": n, "datatype": "string"} for n in ("sex", "age", "region", "smoker", "died")],
}  # fmt: skip
SAFE = [(["F"], 120.0), (["M"], 80.0)]


@pytest.fixture
def dataset(hub: Deployment, people: Any) -> str:
    record = DatasetRecord.model_construct(**RECORD).model_dump(mode="json", warnings=False)
    with hub.database.write() as session:
        session.add(
            Dataset(id="stroke", holder_id=people[Role.HOLDER].id, title="Stroke", description="Stroke.", turtle=None,
                    status="published", version=1, record=record, words="stroke", access_rights="NON_PUBLIC",
                    use_case=None, cohort=None, created_at=hub.clock(), published_at=hub.clock())
        )  # fmt: skip
    return "stroke"


@pytest.fixture
def permit(hub: Deployment, people: Any, dataset: str, as_caller: Any) -> str:
    return permit_of(people[Role.DEVELOPER], dataset, as_caller)


def permit_of(person: Any, dataset: str, as_caller: Any) -> str:
    with as_caller(person) as caller:
        asked = Request(person_id=person.id, kind="statistics", dataset_ids=[dataset], state="granted",
                        form={"purposes": ["e"]}, created_at=caller.now, updated_at=caller.now)  # fmt: skip
        caller.session.add(asked)
        caller.session.flush()
        return permits.issue(caller, asked, months=12).id


def deposit(
    as_caller: Any, person: Any, variables: list[str], cells: Any, kind: Any = "exact-suppressed", **more: Any
) -> Any:
    with as_caller(person) as caller:
        return prepared.deposit_table(
            caller, "stroke", title="Counts", variables=variables, cells=cells, kind=kind, **more
        )


def test_small_counts_and_differences_are_refused(dataset: str, as_caller: Any, people: Any) -> None:
    holder = people[Role.HOLDER]
    with pytest.raises(ParameterError, match="sex = M: fewer than 10"):
        deposit(as_caller, holder, ["sex"], [(["F"], 120.0), (["M"], 3.0)])
    deposit(as_caller, holder, ["sex"], SAFE)
    with pytest.raises(ParameterError, match="its difference to table Counts"):
        deposit(as_caller, holder, ["sex"], [(["F"], 121.0), (["M"], 80.0)])
    with pytest.raises(ParameterError, match="worked out"):
        deposit(as_caller, holder, ["sex", "smoker"], [(["F", "y"], None), (["F", "n"], 115.0), (["M", "y"], 30.0),
                                                       (["M", "n"], 50.0)])  # fmt: skip
    deposit(as_caller, holder, ["sex", "smoker"], [(["F", "y"], 60.0), (["F", "n"], 60.0), (["M", "y"], 30.0),
                                                   (["M", "n"], 50.0)])  # fmt: skip


def test_ages_cut_differently(dataset: str, as_caller: Any, people: Any) -> None:
    deposit(as_caller, people[Role.HOLDER], ["age"], [(["0-49"], 100.0), (["50-120"], 100.0)])
    with pytest.raises(ParameterError, match="difference"):
        deposit(as_caller, people[Role.HOLDER], ["age"], [(["0-50"], 104.0), (["51-120"], 96.0)])


def test_tables_with_noise_need_an_epsilon_and_no_differencing(dataset: str, as_caller: Any, people: Any) -> None:
    with pytest.raises(ParameterError, match="epsilon"):
        deposit(as_caller, people[Role.HOLDER], ["sex"], SAFE, "dp")
    deposit(as_caller, people[Role.HOLDER], ["sex"], [(["F"], 2.3), (["M"], -1.0)], "dp", epsilon=1.0)


@pytest.mark.parametrize(
    ("variables", "cells"),
    [(["sex", "sex"], SAFE), ([], SAFE), (["sex"], []), (["sex"], [(["F", "x"], 20.0)]), (["sex"], [(["F"], float("nan"))]),
     (["sex"], [(["F"], 20.0), (["F"], 21.0)]), (["sex"], [(["F"], 20.5)])],
)  # fmt: skip
def test_malformed_tables(dataset: str, as_caller: Any, people: Any, variables: Any, cells: Any) -> None:
    with pytest.raises(ParameterError):
        deposit(as_caller, people[Role.HOLDER], variables, cells)


def test_a_question_is_answered_on_the_data_side(
    dataset: str, permit: str, as_caller: Any, people: Any, browser: Callable[..., Any]
) -> None:
    developer, operator = browser(Role.DEVELOPER), browser(Role.OPERATOR)
    body = {"permit_id": permit, "variables": ["sex"], "rho": 0.05}
    placed = developer.api("POST", f"/datasets/{dataset}/questions", json=body)
    assert placed.status_code == 202, placed.text
    question = placed.json()["question"]
    again = developer.api("POST", f"/datasets/{dataset}/questions", json=body).json()["question"]
    assert again["id"] == question["id"], "the same question is not paid for twice"
    assert [q["id"] for q in operator.api("GET", "/question-queue").json()] == [question["id"]]
    cells = [{"labels": ["F"], "count": 118.2}, {"labels": ["M"], "count": 83.1}]
    table = operator.api("POST", f"/questions/{question['id']}/answer", json={"title": "Sex", "cells": cells}).json()
    assert table["epsilon"] == pytest.approx(budgets.epsilon_of(0.05))
    assert developer.api("GET", f"/questions/{question['id']}").json()["table_id"] == table["id"]
    ready = developer.api("POST", f"/datasets/{dataset}/questions", json=body).json()
    assert ready["table"]["id"] == table["id"]
    late = operator.api("POST", f"/questions/{question['id']}/refuse", json={"reason": "late"})
    assert late.status_code == 409
    page = developer.get(f"/catalogue/{dataset}/statistics?table={table['id']}").text
    assert "118" in page
    assert "<rect" in page


def test_budgets_of_a_person_and_of_the_data_set(
    hub: Deployment, dataset: str, permit: str, as_caller: Any, people: Any
) -> None:
    with as_caller(people[Role.DEVELOPER]) as caller:
        questions.place(caller, dataset, permit_id=permit, variables=["sex"], rho=0.2)
        with pytest.raises(BudgetError, match=r"your budget, of which rho 0\.0500"):
            questions.place(caller, dataset, permit_id=permit, variables=["age"], rho=0.1)
    with hub.database.write() as session:
        others = [accounts.create(session, now=hub.clock(), email=f"{i}@example.org", name="x", password=None,
                                  roles=frozenset({Role.DEVELOPER})) for i in range(4)]  # fmt: skip
    for other, variable in zip(others[:3], ("age", "region", "smoker"), strict=True):
        own = permit_of(other, dataset, as_caller)
        with as_caller(other) as caller:
            questions.place(caller, dataset, permit_id=own, variables=[variable], rho=0.25)
    own = permit_of(others[3], dataset, as_caller)
    with as_caller(others[3]) as caller, pytest.raises(BudgetError, match="the data set's budget"):
        questions.place(caller, dataset, permit_id=own, variables=["died"], rho=0.25)


def test_a_refused_question_gives_nothing_back(
    hub: Deployment, dataset: str, permit: str, as_caller: Any, people: Any
) -> None:
    with as_caller(people[Role.DEVELOPER]) as caller:
        placed = questions.place(caller, dataset, permit_id=permit, variables=["sex"], rho=0.2)
    with as_caller(people[Role.OPERATOR]) as caller:
        questions.refuse(caller, placed.id, "too few people")
        assert budgets.left(caller.session, dataset, people[Role.DEVELOPER].id) == pytest.approx(0.05)


def test_no_answer_under_a_permit_that_has_ended(
    dataset: str, permit: str, as_caller: Any, people: Any, hub_clock: Any
) -> None:
    with as_caller(people[Role.DEVELOPER]) as caller:
        placed = questions.place(caller, dataset, permit_id=permit, variables=["sex"], rho=0.1)
    with as_caller(people[Role.HEAD]) as caller:
        permits.revoke(caller, caller.session.get_one(Permit, permit), "misuse")
    with as_caller(people[Role.DEVELOPER]) as caller:
        ended = questions.one_of_mine(caller, placed.id)
        assert (ended.state, ended.reason) == ("refused", "the permit was revoked")
    other = permit_of(people[Role.DEVELOPER], dataset, as_caller)
    with as_caller(people[Role.DEVELOPER]) as caller:
        placed = questions.place(caller, dataset, permit_id=other, variables=["age"], rho=0.1)
    hub_clock.forward(days=400)
    with as_caller(people[Role.HOLDER]) as caller, pytest.raises(GoneError, match="expired"):
        questions.answer(caller, placed.id, title="Late", cells=[(["F"], 50.0)])


def test_whose_permit_and_which_data_set(
    hub: Deployment, dataset: str, permit: str, as_caller: Any, browser: Callable[..., Any], hub_clock: Any
) -> None:
    with hub.database.write() as session:
        other = accounts.create(session, now=hub.clock(), email="o@example.org", name="x", password=None,
                                roles=frozenset({Role.DEVELOPER, Role.HOLDER}))  # fmt: skip
    stranger = browser(other)
    body = {"permit_id": permit, "variables": ["sex"], "rho": 0.05}
    assert stranger.api("POST", f"/datasets/{dataset}/questions", json=body).status_code == 404
    table = {"title": "t", "variables": ["sex"], "cells": [{"labels": ["F"], "count": 50}], "kind": "exact-suppressed"}
    assert stranger.api("POST", f"/datasets/{dataset}/tables", json=table).status_code == 404
    developer = browser(Role.DEVELOPER)
    for wrong in ({"rho": 9}, {"variables": ["name'; DROP TABLE people"]}, {"variables": ["patient_id"]}):
        assert developer.api("POST", f"/datasets/{dataset}/questions", json=body | wrong).status_code == 422
    placed = developer.api("POST", f"/datasets/{dataset}/questions", json=body).json()["question"]
    assert stranger.api("GET", f"/questions/{placed['id']}").status_code == 404
    assert stranger.api("POST", f"/questions/{placed['id']}/refuse", json={"reason": "mine"}).status_code == 404
    hub_clock.forward(days=400)
    late = browser(Role.DEVELOPER).api("POST", f"/datasets/{dataset}/questions", json=body | {"variables": ["age"]})
    assert late.status_code == 410


def test_the_page_for_visitors_and_the_form(
    hub: Deployment, dataset: str, permit: str, as_caller: Any, people: Any, visitor: Any, browser: Callable[..., Any]
) -> None:
    assert "No table is prepared" in visitor.get(f"/catalogue/{dataset}/statistics").text
    made = deposit(as_caller, people[Role.HOLDER], ["sex"], [(["<b>F</b>"], 120.0), (["M"], 80.0)])
    page = visitor.get(f"/catalogue/{dataset}/statistics").text
    assert "&lt;b&gt;F" in page
    assert "<b>F" not in page
    assert visitor.get(f"/catalogue/{dataset}/statistics?table=x").status_code == 404
    assert visitor.api("GET", f"/datasets/{dataset}/tables").json()[0]["id"] == made.id
    developer = browser(Role.DEVELOPER)
    here = f"/catalogue/{dataset}/statistics"
    wrong = developer.submit(here, permit_id=permit, variables=["age"], rho="many")
    assert wrong.status_code == 422
    assert "rho must be a number" in wrong.text
    assert "The question is placed." in developer.submit(here, permit_id=permit, variables=["age"], rho="0,05").text
    assert "cost nothing" in developer.submit(here, permit_id=permit, variables=["sex"], rho="0.05").text
    with hub.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Question)) == 1
