"""What the body and the data holder do with an application: check, assess, recommend, decide, deliver, revoke.

Belongs here: their steps. Does not belong here: the applicant's (``service``), changes of permits (``changes``).

References
----------
Regulation (EU) 2025/327, Articles 57(1)(a), 68, 69, 72; 63(3) (revocation).
"""

from collections.abc import Collection

import sqlalchemy as sa

from hub.access import law, permits
from hub.access.form import Kind
from hub.access.law import CLOCKS, Clock
from hub.access.service import DEFAULT_MONTHS, reasons
from hub.access.states import AWAITING_BODY, State
from hub.access.steps import holds, permit_of, take, visible
from hub.access.tables import Request, RequestEvent, TrustedHolder
from hub.audit.log import record
from hub.caller import Caller
from hub.errors import ForbiddenError, StateError
from hub.people.roles import BODY, Role
from hub.people.tables import Person
from records.errors import ParameterError

RECOMMENDATIONS = ("grant", "refuse", "statistics")


def inbox(caller: Caller) -> list[Request]:
    """Applications that wait for the body or a holder, the most urgent first."""
    caller.must_have(*BODY)
    waiting = sa.select(Request).where(Request.state.in_(sorted(AWAITING_BODY)), Request.offer_id.is_(None))
    return list(caller.session.scalars(waiting.order_by(Request.deadline.is_(None), Request.deadline, Request.created_at)))  # fmt: skip


def ask_for_more(caller: Caller, request_id: str, words: str) -> Request:
    """Say what is missing; the applicant has four weeks."""
    return take(caller, visible(caller, request_id), "ask_for_more", words=reasons(words))


def accept(caller: Caller, request_id: str) -> Request:
    """Find an application complete; the decision's clock starts."""
    request = visible(caller, request_id)
    statistics = request.kind == Kind.STATISTICS
    start = request.submitted_at if statistics else caller.now
    take(caller, request, "accept", clock=_decision_clock(caller, request), start=start)
    request.complete_at = caller.now
    return request


def assess(caller: Caller, request_id: str) -> Request:
    """Begin the assessment."""
    request = take(caller, visible(caller, request_id), "assess")
    request.assessor_id = caller.somebody.id
    return request


def forward(caller: Caller, request_id: str) -> Request:
    """Let the trusted data holder assess (Article 72(3))."""
    request = visible(caller, request_id)
    if not is_trusted(caller, request):
        raise StateError("the data sets must all be of one trusted holder, got others; assess the application yourself")
    return take(caller, request, "forward")


def propose(caller: Caller, request_id: str, *, recommendation: str, criteria: Collection[str], words: str) -> Request:
    """The trusted holder's assessment and proposal, which does not bind the body (Article 72(5))."""
    return _recommended(caller, request_id, "propose", recommendation, criteria, words)


def recommend(
    caller: Caller, request_id: str, *, recommendation: str, criteria: Collection[str], words: str
) -> Request:
    """The officer's assessment by Article 68(1) and recommendation."""
    return _recommended(caller, request_id, "recommend", recommendation, criteria, words)


def send_back(caller: Caller, request_id: str, words: str) -> Request:
    """Let it be assessed again."""
    return take(caller, visible(caller, request_id), "return", words=reasons(words))


def grant(caller: Caller, request_id: str, words: str = "") -> Request:
    """Issue the permit.

    Raises
    ------
    StateError
        Not all criteria of Article 68(1) were found fulfilled.
    """
    request = visible(caller, request_id)
    if request.state == State.RECOMMENDED and set(request.criteria) != set(law.CRITERIA):
        raise StateError("all criteria of Article 68(1) must be met to grant, got fewer; refuse or send it back")
    statistics = law.STATISTICS_RESPONSE if request.kind == Kind.STATISTICS else None
    _decided(caller, take(caller, request, "grant", words=words, clock=statistics), words)
    permits.issue(caller, request, months=request.form.get("months") or DEFAULT_MONTHS)
    return request


def refuse(caller: Caller, request_id: str, words: str) -> Request:
    """Refuse, with a justification (Article 68(9))."""
    return _decided(caller, take(caller, visible(caller, request_id), "refuse", words=reasons(words)), words)


def offer_statistics(caller: Caller, request_id: str, words: str) -> Request:
    """Offer an anonymised statistical answer instead (Article 68(3), second subparagraph)."""
    request = take(caller, visible(caller, request_id), "offer_statistics", words=reasons(words))
    request.decider_id, request.justification = caller.somebody.id, words
    return request


def prolong(caller: Caller, request_id: str, words: str) -> Request:
    """Prolong the running clock once, with reasons, before it ends.

    Raises
    ------
    StateError
        The clock cannot be prolonged, was so before, or has ended.
    """
    caller.must_have(*BODY)
    request, words = visible(caller, request_id), reasons(words)
    clock = CLOCKS.get(request.clock or "")
    if request.person_id == caller.somebody.id:
        raise ForbiddenError("a request must be handled by others than its applicant, got your own; leave it to others")
    if clock is None or not clock.longer_months or request.prolonged or request.clock_started is None:
        raise StateError("the period must be one that may be prolonged once, got another; decide within it")
    if request.deadline is None or caller.now > request.deadline:
        raise StateError("a period must be prolonged before its end, got one that has ended; decide now")
    request.deadline, request.prolonged = clock.longer_end(request.clock_started, caller.hub.holidays), True
    _noted(caller, request, "prolong", words)
    return request


