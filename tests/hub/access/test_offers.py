"""Standing offers: what fits is granted by rule at once, everything else goes to the body."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.access import offers, service
from hub.access.form import Kind
from hub.access.law import RESULTS
from hub.access.states import State
from hub.access.tables import Permit, Request, StandingOffer
from hub.audit.tables import Entry
from hub.delivery import orders
from hub.delivery.tables import Order
from hub.deployment import Deployment
from hub.duties.results import reminders
from hub.errors import ForbiddenError, NotFoundError, StateError
from hub.people.roles import Role
from hub.repository.package import pack
from records.errors import ParameterError
from tests.hub.access.conftest import form_of


def test_a_fitting_request_is_granted_at_once(act: Any, people: Any, offer: str) -> None:
    with act(people[Role.DEVELOPER]) as caller:
        request = service.apply(caller, form_of())
        order = caller.session.scalars(sa.select(Order)).one()
        permit = caller.session.get_one(Permit, request.permit_id)
        logged = caller.session.scalars(sa.select(Entry).where(Entry.action == "request.grant_by_offer")).one()
    assert request.state == State.GRANTED
    assert request.offer_id == offer == order.offer_id
    assert order.permit_id == permit.id
    assert (order.rows, order.epsilon) == (100, 1.0)
    assert logged.actor == "system"
    assert logged.detail["rule"] == f"standing offer {offer}"
    assert logged.detail["terms"]["max_rows"] == 1000


@pytest.mark.parametrize(
    "changes",
    [{"rows": 1001}, {"purposes": ["f"]}, {"purposes": ["e", "f"]}, {"formats": ["omop"]}, {"opt_out_exception": "x"}],
)
def test_what_does_not_fit_goes_to_the_body(act: Any, people: Any, offer: str, changes: dict[str, Any]) -> None:
    with act(people[Role.DEVELOPER]) as caller:
        request = service.apply(caller, form_of(**changes))
        assert (request.state, request.permit_id) == (State.SUBMITTED, None)
        assert caller.session.scalar(sa.select(sa.func.count()).select_from(Order)) == 0


def test_columns_must_lie_within_the_offer(act: Any, people: Any, offer: str) -> None:
    with act(people[Role.DEVELOPER]) as caller:
        caller.session.get_one(StandingOffer, offer).columns = ["age", "sex"]
        inside, outside = form_of(columns=["age"]), form_of(columns=["age", "name"])
        assert service.apply(caller, outside).state == State.SUBMITTED
        assert service.apply(caller, inside).state == State.GRANTED
        service.apply(caller, form_of(columns=None))
        asked = {tuple(order.columns or ()) for order in caller.session.scalars(sa.select(Order))}
    assert asked == {("age",), ("age", "sex")}


def test_an_incomplete_form_is_refused_and_nothing_is_kept(act: Any, people: Any, offer: str) -> None:
    with pytest.raises(ParameterError, match="5 open points"), act(people[Role.DEVELOPER]) as caller:
        service.apply(caller, form_of(declarations=[]))
    with act(people[Role.DEVELOPER]) as caller:
        assert service.mine(caller) == []


def test_a_duplicate_shows_the_open_one(act: Any, people: Any, offer: str) -> None:
    with act(people[Role.DEVELOPER]) as caller:
        first = service.apply(caller, form_of()).id
    with act(people[Role.DEVELOPER]) as caller:
        assert service.apply(caller, form_of()).id == first
        assert service.apply(caller, form_of(rows=99)).id != first
        orders.cancel(caller, caller.session.scalars(sa.select(Order.id).where(Order.rows == 100)).one())
        assert service.apply(caller, form_of()).id != first


def test_an_offer_counts_its_orders(act: Any, people: Any, offer: str) -> None:
    with act(people[Role.DEVELOPER]) as caller:
        caller.session.get_one(StandingOffer, offer).budget_orders = 1
        assert service.apply(caller, form_of()).state == State.GRANTED
        assert service.apply(caller, form_of(rows=50)).state == State.SUBMITTED


def test_an_offer_ends_by_time_and_by_withdrawal(act: Any, people: Any, offer: str, hub_clock: Any) -> None:
    with act(people[Role.DEVELOPER]) as caller:
        later = caller.now + timedelta(days=301)
        assert offers.matching(caller.session, "stroke-copenhagen", form_of(), later) is None
        assert offers.matching(caller.session, "another", form_of(), caller.now) is None
        assert offers.matching(caller.session, "stroke-copenhagen", form_of(Kind.PERMIT), caller.now) is None
    with act(people[Role.HOLDER]) as caller:
        offers.withdraw(caller, offer)
        with pytest.raises(StateError):
            offers.withdraw(caller, offer)
    with act(people[Role.DEVELOPER]) as caller:
        assert service.apply(caller, form_of()).state == State.SUBMITTED


def test_only_the_holder_proposes_and_only_another_head_approves(
    act: Any, people: Any, dataset: str, second: Callable[..., Any]
) -> None:
    both = second(Role.HOLDER, Role.HEAD)
    terms: dict[str, Any] = {
        "synthesizer": "auto", "epsilon": 1.0, "max_rows": 10, "purposes": ["e"], "formats": ["csv"],
    }  # fmt: skip
    with act(both) as caller, pytest.raises(NotFoundError):
        offers.propose(caller, dataset, valid_until=caller.now + timedelta(days=1), **terms)
    with act(people[Role.DEVELOPER]) as caller, pytest.raises(ForbiddenError):
        offers.propose(caller, dataset, valid_until=caller.now + timedelta(days=1), **terms)
    with act(people[Role.HOLDER]) as caller:
        made = offers.propose(caller, dataset, valid_until=caller.now + timedelta(days=1), **terms)
        made.holder_approved_by = both.id
    for person in (both, people[Role.OFFICER], people[Role.HOLDER]):
        with act(person) as caller, pytest.raises(ForbiddenError):
            offers.approve(caller, made.id)
    with act(people[Role.HEAD]) as caller:
        offers.approve(caller, made.id)
        with pytest.raises(StateError):
            offers.approve(caller, made.id)
    with act(people[Role.DEVELOPER]) as caller, pytest.raises(NotFoundError):
        offers.withdraw(caller, made.id)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epsilon": 0.0}, {"epsilon": 11.0}, {"epsilon": float("nan")}, {"max_rows": 0}, {"purposes": []},
        {"purposes": ["z"]}, {"formats": ["exe"]}, {"budget_orders": 0}, {"synthesizer": ""}, {"days": 400}, {"days": -1},
    ],
)  # fmt: skip
def test_terms_are_sound(act: Any, people: Any, dataset: str, wrong: dict[str, Any]) -> None:
    terms: dict[str, Any] = {
        "synthesizer": "auto", "epsilon": 1.0, "max_rows": 10, "purposes": ["e"], "formats": ["csv"], "days": 30,
    }  # fmt: skip
    terms |= wrong
    with act(people[Role.HOLDER]) as caller, pytest.raises(ParameterError):
        offers.propose(caller, dataset, valid_until=caller.now + timedelta(days=terms.pop("days")), **terms)


def test_without_a_pipeline_people_decide(act: Any, people: Any, offer: str) -> None:
    from hub.catalogue.tables import Dataset

    with act(people[Role.DEVELOPER]) as caller:
        caller.session.get_one(Dataset, "stroke-copenhagen").use_case = None
        assert service.apply(caller, form_of()).state == State.SUBMITTED
        assert caller.session.scalar(sa.select(sa.func.count()).select_from(Request)) == 1


def test_the_clock_of_results_starts_with_the_last_output(
    act: Any, hub: Deployment, people: Any, offer: str, tmp_path: Path, hub_clock: Any
) -> None:
    with act(people[Role.DEVELOPER]) as caller:
        request_id = service.apply(caller, form_of()).id
        order_id = caller.session.scalars(sa.select(Order.id)).one()
        assert reminders(caller.session, caller.now, hub.holidays) == []
    hub_clock.forward(minutes=5)
    package = pack({"synthetic.csv": b"a\n1\n"}, tmp_path / "p.zip")
    with hub.database.write() as session:
        orders.begin(session, order_id, "run", hub.clock())
        orders.hand_over(session, hub, order_id, package=package, title="T", shown={}, now=hub.clock())
    made = hub.clock()
    with hub.database.read() as session:
        request = session.get_one(Request, request_id)
        assert (request.state, request.delivered_at) == (State.DELIVERED, made)
        assert (request.clock, request.deadline) == ("results", RESULTS.end(made, hub.holidays))
        (owed,) = reminders(session, hub.clock(), hub.holidays, people[Role.DEVELOPER].id)
        assert (owed.request.id, owed.due, owed.state) == (request_id, RESULTS.end(made, hub.holidays), "due")
    hub_clock.forward(days=740)  # the permit is over, its rule has ended the request
    with act(None) as caller:
        assert service.sweep(caller) == 1
        (owed,) = reminders(caller.session, caller.now, hub.holidays)
        assert (owed.due, owed.state) == (RESULTS.end(made, hub.holidays), "late")
