"""The body's inbox and a holder's part in applications: lists, checklist, steps.

Belongs here: pages of those who handle applications. Does not belong here: the applicant's (``requests``).
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Form, Request
from fastapi.responses import Response

from hub.access import assessment, changes, facts, law, offers, steps
from hub.access import form as forms
from hub.access.questions import QUESTIONS
from hub.access.states import State
from hub.access.tables import Permit, TrustedHolder
from hub.access.tables import Request as Application
from hub.caller import Caller
from hub.catalogue.tables import Dataset
from hub.errors import ForbiddenError, NotFoundError, StateError
from hub.people.roles import BODY, Role
from hub.people.tables import Person
from hub.web.access import PageCaller, Routes
from hub.web.pages import redirect, render
from records.errors import ParameterError

HANDLERS = BODY | {Role.HOLDER}
HEAD = frozenset({Role.HEAD})
HOLDER = frozenset({Role.HOLDER})
routes = Routes("access")
Text = Annotated[str, Form(max_length=steps.WORDS_AT_MOST)]


@routes.page("/inbox", roles=BODY)
def inbox(request: Request, caller: PageCaller) -> Response:
    """What waits, the most urgent first; offers to approve."""
    waiting = [(one, facts.next_actor(one), facts.clock(one)) for one in assessment.inbox(caller)]
    holders = [
        person for person in caller.session.scalars(sa.select(Person)) if person.has(Role.HOLDER) and person.active
    ]
    return render(
        request, "access_inbox.html.j2", requests=waiting, offers=offers.unapproved(caller), kinds=forms.LABELS,
        now=caller.now, purposes=law.PURPOSES, holders=holders,
        trusted=set(caller.session.scalars(sa.select(TrustedHolder.person_id))),
    )  # fmt: skip


@routes.page("/holder/requests", roles=HOLDER)
def of_holder(request: Request, caller: PageCaller) -> Response:
    """Applications that wait for the holder."""
    awaiting = (State.WITH_HOLDER, State.GRANTED)
    found = sa.select(Application).where(Application.state.in_(awaiting), Application.offer_id.is_(None))
    mine = [one for one in caller.session.scalars(found.order_by(Application.deadline)) if steps.holds(caller, one)]
    waiting = [(one, facts.next_actor(one), facts.clock(one)) for one in mine]
    return render(request, "access_holder.html.j2", requests=waiting, kinds=forms.LABELS, now=caller.now)


@routes.page("/inbox/{request_id}", roles=HANDLERS)
def checklist(request: Request, caller: PageCaller, request_id: str) -> Response:
    """One application with its answers, completeness, criteria and steps."""
    return _checklist(request, caller, _handled(caller, request_id))


@routes.form("/inbox/{request_id}/step", roles=HANDLERS)
def take(
    request: Request, caller: PageCaller, request_id: str, step: Text, words: Text = "", recommendation: Text = "",
    criteria: Annotated[list[str] | None, Form()] = None,
) -> Response:  # fmt: skip
    """Take one step."""
    found = _handled(caller, request_id)
    if step not in HANDLING:
        raise StateError("the step must be one of the page, got another; reload the page")
    try:
        HANDLING[step](caller, request_id, words, recommendation, criteria or [])
    except ParameterError as error:
        return _checklist(request, caller, found, str(error), words)
    return redirect(request, f"/inbox/{request_id}", "Done.")


@routes.form("/inbox/holders/designate", roles=HEAD)
def designate(request: Request, caller: PageCaller, person_id: Text) -> Response:
    """Designate a trusted data holder."""
    assessment.designate(caller, person_id)
    return redirect(request, "/inbox", "The data holder is trusted now.")


Handling = Callable[[Caller, str, str, str, Sequence[str]], Application]
HANDLING: dict[str, Handling] = {
    "ask_for_more": lambda c, i, words, r, k: assessment.ask_for_more(c, i, words),
    "accept": lambda c, i, words, r, k: assessment.accept(c, i),
    "assess": lambda c, i, words, r, k: assessment.assess(c, i),
    "forward": lambda c, i, words, r, k: assessment.forward(c, i),
    "propose": lambda c, i, words, r, k: assessment.propose(c, i, recommendation=r, criteria=k, words=words),
    "recommend": lambda c, i, words, r, k: assessment.recommend(c, i, recommendation=r, criteria=k, words=words),
    "return": lambda c, i, words, r, k: assessment.send_back(c, i, words),
    "grant": lambda c, i, words, r, k: assessment.grant(c, i, words),
    "refuse": lambda c, i, words, r, k: assessment.refuse(c, i, words),
    "offer_statistics": lambda c, i, words, r, k: assessment.offer_statistics(c, i, words),
    "prolong": lambda c, i, words, r, k: assessment.prolong(c, i, words),
    "hand_over": lambda c, i, words, r, k: assessment.hand_over(c, i),
    "deliver": lambda c, i, words, r, k: assessment.deliver(c, i),
    "uphold": lambda c, i, words, r, k: assessment.uphold(c, i, words),
    "reopen": lambda c, i, words, r, k: assessment.reopen(c, i, words),
    "revoke": lambda c, i, words, r, k: assessment.revoke(c, i, words),
    "recommend_change": lambda c, i, words, r, k: changes.recommend(c, i, recommendation=r, words=words),
    "grant_change": lambda c, i, words, r, k: changes.grant(c, i, words),
    "refuse_change": lambda c, i, words, r, k: changes.refuse(c, i, words),
}


def _handled(caller: Caller, request_id: str) -> Application:
    found = steps.visible(caller, request_id)
    if found.person_id == caller.somebody.id:
        raise ForbiddenError(
            "a request must be handled by others than its applicant, got your own; look at your requests"
        )
    if found.submitted_at is None:
        raise NotFoundError("the request must be sent in, got a draft; wait for it")
    return found


def _checklist(request: Request, caller: Caller, found: Application, wrong: str = "", words: str = "") -> Response:
    applicant = caller.session.get_one(Person, found.person_id)
    form = forms.Form.model_validate(found.form)
    clock = law.CLOCKS.get(found.clock or "")
    may = {step for step in HANDLING if step != "prolong" and steps.may_take(caller, found, step)}
    if found.offer_id is not None:
        may -= {"hand_over", "deliver"}
    if not assessment.is_trusted(caller, found):
        may.discard("forward")
    names = {
        p.id: p.name for p in caller.session.scalars(sa.select(Person).where(Person.id.in_(_actors(caller, found))))
    }
    return render(
        request, "access_checklist.html.j2", status=422 if wrong else 200, found=found, applicant=applicant, wrong=wrong,
        words=words, may=may, clock=facts.clock(found), next_actor=facts.next_actor(found), now=caller.now, names=names,
        missing=forms.completeness(form, public_body=applicant.public_body), criteria=law.CRITERIA, kinds=forms.LABELS,
        events=steps.events(caller.session, found.id), questions=QUESTIONS, purposes=law.PURPOSES,
        assessors=steps.assessors(caller.session, found.id), trusted=assessment.is_trusted(caller, found),
        may_prolong=bool(clock and clock.longer_months and not found.prolonged and caller.has(*BODY)),
        datasets=[caller.session.get(Dataset, one) for one in found.dataset_ids],
        permit=caller.session.get(Permit, found.permit_id) if found.permit_id else None,
    )  # fmt: skip


def _actors(caller: Caller, found: Application) -> set[Any]:
    acted = {event.actor_id for event in steps.events(caller.session, found.id)}
    return acted | {found.decider_id, found.assessor_id} - {None}
