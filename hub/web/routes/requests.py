"""Requests of the signed-in applicant: wizard, list, one request, and their REST API.

Belongs here: the applicant's pages and operations. Does not belong here: the body's (``inbox``), offers (``offers``).
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from hub.access import changes, facts, law, offers, permits, service, steps
from hub.access import form as forms
from hub.access.questions import STEPS, questions, step_of
from hub.access.states import State
from hub.access.tables import Permit
from hub.access.tables import Request as Application
from hub.caller import Caller
from hub.catalogue.service import published
from hub.catalogue.tables import Dataset
from hub.errors import NotFoundError, StateError
from hub.people.roles import Role
from hub.web.access import PageCaller, Routes
from hub.web.pages import redirect, render
from records.errors import ParameterError

DEVELOPER = frozenset({Role.DEVELOPER})
HOLDERS_OF_PERMITS = frozenset({Role.DEVELOPER, Role.OFFICER, Role.HEAD})
routes = Routes("access")
Text = Annotated[str, Form(max_length=steps.WORDS_AT_MOST)]


async def written(request: Request) -> FormData:
    """The form as it was sent, with fields that occur several times."""
    return await request.form()


Written = Annotated[FormData, Depends(written)]


@routes.page("/catalogue/{dataset_id}/request", roles=DEVELOPER)
def begin(request: Request, caller: PageCaller, dataset_id: str) -> Response:
    """Choose what to ask for."""
    dataset = published(caller.session, dataset_id)
    found = offers.live(caller.session, dataset_id, caller.now)
    return render(
        request, "access_begin.html.j2", dataset=dataset, offers=found, kinds=forms.LABELS, purposes=law.PURPOSES
    )


@routes.form("/catalogue/{dataset_id}/request", roles=DEVELOPER)
def create(request: Request, caller: PageCaller, dataset_id: str, kind: Annotated[forms.Kind, Form()]) -> Response:
    """Make a draft."""
    made = service.draft(caller, forms.Form(kind=kind, dataset_ids=[dataset_id]))
    return redirect(request, f"/requests/{made.id}/form/1")


@routes.page("/requests", roles=DEVELOPER)
def my_requests(request: Request, caller: PageCaller) -> Response:
    """All one's requests with clock and next actor."""
    found = [(one, facts.next_actor(one), facts.clock(one)) for one in service.mine(caller)]
    return render(request, "access_list.html.j2", requests=found, kinds=forms.LABELS, now=caller.now)


@routes.page("/requests/{request_id}", roles=DEVELOPER)
def one_request(request: Request, caller: PageCaller, request_id: str) -> Response:
    """Where it stands, who acts next, and what may be done."""
    return _request(request, caller, service.own(caller, request_id))


@routes.page("/requests/{request_id}/form/{step}", roles=DEVELOPER)
def form_step(request: Request, caller: PageCaller, request_id: str, step: int) -> Response:
    """One step of the form."""
    found = service.own(caller, request_id)
    return _step(request, caller, found, step, found.form)


@routes.form("/requests/{request_id}/form/{step}", roles=DEVELOPER)
def save_step(request: Request, caller: PageCaller, request_id: str, step: int, sent: Written) -> Response:
    """Keep the answers and go on."""
    found = service.own(caller, request_id)
    answers = found.form | _answers(sent, step, forms.Kind(found.kind))
    try:
        service.save(caller, request_id, service.read_form(answers))
    except ParameterError as error:
        return _step(request, caller, found, step, answers, str(error))
    target = {"next": step + 1, "back": step - 1}.get(str(sent.get("go")), step)
    if not 1 <= target <= len(STEPS) or sent.get("go") == "leave":
        return redirect(request, f"/requests/{request_id}", "The draft is kept.")
    return redirect(request, f"/requests/{request_id}/form/{target}")


@routes.form("/requests/{request_id}/check/{step}", roles=DEVELOPER)
def check_step(request: Request, caller: PageCaller, request_id: str, step: int, sent: Written) -> Response:
    """What is still missing, and the fee, while one writes; the answers are kept."""
    found = service.own(caller, request_id)
    answers = found.form | _answers(sent, step, forms.Kind(found.kind))
    try:
        service.save(caller, request_id, service.read_form(answers))
    except ParameterError as error:
        checked = service.check(caller, service.read_form(found.form))
        return render(request, "access_check.html.j2", found=found, check=checked, step_of=step_of, wrong=str(error))
    checked = service.check(caller, service.read_form(found.form))
    return render(request, "access_check.html.j2", found=found, check=checked, step_of=step_of, wrong="")


