"""Taking one step of a request: sight, roles, four eyes, state, clock, timeline and audit.

Belongs here: what is the same for every step. Does not belong here: what a single step changes besides (``service``,
``assessment``, ``changes``).
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.law import Clock
from hub.access.states import PERMITTED, TRANSITIONS, Actor, State
from hub.access.tables import Permit, Request, RequestEvent
from hub.audit.log import record
from hub.caller import Caller
from hub.errors import ForbiddenError, NotFoundError, StateError
from hub.people.roles import BODY, Role
from records.errors import ParameterError

ASSESSING = frozenset({"accept", "assess", "recommend", "propose", "recommend_change"})
DECIDING = frozenset({"grant", "refuse", "offer_statistics", "grant_change", "refuse_change", "uphold", "reopen"})
HOLDER_SEES = PERMITTED | {State.WITH_HOLDER}
WORDS_AT_MOST = 4000


def visible(caller: Caller, request_id: str) -> Request:
    """A request that this person may see: one's own; the body all that were sent in; the holder those that concern it.

    Raises
    ------
    NotFoundError
        There is none, or this person may not know of it.
    """
    # A writer locks the row where the store can do so: two deciders must not both act on the same state.
    writes = bool(caller.session.connection().get_execution_options().get("writes"))
    request = caller.session.get(Request, request_id, with_for_update=writes)
    if request is None or not (
        request.person_id == caller.somebody.id
        or (caller.has(*BODY) and request.submitted_at is not None)
        or (request.state in HOLDER_SEES and holds(caller, request))
    ):
        raise NotFoundError("the request must be one you may see, got another; look at your list")
    return request


def holds(caller: Caller, request: Request) -> bool:
    """Whether the person is the holder of all data sets of a request."""
    from hub.catalogue.tables import Dataset

    if not caller.has(Role.HOLDER):
        return False
    mine = sa.select(Dataset.id).where(Dataset.id.in_(request.dataset_ids), Dataset.holder_id == caller.somebody.id)
    return set(caller.session.scalars(mine)) == set(request.dataset_ids)


def take(
    caller: Caller, request: Request, step: str, *, words: str = "", clock: Clock | None = None,
    start: datetime | None = None, by_rule: bool = False, **detail: Any,
) -> Request:  # fmt: skip
    """Take a step of the table of transitions.

    Parameters
    ----------
    clock, start
        Instead of the transition's clock, and of the present time.
    by_rule : bool
        Whether a rule of the hub acts and no person.

    Raises
    ------
    ForbiddenError, StateError
        The person may not take the step; the state does not allow it.
    """
    transition = TRANSITIONS[step]
    _authorised(caller, request, step, by_rule)
    if request.state not in transition.come_from:
        raise StateError(f"the request must allow the step {step!r}, got one that is {request.state}; reload the page")
    words = _checked(words)
    new = transition.to or State(request.former or State.GRANTED)
    request.former, request.state, request.updated_at = request.state, new, caller.now
    if not transition.keeps_clock or clock is not None:
        set_clock(caller, request, clock or transition.clock, start or caller.now)
    actor = "system" if by_rule else caller.somebody.id
    _told(caller, request, step, actor, words, detail)
    return request


def set_clock(caller: Caller, request: Request, clock: Clock | None, start: datetime) -> None:
    """Stop the running clock and start another, or none."""
    request.clock, request.prolonged = (clock.name if clock else None), False
    request.clock_started = start if clock else None
    request.deadline = clock.end(start, caller.hub.holidays) if clock else None


def may_take(caller: Caller, request: Request, step: str) -> bool:
    """Whether this person may take the step now; for showing buttons."""
    try:
        _authorised(caller, request, step, by_rule=False)
    except (ForbiddenError, NotFoundError):
        return False
    return request.state in TRANSITIONS[step].come_from


def assessors(session: Session, request_id: str) -> set[str]:
    """Everybody who has assessed the request."""
    done = RequestEvent.request_id == request_id, RequestEvent.step.in_(ASSESSING)
    return set(session.scalars(sa.select(RequestEvent.actor_id).where(*done)))


def events(session: Session, request_id: str) -> list[RequestEvent]:
    """The timeline, oldest first."""
    mine = sa.select(RequestEvent).where(RequestEvent.request_id == request_id)
    return list(session.scalars(mine.order_by(RequestEvent.id)))


def permit_of(session: Session, request: Request) -> Permit:
    """The permit of a granted request.

    Raises
    ------
    StateError
        It has none.
    """
    permit = session.get(Permit, request.permit_id) if request.permit_id else None
    if permit is None:
        raise StateError(f"the request must have a permit, got one that is {request.state}; wait for the decision")
    return permit


def _authorised(caller: Caller, request: Request, step: str, by_rule: bool) -> None:
    by = TRANSITIONS[step].by
    if by_rule != (by == Actor.RULE):
        raise ForbiddenError(f"the step {step!r} must be taken by a {'rule' if by == Actor.RULE else 'person'}")
    if by_rule:
        return
    person = caller.must_have(*TRANSITIONS[step].roles)
    own = request.person_id == person.id
    if by == Actor.APPLICANT and not own:
        raise NotFoundError("the request must be one of yours, got another; look at your requests")
    if by == Actor.HOLDER and not holds(caller, request):
        raise NotFoundError("the request must concern your data sets, got another; look at your list")
    if by != Actor.APPLICANT and own:
        raise ForbiddenError("a request must be handled by others than its applicant, got your own; leave it to others")
    _four_eyes(caller, request, step, person.id)


def _four_eyes(caller: Caller, request: Request, step: str, person_id: str) -> None:
    if step in DECIDING and person_id in assessors(caller.session, request.id):
        raise ForbiddenError(
            "a request must be decided by somebody who did not assess it, got its assessor; ask another"
        )
    if step in ("uphold", "reopen") and person_id == request.decider_id:
        raise ForbiddenError("an appeal must be decided by another person than the decision, got the same; ask another")


def _checked(words: str) -> str:
    words = words.strip().replace("\0", "")
    if len(words) > WORDS_AT_MOST:
        raise ParameterError(f"the text must have at most {WORDS_AT_MOST} characters, got {len(words)}; shorten it")
    return words


def _told(caller: Caller, request: Request, step: str, actor: str, words: str, detail: dict[str, Any]) -> None:
    event = RequestEvent(
        request_id=request.id, at=caller.now, actor_id=actor, step=step, state=request.state, words=words
    )
    caller.session.add(event)
    record(
        caller.session, now=caller.now, actor=actor, action=f"request.{step}", subject=f"request:{request.id}",
        state=request.state, deadline=request.deadline.isoformat() if request.deadline else None, **detail,
    )  # fmt: skip
