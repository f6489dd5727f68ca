"""What an applicant does: draft, submit, withdraw, appeal, agree to statistics.

Belongs here: the applicant's steps. Does not belong here: the body's and the holder's (``assessment``), changes of permits
(``changes``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from hub.access import law, permits
from hub.access.fees import estimate
from hub.access.form import Form, Kind, Missing, completeness
from hub.access.offers import duplicate, matching, place_under
from hub.access.states import State
from hub.access.steps import events, permit_of, take, visible
from hub.access.tables import Request
from hub.audit.log import record
from hub.caller import Caller
from hub.errors import NotFoundError, StateError
from hub.people.roles import Role
from records.errors import ParameterError

DEFAULT_MONTHS = 12
EDITABLE = (State.DRAFT, State.INCOMPLETE)


@dataclass(frozen=True)
class Check:
    """What a draft lacks, what it will cost, and which standing offer would grant it at once."""

    missing: list[Missing]
    fee: dict[str, Any]
    offer_id: str | None


def read_form(values: Mapping[str, Any]) -> Form:
    """The form from plain values.

    Raises
    ------
    ParameterError
        A value is malformed; names the fields, never the values.
    """
    try:
        return Form.model_validate(dict(values))
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
        raise ParameterError(f"the form must be well formed, got {found}; mend these fields") from error


def draft(caller: Caller, form: Form) -> Request:
    """A new draft; who applies is known from the account."""
    from hub.catalogue.service import published

    person = caller.must_have(Role.DEVELOPER)
    for dataset_id in form.dataset_ids:
        published(caller.session, dataset_id)
    known = ", ".join(filter(None, (person.name, person.organisation)))
    form = form.model_copy(update={"applicant": form.applicant or known})
    request = Request(
        person_id=person.id, kind=form.kind, dataset_ids=form.dataset_ids, form=form.model_dump(mode="json"),
        state=State.DRAFT, created_at=caller.now, updated_at=caller.now,
    )  # fmt: skip
    caller.session.add(request)
    caller.session.flush()
    record(caller.session, now=caller.now, actor=person.id, action="request.drafted", subject=f"request:{request.id}",
           kind=request.kind, datasets=request.dataset_ids)  # fmt: skip
    return request


def own(caller: Caller, request_id: str) -> Request:
    """One's own request.

    Raises
    ------
    NotFoundError
        There is none, or it is another person's.
    """
    request = visible(caller, request_id)
    if request.person_id != caller.somebody.id:
        raise NotFoundError("the request must be one of yours, got another; look at your requests")
    return request


def save(caller: Caller, request_id: str, form: Form) -> Request:
    """Keep the answers of a draft, or of an application that is to be completed."""
    request = own(caller, request_id)
    if request.state not in EDITABLE:
        raise StateError(f"a form must be a draft to be changed, got one that is {request.state}; ask for an amendment")
    request.form = form.model_dump(mode="json") | {"kind": request.kind, "dataset_ids": request.dataset_ids}
    request.updated_at = caller.now
    return request


def check(caller: Caller, form: Form) -> Check:
    """Completeness, fee and a fitting offer, before anything is sent in."""
    missing = completeness(form, public_body=caller.somebody.public_body)
    first = form.dataset_ids[0] if form.dataset_ids else ""
    offer = None if missing else matching(caller.session, first, form, caller.now)
    return Check(missing, estimate(form, by_offer=offer is not None).plain(), offer.id if offer else None)


def submit(caller: Caller, request_id: str) -> Request:
    """Send in an application; one that a standing offer allows is granted at once.

    Returns
    -------
    Request
        It, or the open one under the same offer that it would repeat.

    Raises
    ------
    ParameterError
        The form is not complete.
    """
    from hub.catalogue.service import published
    from hub.market import access_fees, sanctions

    sanctions.must_be_free(caller.session, caller.somebody.id, caller.now)
    request = own(caller, request_id)
    form = read_form(request.form)
    found = check(caller, form)
    if found.missing:
        lacking = " ".join(one.words for one in found.missing[:3])
        raise ParameterError(f"the form must be complete, got {len(found.missing)} open points; {lacking}")
    if request.state == State.INCOMPLETE and request.deadline is not None and caller.now > request.deadline:
        raise StateError("an application must be completed within four weeks, got more; apply anew")
    for dataset_id in form.dataset_ids:
        published(caller.session, dataset_id)
    offer = matching(caller.session, form.dataset_ids[0], form, caller.now, lock=True)
    if offer and (former := duplicate(caller.session, request.person_id, offer.id, form)):
        return take(caller, request, "withdraw", words=f"It repeats the request {former.id}.") and former
    request.fee = estimate(form, by_offer=offer is not None).plain()
    # A health data request is assessed within three months of its receipt, not of its completion.
    take(caller, request, "submit", clock=law.STATISTICS_ASSESSMENT if form.kind == Kind.STATISTICS else None)
    access_fees.accept(caller, request)
    request.submitted_at = caller.now
    if offer is not None:
        place_under(caller, request, offer, form)
    return request


def apply(caller: Caller, form: Form) -> Request:
    """Draft and submit in one step.

    Raises
    ------
    ParameterError
        The form is not complete; nothing is kept.
    """
    return submit(caller, draft(caller, form).id)


def withdraw(caller: Caller, request_id: str, words: str = "") -> Request:
    """Take an application back before it is decided (Article 62(5): only costs incurred so far are charged)."""
    return take(caller, own(caller, request_id), "withdraw", words=words)


def appeal(caller: Caller, request_id: str, words: str) -> Request:
    """Ask for another decision, with reasons, once.

    Raises
    ------
    StateError
        An appeal was decided before.
    """
    request = own(caller, request_id)
    if any(event.step == "appeal" for event in events(caller.session, request_id)):
        raise StateError("a decision must be appealed once at most, got a second time; complain to the authority")
    return take(caller, request, "appeal", words=reasons(words))


def agree_to_statistics(caller: Caller, request_id: str) -> Request:
    """Accept an anonymised statistical answer instead of the data (Article 68(3), second subparagraph)."""
    request = take(caller, own(caller, request_id), "accept_statistics")
    request.kind = Kind.STATISTICS
    request.form = request.form | {"kind": Kind.STATISTICS.value, "data_format": "anonymised"}
    request.decided_at, request.publish_by = caller.now, law.PUBLICATION.end(caller.now, caller.hub.holidays)
    permits.issue(caller, request, months=request.form.get("months") or DEFAULT_MONTHS)
    return request


def decline_statistics(caller: Caller, request_id: str) -> Request:
    """Decline it; the application is then refused."""
    request = take(caller, own(caller, request_id), "decline_statistics")
    request.decided_at, request.publish_by = caller.now, law.PUBLICATION.end(caller.now, caller.hub.holidays)
    return request


def mine(caller: Caller) -> list[Request]:
    """One's requests, newest first."""
    own_ones = sa.select(Request).where(Request.person_id == caller.somebody.id)
    return list(caller.session.scalars(own_ones.order_by(Request.created_at.desc(), Request.id)))


def sweep(caller: Caller) -> int:
    """Let lapse what was not completed in time and expire what has ended; returns how many."""
    late = sa.select(Request).where(Request.state == State.INCOMPLETE, Request.deadline < caller.now)
    lapsed = list(caller.session.scalars(late))
    for request in lapsed:
        take(caller, request, "lapse", by_rule=True)
    ended = list(caller.session.scalars(permits.ended(caller.now)))
    for request in ended:
        take(caller, request, "expire", by_rule=True, start=permit_of(caller.session, request).valid_until)
    return len(lapsed) + len(ended)


def reasons(words: str) -> str:
    """Reasons that were given.

    Raises
    ------
    ParameterError
        None were.
    """
    if not words.strip():
        raise ParameterError("reasons must be given, got nothing; write them")
    return words