def hand_over(caller: Caller, request_id: str) -> Request:
    """The holder has put the data at the body's disposal (Article 60(2))."""
    request = _by_hand(visible(caller, request_id))
    if request.kind == Kind.STATISTICS:  # the three months for the answer go on
        return take(caller, request, "hand_over", clock=law.STATISTICS_RESPONSE, start=request.clock_started)
    return take(caller, request, "hand_over")


def deliver(caller: Caller, request_id: str) -> Request:
    """The data, or the statistics, are available to the user; the clock of the results starts (Article 61(4))."""
    request = take(caller, _by_hand(visible(caller, request_id)), "deliver")
    request.delivered_at = caller.now
    return request


def uphold(caller: Caller, request_id: str, words: str) -> Request:
    """Leave a decision as it was, after an appeal."""
    request = take(caller, visible(caller, request_id), "uphold", words=reasons(words))
    return _decided(caller, request, words)


def reopen(caller: Caller, request_id: str, words: str) -> Request:
    """Assess again, after an appeal."""
    request = visible(caller, request_id)
    return take(caller, request, "reopen", words=reasons(words), clock=_decision_clock(caller, request))


def revoke(caller: Caller, request_id: str, words: str) -> Request:
    """Revoke the permit; runs stop and artefacts are destroyed at once."""
    request = take(caller, visible(caller, request_id), "revoke", words=reasons(words))
    permits.revoke(caller, permit_of(caller.session, request), words)
    return request


def is_trusted(caller: Caller, request: Request) -> bool:
    """Whether one trusted holder holds all data sets of the request."""
    from hub.catalogue.tables import Dataset

    holders = set(caller.session.scalars(sa.select(Dataset.holder_id).where(Dataset.id.in_(request.dataset_ids))))
    return len(holders) == 1 and caller.session.get(TrustedHolder, holders.pop()) is not None


def designate(caller: Caller, person_id: str) -> TrustedHolder:
    """Designate a data holder as trusted (Article 72(2))."""
    head = caller.must_have(Role.HEAD)
    person = caller.session.get(Person, person_id)
    if person is None or not person.has(Role.HOLDER) or person.id == head.id:
        raise ParameterError(
            "a trusted holder must be another person with the holder's role, got another; choose again"
        )
    made = TrustedHolder(person_id=person_id, designated_by=head.id, designated_at=caller.now)
    made = caller.session.merge(made)
    record(caller.session, now=caller.now, actor=head.id, action="holder.designated", subject=f"person:{person_id}")
    return made


def _recommended(
    caller: Caller, request_id: str, step: str, recommendation: str, criteria: Collection[str], words: str
) -> Request:  # fmt: skip
    if recommendation not in RECOMMENDATIONS:
        raise ParameterError("a recommendation must be grant, refuse or statistics, got another; choose one")
    if not set(criteria) <= set(law.CRITERIA):
        raise ParameterError("criteria must be letters of Article 68(1), got others; choose from the list")
    if recommendation == "grant" and set(criteria) != set(law.CRITERIA):
        raise ParameterError(
            "all criteria of Article 68(1) must be met to recommend a grant, got fewer; recommend otherwise"
        )
    request = visible(caller, request_id)
    if step == "propose" and not (holds(caller, request) and is_trusted(caller, request)):
        raise ForbiddenError(
            "a proposal must come from the trusted holder of the data, got another; leave it to the body"
        )
    take(caller, request, step, words=reasons(words), recommendation=recommendation)
    request.assessor_id, request.recommendation = caller.somebody.id, recommendation
    request.criteria = sorted(set(criteria))
    return request


def _by_hand(request: Request) -> Request:
    if request.offer_id is not None:
        raise StateError("a request must be delivered by people, got one that the hub delivers by itself; wait for it")
    return request


def _decided(caller: Caller, request: Request, words: str) -> Request:
    request.decider_id, request.justification = caller.somebody.id, words
    request.decided_at, request.publish_by = caller.now, law.PUBLICATION.end(caller.now, caller.hub.holidays)
    return request


def _decision_clock(caller: Caller, request: Request) -> Clock:
    if request.kind == Kind.STATISTICS:
        return law.STATISTICS_ASSESSMENT
    applicant = caller.session.get_one(Person, request.person_id)
    quick = applicant.public_body and set(request.form["purposes"]) <= law.PUBLIC_BODY_PURPOSES
    return law.ACCELERATED if quick else law.DECISION


def _noted(caller: Caller, request: Request, step: str, words: str) -> None:
    actor = caller.somebody.id
    event = RequestEvent(
        request_id=request.id, at=caller.now, actor_id=actor, step=step, state=request.state, words=words
    )
    caller.session.add(event)
    record(caller.session, now=caller.now, actor=actor, action=f"request.{step}", subject=f"request:{request.id}",
           deadline=request.deadline.isoformat() if request.deadline else None)  # fmt: skip
