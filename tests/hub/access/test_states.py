"""Every step by every role from every state, four eyes, and the clocks that the steps start."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.access import assessment, changes, law, service, steps
from hub.access.form import Kind
from hub.access.holidays import PublicHolidays
from hub.access.states import NEXT, TRANSITIONS, Actor, State
from hub.access.tables import Permit, Request
from hub.errors import ForbiddenError, NotFoundError, StateError
from hub.people.roles import BODY, Role
from records.errors import ParameterError
from tests.hub.access.conftest import form_of

ALLOWED = {
    Actor.APPLICANT: {Role.DEVELOPER}, Actor.OFFICER: set(BODY), Actor.HEAD: {Role.HEAD}, Actor.HOLDER: {Role.HOLDER},
    Actor.RULE: set(),
}  # fmt: skip
ALL = list("abcdefgh")


def stored(caller: Any, person: Any, state: State, kind: Kind = Kind.PERMIT, **more: Any) -> Request:
    form = form_of(kind).model_dump(mode="json")
    request = Request(
        person_id=person.id, kind=kind, dataset_ids=form["dataset_ids"], form=form, state=state, former=State.GRANTED,
        created_at=caller.now, updated_at=caller.now, submitted_at=caller.now, **more,
    )  # fmt: skip
    caller.session.add(request)
    caller.session.flush()
    return request


@pytest.mark.parametrize("role", list(Role))
def test_every_step_by_every_role_from_every_state(act: Any, people: Any, dataset: str, role: Role) -> None:
    tried = 0
    with act(people[role]) as caller:
        for name, transition in TRANSITIONS.items():
            for state in State:
                request = stored(caller, people[Role.DEVELOPER], state)
                tried += 1
                if role not in ALLOWED[transition.by]:
                    with pytest.raises((ForbiddenError, NotFoundError)):
                        steps.take(caller, request, name)
                elif state not in transition.come_from:
                    with pytest.raises(StateError):
                        steps.take(caller, request, name)
                else:
                    steps.take(caller, request, name)
                    assert request.state == (transition.to or State.GRANTED)
                    continue
                assert request.state == state
    assert tried == len(TRANSITIONS) * len(State)


def test_states_are_whole() -> None:
    assert set(NEXT) == set(State)
    reached = {step.to for step in TRANSITIONS.values()} | {State.DRAFT}
    assert set(State) <= reached
    for state, actor in NEXT.items():
        leaving = {step.by for step in TRANSITIONS.values() if state in step.come_from}
        # After delivery the applicant publishes results, outside this table.
        assert actor is None or actor in leaving or state == State.DELIVERED


def test_nobody_handles_an_own_request(act: Any, second: Callable[..., Any], dataset: str) -> None:
    both = second(Role.DEVELOPER, Role.OFFICER, Role.HEAD)
    with act(both) as caller:
        for name, transition in TRANSITIONS.items():
            if transition.by in (Actor.OFFICER, Actor.HEAD):
                request = stored(caller, both, min(transition.come_from))
                with pytest.raises(ForbiddenError):
                    steps.take(caller, request, name)


@pytest.mark.parametrize("decision", ["grant", "refuse", "offer_statistics"])
def test_who_assessed_does_not_decide(act: Any, people: Any, dataset: str, decision: str) -> None:
    head, developer = people[Role.HEAD], people[Role.DEVELOPER]
    with act(head) as caller:
        request = stored(caller, developer, State.COMPLETE)
        assessment.assess(caller, request.id)
        assessment.recommend(caller, request.id, recommendation="grant", criteria=ALL, words="Fine.")
        with pytest.raises(ForbiddenError, match="did not assess"):
            getattr(assessment, decision)(caller, request.id, "Reasons.")


def submitted(act: Any, people: Any, kind: Kind = Kind.PERMIT, person: Any = None, **answers: Any) -> str:
    with act(person or people[Role.DEVELOPER]) as caller:
        return service.apply(caller, form_of(kind, **answers)).id


def granted(act: Any, people: Any, kind: Kind = Kind.PERMIT, **answers: Any) -> str:
    request_id = submitted(act, people, kind, **answers)
    with act(people[Role.OFFICER]) as caller:
        assessment.accept(caller, request_id)
        assessment.assess(caller, request_id)
        assessment.recommend(caller, request_id, recommendation="grant", criteria=ALL, words="Fine.")
    with act(people[Role.HEAD]) as caller:
        assessment.grant(caller, request_id)
    return request_id


def clock_of(act: Any, people: Any, request_id: str) -> tuple[str | None, Any]:
    with act(people[Role.OFFICER]) as caller:
        request = caller.session.get_one(Request, request_id)
        return request.clock, request.deadline


def test_clocks_of_an_application(act: Any, people: Any, dataset: str, hub_clock: Any) -> None:
    request_id = submitted(act, people)
    assert clock_of(act, people, request_id) == (None, None)
    with act(people[Role.OFFICER]) as caller:
        assessment.ask_for_more(caller, request_id, "Which years?")
    assert clock_of(act, people, request_id) == ("completion", law.COMPLETION.end(hub_clock()))
    hub_clock.forward(days=10)
    with act(people[Role.DEVELOPER]) as caller:
        service.submit(caller, request_id)
    with act(people[Role.OFFICER]) as caller:
        assessment.accept(caller, request_id)
    complete = hub_clock()
    assert clock_of(act, people, request_id) == ("decision", law.DECISION.end(complete))
    hub_clock.forward(days=30)
    with act(people[Role.OFFICER]) as caller:
        with pytest.raises(ParameterError):
            assessment.prolong(caller, request_id, " ")
        caller.session.expire_all()
        assessment.prolong(caller, request_id, "Difficult.")
        with pytest.raises(StateError):
            assessment.prolong(caller, request_id, "Again.")
    assert clock_of(act, people, request_id) == ("decision", law.DECISION.longer_end(complete))


def test_clocks_after_the_grant(act: Any, people: Any, dataset: str, hub_clock: Any) -> None:
    request_id = granted(act, people)
    assert clock_of(act, people, request_id) == ("holder_delivery", law.HOLDER_DELIVERY.end(hub_clock()))
    with act(people[Role.HOLDER]) as caller:
        request = assessment.hand_over(caller, request_id)
        assert request.publish_by == law.PUBLICATION.end(hub_clock(), PublicHolidays("FI"))
    assert clock_of(act, people, request_id) == ("body_delivery", law.BODY_DELIVERY.end(hub_clock()))
    with act(people[Role.OFFICER]) as caller:
        assessment.deliver(caller, request_id)
    assert clock_of(act, people, request_id) == ("results", law.RESULTS.end(hub_clock(), PublicHolidays("FI")))
    hub_clock.forward(days=800)
    with act(people[Role.OFFICER]) as caller:
        assert service.sweep(caller) == 1
        permit = caller.session.get_one(Permit, caller.session.get_one(Request, request_id).permit_id)
        request = caller.session.get_one(Request, request_id)
        assert (request.state, request.deadline) == (State.EXPIRED, law.DELETION.end(permit.valid_until))


def test_accelerated_for_public_bodies(act: Any, people: Any, second: Any, dataset: str, hub_clock: Any) -> None:
    public = second(Role.DEVELOPER, public_body=True)
    for purposes, clock in ((["a", "c"], "accelerated"), (["a", "e"], "decision")):
        request_id = submitted(act, people, person=public, purposes=purposes)
        with act(people[Role.OFFICER]) as caller:
            assert assessment.accept(caller, request_id).clock == clock
    with act(people[Role.DEVELOPER]) as caller, pytest.raises(ParameterError, match="public bodies"):
        service.apply(caller, form_of(Kind.PERMIT, purposes=["a"]))


def test_statistics_run_from_receipt(act: Any, people: Any, dataset: str, hub_clock: Any) -> None:
    received = hub_clock()
    request_id = submitted(act, people, Kind.STATISTICS)
    assert clock_of(act, people, request_id) == ("statistics_assessment", law.STATISTICS_ASSESSMENT.end(received))
    hub_clock.forward(days=20)
    with act(people[Role.OFFICER]) as caller:
        assessment.accept(caller, request_id)
    assert clock_of(act, people, request_id)[1] == law.STATISTICS_ASSESSMENT.end(received)


def test_lapse_after_four_weeks(act: Any, people: Any, dataset: str, hub_clock: Any) -> None:
    request_id = submitted(act, people)
    with act(people[Role.OFFICER]) as caller:
        assessment.ask_for_more(caller, request_id, "Which years?")
    hub_clock.forward(days=29)
    with act(people[Role.DEVELOPER]) as caller, pytest.raises(StateError, match="four weeks"):
        service.submit(caller, request_id)
    with act(None) as caller:
        assert service.sweep(caller) == 1
        assert caller.session.get_one(Request, request_id).state == State.LAPSED


def test_trusted_holder(act: Any, people: Any, dataset: str, hub_clock: Any) -> None:
    request_id = submitted(act, people)
    with act(people[Role.OFFICER]) as caller:
        assessment.accept(caller, request_id)
        with pytest.raises(StateError):
            assessment.forward(caller, request_id)
    with act(people[Role.HEAD]) as caller:
        assessment.designate(caller, people[Role.HOLDER].id)
    with act(people[Role.OFFICER]) as caller:
        assessment.forward(caller, request_id)
    assert clock_of(act, people, request_id) == ("trusted_assessment", law.TRUSTED_ASSESSMENT.end(hub_clock()))
    with act(people[Role.HOLDER]) as caller:
        assessment.propose(caller, request_id, recommendation="grant", criteria=ALL, words="Fine.")
    assert clock_of(act, people, request_id) == ("trusted_decision", law.TRUSTED_DECISION.end(hub_clock()))
    with act(people[Role.HEAD]) as caller:
        assert assessment.grant(caller, request_id).state == State.GRANTED


def test_statistics_instead_of_data(act: Any, people: Any, dataset: str) -> None:
    request_id = submitted(act, people)
    with act(people[Role.OFFICER]) as caller:
        assessment.accept(caller, request_id)
        assessment.assess(caller, request_id)
        assessment.recommend(caller, request_id, recommendation="statistics", criteria=["a"], words="Enough.")
    with act(people[Role.HEAD]) as caller:
        with pytest.raises(StateError, match="68"):
            assessment.grant(caller, request_id)
        assessment.offer_statistics(caller, request_id, "Statistics serve the purpose.")
    with act(people[Role.DEVELOPER]) as caller:
        request = service.agree_to_statistics(caller, request_id)
        permit = caller.session.get_one(Permit, request.permit_id)
        assert (request.kind, permit.kind, request.clock) == ("statistics", "statistics", "statistics_response")


def test_extension_once_and_in_time(act: Any, people: Any, dataset: str, hub_clock: Any) -> None:
    request_id = granted(act, people, months=120)

    def permit_end() -> Any:
        with act(people[Role.HEAD]) as caller:
            return caller.session.get_one(Permit, caller.session.get_one(Request, request_id).permit_id).valid_until

    first = permit_end()
    with act(people[Role.DEVELOPER]) as caller:
        with pytest.raises(ParameterError):
            changes.ask_extension(caller, request_id, months=121, words="Long.")
        changes.ask_extension(caller, request_id, months=120, words="Follow-up.")
    with act(people[Role.OFFICER]) as caller:
        changes.recommend(caller, request_id, recommendation="grant", words="Fine.")
        with pytest.raises(ForbiddenError):
            changes.grant(caller, request_id)
    with act(people[Role.HEAD]) as caller:
        assert changes.grant(caller, request_id).state == State.GRANTED
    assert permit_end().year == first.year + 10
    with act(people[Role.DEVELOPER]) as caller, pytest.raises(StateError, match="once"):
        changes.ask_extension(caller, request_id, months=1, words="More.")


def test_extension_needs_a_month(act: Any, people: Any, dataset: str, hub_clock: Any) -> None:
    request_id = granted(act, people, months=1)
    hub_clock.now += timedelta(days=2)
    with act(people[Role.DEVELOPER]) as caller, pytest.raises(StateError, match="one month"):
        changes.ask_extension(caller, request_id, months=6, words="Late.")


def test_appeal_by_another_head_once(act: Any, people: Any, second: Any, dataset: str) -> None:
    other = second(Role.HEAD)
    with act(people[Role.HEAD]) as caller:
        request = stored(caller, people[Role.DEVELOPER], State.RECOMMENDED)
        assessment.refuse(caller, request.id, "Not enough.")
    with act(people[Role.DEVELOPER]) as caller:
        service.appeal(caller, request.id, "It is.")
    with act(people[Role.HEAD]) as caller, pytest.raises(ForbiddenError, match="another person"):
        assessment.uphold(caller, request.id, "No.")
    with act(other) as caller:
        assert assessment.uphold(caller, request.id, "No.").state == State.REFUSED
    with act(people[Role.DEVELOPER]) as caller, pytest.raises(StateError, match="once"):
        service.appeal(caller, request.id, "Again.")