@routes.form("/requests/{request_id}/submit", roles=DEVELOPER)
def submit(request: Request, caller: PageCaller, request_id: str) -> Response:
    """Send it in; what a standing offer allows begins at once."""
    found = service.own(caller, request_id)
    try:
        done = service.submit(caller, request_id)
    except ParameterError as error:
        return _request(request, caller, found, str(error))
    if running := facts.orders_of(caller.session, done):
        note = "Granted by a standing offer." if done.id == request_id else "You have asked for the same already."
        return redirect(request, f"/orders/{running[0].id}", note)
    return redirect(request, f"/requests/{done.id}", "The application is sent in.")


@routes.form("/requests/{request_id}/step", roles=DEVELOPER)
def take_step(
    request: Request, caller: PageCaller, request_id: str, step: Text, words: Text = "", months: Text = ""
) -> Response:  # fmt: skip
    """Withdraw, appeal, answer an offer of statistics, or ask for more time."""
    found = service.own(caller, request_id)
    try:
        if step == "ask_extension":
            number = int(months) if months.isdecimal() and len(months) < 4 else 0
            changes.ask_extension(caller, request_id, months=number, words=words)
        elif step in STEPS_OF_APPLICANT:
            STEPS_OF_APPLICANT[step](caller, request_id, words)
        else:
            raise StateError("the step must be one of the page, got another; reload the page")
    except ParameterError as error:
        return _request(request, caller, found, str(error))
    return redirect(request, f"/requests/{request_id}", "Done.")


STEPS_OF_APPLICANT: dict[str, Callable[[Caller, str, str], Application]] = {
    "withdraw": service.withdraw,
    "appeal": service.appeal,
    "accept_statistics": lambda caller, request_id, words: service.agree_to_statistics(caller, request_id),
    "decline_statistics": lambda caller, request_id, words: service.decline_statistics(caller, request_id),
}


@routes.page("/requests/{request_id}/amendment", roles=DEVELOPER)
def amendment(request: Request, caller: PageCaller, request_id: str) -> Response:
    """The form of a permit, to be changed."""
    found = service.own(caller, request_id)
    return _amendment(request, caller, found, found.form)


@routes.form("/requests/{request_id}/amendment", roles=DEVELOPER)
def ask_amendment(
    request: Request, caller: PageCaller, request_id: str, sent: Written, words: Text = ""
) -> Response:  # fmt: skip
    """Ask for other terms."""
    found = service.own(caller, request_id)
    answers = dict(found.form)
    for step in range(1, len(STEPS)):
        answers |= _answers(sent, step, forms.Kind(found.kind))
    answers["applicant"] = found.form["applicant"]
    try:
        changes.ask_amendment(caller, request_id, service.read_form(answers), words)
    except ParameterError as error:
        return _amendment(request, caller, found, answers, str(error))
    return redirect(request, f"/requests/{request_id}", "The amendment is asked for.")


@routes.call("POST", "/requests", roles=DEVELOPER, status_code=201)
def api_apply(caller: PageCaller, form: forms.Form) -> dict[str, Any]:
    """Apply; a request that a standing offer allows is granted at once, a repeated one shows the open one."""
    return facts.facts(caller, service.apply(caller, form))


@routes.call("GET", "/requests", roles=DEVELOPER)
def api_list(caller: PageCaller) -> list[dict[str, Any]]:
    """One's requests, newest first."""
    return [facts.summary(one) for one in service.mine(caller)]


@routes.call("GET", "/requests/{request_id}", roles=DEVELOPER)
def api_one(caller: PageCaller, request_id: str) -> dict[str, Any]:
    """One request with its clock, next actor, orders and timeline."""
    return facts.facts(caller, service.own(caller, request_id))


@routes.call("POST", "/requests/{request_id}/withdraw", roles=DEVELOPER)
def api_withdraw(caller: PageCaller, request_id: str) -> dict[str, Any]:
    """Take an application back before it is decided."""
    return facts.facts(caller, service.withdraw(caller, request_id))


@routes.call("GET", "/permits/{permit_id}", roles=HOLDERS_OF_PERMITS)
def api_permit(caller: PageCaller, permit_id: str) -> dict[str, Any]:
    """A permit with its signed ODRL agreement."""
    return permits.facts(permits.mine(caller, permit_id))


def _request(request: Request, caller: Caller, found: Application, wrong: str = "") -> Response:
    return render(
        request, "access_request.html.j2", status=422 if wrong else 200, found=found, wrong=wrong, now=caller.now,
        clock=facts.clock(found), next_actor=facts.next_actor(found), orders=facts.orders_of(caller.session, found),
        events=steps.events(caller.session, found.id), kinds=forms.LABELS, step_of=step_of, may=_may(caller, found),
        permit=caller.session.get(Permit, found.permit_id) if found.permit_id else None, purposes=law.PURPOSES,
        check=service.check(caller, service.read_form(found.form)) if found.state in service.EDITABLE else None,
    )  # fmt: skip


def _may(caller: Caller, found: Application) -> set[str]:
    names = (
        "submit",
        "withdraw",
        "appeal",
        "accept_statistics",
        "decline_statistics",
        "ask_extension",
        "ask_amendment",
    )
    allowed = {name for name in names if steps.may_take(caller, found, name)}
    # Anonymous data under a standing offer are asked for anew, not prolonged.
    return allowed - {"ask_extension", "ask_amendment"} if found.offer_id else allowed


def _step(
    request: Request, caller: Caller, found: Application, step: int, values: dict[str, Any], wrong: str = ""
) -> Response:  # fmt: skip
    if not 1 <= step <= len(STEPS):
        raise NotFoundError(f"the form must have the step, got another than 1 to {len(STEPS)}; go back")
    if found.state not in service.EDITABLE:
        raise StateError(f"a form must be a draft to be changed, got one that is {found.state}; look at its page")
    return render(
        request, "access_form.html.j2", status=422 if wrong else 200, found=found, step=step, steps=STEPS,
        questions=questions(step, forms.Kind(found.kind)), values=values, wrong=wrong, step_of=step_of,
        check=service.check(caller, service.read_form(found.form)), more=_asked_for(caller, found),
        **_choices(caller, found),
    )  # fmt: skip


def _asked_for(caller: Caller, found: Application) -> str:
    """The body's words, where it asked for more."""
    if found.state != State.INCOMPLETE:
        return ""
    asked = [event.words for event in steps.events(caller.session, found.id) if event.step == "ask_for_more"]
    return asked[-1] if asked else ""


def _amendment(
    request: Request, caller: Caller, found: Application, values: dict[str, Any], wrong: str = ""
) -> Response:
    asked = [one for step in range(1, len(STEPS)) for one in questions(step, forms.Kind(found.kind))]
    return render(
        request, "access_amendment.html.j2", status=422 if wrong else 200, found=found, values=values, wrong=wrong,
        questions=[one for one in asked if one.name != "applicant"], **_choices(caller, found),
    )  # fmt: skip


def _choices(caller: Caller, found: Application) -> dict[str, Any]:
    asked = [one for name in found.dataset_ids if (one := caller.session.get(Dataset, name)) is not None]
    formats = dict.fromkeys(form for one in asked for form in offers.formats_of(one)) or offers.FORMATS
    return {"purposes": law.PURPOSES, "prohibited": law.PROHIBITED_USES, "formats": list(formats),
            "reserved": law.PUBLIC_BODY_PURPOSES}  # fmt: skip


def _answers(sent: FormData, step: int, kind: forms.Kind) -> dict[str, Any]:
    return {one.name: _answer(sent, one.name, one.widget) for one in questions(step, kind)}


def _answer(sent: FormData, name: str, widget: str) -> Any:
    texts = [value.strip() for value in sent.getlist(name) if isinstance(value, str)]
    if widget in ("purposes", "formats", "declarations"):
        return texts
    text = texts[0] if texts else ""
    if widget == "lines":
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines or (None if name == "columns" else [])
    if widget in ("number", "decimal"):
        return text.replace(",", ".") or None
    return text or ("anonymised" if name == "data_format" else "")
