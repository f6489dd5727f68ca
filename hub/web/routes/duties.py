"""Pages and operations of the duties: register, transparency, report, complaints, opt-out, incidents, results.

Belongs here: reading forms. Does not belong here: rules (``duties``).
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Form, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from hub.access import law
from hub.caller import Caller
from hub.catalogue.tables import Dataset
from hub.duties import activity, complaints, incidents, measures, opting_out, register, results
from hub.errors import ThrottledError
from hub.people.roles import Role
from hub.web.access import PUBLIC, PageCaller, Routes
from hub.web.pages import redirect, render
from records.errors import ParameterError

DUTY = frozenset({Role.DPO, Role.OPERATOR, Role.HEAD})
INCIDENT = frozenset({Role.DPO, Role.OPERATOR})
DECIDES = frozenset({Role.DPO, Role.HEAD})
DEVELOPER, OPERATOR, DPO = frozenset({Role.DEVELOPER}), frozenset({Role.OPERATOR}), frozenset({Role.DPO})
routes = Routes("duties")
Line = Annotated[str, Form(max_length=300)]
Text = Annotated[str, Form(max_length=5000)]
PageNumber = Annotated[int, Query(ge=1, le=10_000)]
Day = Annotated[date | None, Query()]


class PseudonymsBody(BaseModel):
    """Pseudonyms to compare with those who have opted out."""

    pseudonyms: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(max_length=10_000)


@routes.page("/register", roles=PUBLIC)
def public_register(request: Request, caller: PageCaller, page: PageNumber = 1) -> Response:
    """Requests, decisions and permits."""
    found, total = register.lines(caller.session, page)
    pages = max(1, -(-total // register.PAGE))
    return render(request, "duties_register.html.j2", lines=found, total=total, page=page, pages=pages)


@routes.call("GET", "/register", roles=PUBLIC)
def register_by_api(caller: PageCaller, page: PageNumber = 1) -> dict[str, Any]:
    """Requests, decisions and permits."""
    found, total = register.lines(caller.session, page)
    return {"items": [register.facts(line) for line in found], "total": total, "page": page}


@routes.page("/transparency", roles=PUBLIC)
def transparency(request: Request, caller: PageCaller) -> Response:
    """What Article 58(1) lets everybody know."""
    published = sa.select(sa.func.count()).select_from(Dataset).where(Dataset.status == "published")
    return render(request, "duties_transparency.html.j2", datasets=caller.session.scalar(published), law=law)


@routes.page("/measures", roles=PUBLIC)
def public_measures(request: Request, caller: PageCaller) -> Response:
    """Measures by Article 63."""
    return render(request, "duties_measures.html.j2", measures=measures.measures(caller.session))


@routes.call("GET", "/measures", roles=PUBLIC)
def measures_by_api(caller: PageCaller) -> list[dict[str, Any]]:
    """Measures by Article 63."""
    return [one.facts for one in measures.measures(caller.session)]


@routes.page("/activity-report", roles=PUBLIC)
def activity_report(request: Request, caller: PageCaller, start: Day = None, end: Day = None) -> Response:
    """Article 59's figures of a period."""
    first, last = _period(caller, start, end)
    return render(request, "duties_activity.html.j2", figures=_figures(caller, first, last), start=first, end=last)


@routes.page("/activity-report.csv", roles=PUBLIC)
def activity_csv(caller: PageCaller, start: Day = None, end: Day = None) -> Response:
    """The same as CSV."""
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(["point", "figure", "value"])
    writer.writerows((f.point, f.name, "" if f.value is None else f.value) for f in _figures(caller, *_period(caller, start, end)))  # fmt: skip
    headers = {"Content-Disposition": 'attachment; filename="activity-report.csv"'}
    return Response(made.getvalue(), media_type="text/csv", headers=headers)


@routes.call("GET", "/activity-report", roles=PUBLIC)
def activity_by_api(caller: PageCaller, start: Day = None, end: Day = None) -> dict[str, Any]:
    """The same as JSON."""
    first, last = _period(caller, start, end)
    figures = [asdict(figure) for figure in _figures(caller, first, last)]
    return {"start": first.isoformat(), "end": last.isoformat(), "figures": figures}


@routes.page("/complaints/new", roles=PUBLIC)
def new_complaint(request: Request, caller: PageCaller) -> Response:
    """The form of Article 81."""
    return render(request, "duties_complaint.html.j2", about=complaints.ABOUT, written={}, wrong="", receipt=None)


@routes.form("/complaints/new", roles=PUBLIC)
def lodge(request: Request, caller: PageCaller, about: Line = "", words: Text = "", contact: Line = "") -> Response:
    """Lodge it; number and code are shown once."""
    try:
        made, code = complaints.lodge(caller, about=about, words=words, contact=contact)
        shown: dict[str, Any] = {"written": {}, "wrong": "", "receipt": {"number": made.number, "code": code}}
    except ParameterError as error:
        shown = {
            "written": {"about": about, "words": words, "contact": contact}, "wrong": str(error), "receipt": None
        }  # fmt: skip
    status = 422 if shown["wrong"] else 200
    return render(request, "duties_complaint.html.j2", status=status, about=complaints.ABOUT, **shown)


@routes.page("/complaints/follow", roles=PUBLIC)
def follow_form(request: Request, caller: PageCaller) -> Response:
    """Ask how a complaint stands."""
    return render(request, "duties_follow.html.j2", complaint=None, states=complaints.STATES)


@routes.form("/complaints/follow", roles=PUBLIC)
def follow(request: Request, caller: PageCaller, number: Line = "", code: Line = "") -> Response:
    """How it stands; a form, so that the code is in no address."""
    found = complaints.follow(caller, number, code)
    return render(request, "duties_follow.html.j2", complaint=found, states=complaints.STATES)


@routes.page("/opt-out", roles=PUBLIC)
def opt_out_form(request: Request, caller: PageCaller) -> Response:
    """The form of Article 71."""
    return render(request, "duties_opt_out.html.j2", wrong="")


@routes.form("/opt-out", roles=PUBLIC)
def opt_out(request: Request, caller: PageCaller, national_id: Line = "", choice: Line = "") -> Response:
    """Opt out or back in; what was written is not shown again."""
    try:
        if choice not in ("out", "in"):
            raise ParameterError("a choice must be out or in, got another; choose one")
        address = request.client.host if request.client else ""
        (opting_out.opt_out if choice == "out" else opting_out.opt_in)(caller, national_id, address=address)
    except ParameterError as error:
        return render(request, "duties_opt_out.html.j2", status=422, wrong=str(error))
    except ThrottledError as error:
        answer = render(request, "duties_opt_out.html.j2", status=429, wrong=str(error))
        answer.headers["Retry-After"] = str(int(opting_out.INTAKE.window.total_seconds()))
        return answer
    words = "Your objection is registered." if choice == "out" else "Your objection is withdrawn."
    return redirect(request, "/opt-out", words)


@routes.call("POST", "/opt-outs/export", roles=OPERATOR)
def opt_out_export(caller: PageCaller) -> dict[str, Any]:
    """Pseudonyms of all who have opted out; a POST, since each export is audited."""
    found = opting_out.export(caller)
    return {"count": len(found), "pseudonyms": found}


@routes.call("POST", "/opt-outs/matching", roles=OPERATOR)
def opt_out_matching(caller: PageCaller, body: PseudonymsBody) -> dict[str, Any]:
    """Which of these have opted out."""
    return {"pseudonyms": opting_out.matching(caller, body.pseudonyms)}


@routes.page("/duties", roles=DUTY)
def overview(request: Request, caller: PageCaller) -> Response:
    """What is due."""
    return _overview(request, caller, "")


@routes.form("/duties/complaints/{complaint_id}", roles=DECIDES)
def advance(request: Request, caller: PageCaller, complaint_id: str, state: Line = "", words: Text = "") -> Response:
    """Tell a complainant of progress or decision."""
    try:
        complaints.advance(caller, complaint_id, state=state, words=words)
    except ParameterError as error:
        return _overview(request, caller, str(error))
    return redirect(request, "/duties", "The complainant can read it now.")


@routes.page("/duties/incidents", roles=INCIDENT)
def incident_list(request: Request, caller: PageCaller) -> Response:
    """Incidents with their clock, and the form."""
    return _incidents(request, caller, {}, "")


@routes.form("/duties/incidents", roles=INCIDENT)
def report_incident(
    request: Request, caller: PageCaller, aware_at: Line = "", nature: Text = "", persons: Line = "",
    consequences: Text = "", measures: Text = "", risk: Line = "",
) -> Response:  # fmt: skip
    """Write down an incident."""
    texts = {"nature": nature, "consequences": consequences, "measures": measures, "risk": risk}
    try:
        incidents.report(caller, aware_at=_moment(aware_at), persons=_count(persons), **texts)
    except ParameterError as error:
        return _incidents(request, caller, {**texts, "aware_at": aware_at, "persons": persons}, str(error))
    return redirect(request, "/duties/incidents", "The incident is written down.")


@routes.form("/duties/incidents/{incident_id}/notify", roles=INCIDENT)
def notify(request: Request, caller: PageCaller, incident_id: str, delay_reason: Text = "") -> Response:
    """Note the notification of the authority."""
    try:
        incidents.notify(caller, incident_id, delay_reason=delay_reason)
    except ParameterError as error:
        return _incidents(request, caller, {}, str(error))
    return redirect(request, "/duties/incidents", "The notification is noted.")


@routes.form("/duties/incidents/{incident_id}/close", roles=DPO)
def close(request: Request, caller: PageCaller, incident_id: str) -> Response:
    """Close an incident."""
    incidents.close(caller, incident_id)
    return redirect(request, "/duties/incidents", "The incident is closed.")


@routes.page("/my-results", roles=DEVELOPER)
def my_results(request: Request, caller: PageCaller) -> Response:
    """What one still must make public."""
    return _results(request, caller, {}, "")


@routes.form("/my-results", roles=DEVELOPER)
def publish(
    request: Request, caller: PageCaller, request_id: Line = "", kind: Line = "", title: Text = "", address: Text = ""
) -> Response:  # fmt: skip
    """Tell where a result is public."""
    try:
        results.publish(caller, request_id, kind=kind, title=title, address=address)
    except ParameterError as error:
        return _results(request, caller, {"title": title, "address": address, "kind": kind}, str(error))
    return redirect(request, "/my-results", "The result is in the public register.")


@routes.call("GET", "/reminders", roles=DUTY)
def reminders(caller: PageCaller) -> list[dict[str, Any]]:
    """Results that are not public yet."""
    found = results.reminders(caller.session, caller.now, caller.hub.holidays)
    return [{"request_id": r.request.id, "due": r.due.isoformat(), "state": r.state} for r in found]


def _overview(request: Request, caller: Caller, wrong: str) -> Response:
    lines, _ = register.lines(caller.session)
    return render(
        request, "duties_overview.html.j2", status=422 if wrong else 200, wrong=wrong, now=caller.now,
        complaints=complaints.all_of_them(caller), states=complaints.STATES, about=complaints.ABOUT,
        incidents=[i for i in incidents.all_of_them(caller) if i.closed_at is None],
        reminders=results.reminders(caller.session, caller.now, caller.hub.holidays), lines=[x for x in lines if x.due and x.due >= caller.now],
    )  # fmt: skip


def _incidents(request: Request, caller: Caller, written: dict[str, str], wrong: str) -> Response:
    return render(
        request, "duties_incidents.html.j2", status=422 if wrong else 200, incidents=incidents.all_of_them(caller),
        risks=incidents.RISKS, written=written, wrong=wrong, now=caller.now,
    )  # fmt: skip


def _results(request: Request, caller: Caller, written: dict[str, str], wrong: str) -> Response:
    owed = results.reminders(caller.session, caller.now, caller.hub.holidays, caller.somebody.id)
    mine = results.own_permitted(caller.session, caller.somebody.id)
    return render(request, "duties_results.html.j2", status=422 if wrong else 200, reminders=owed, requests=mine,
                  kinds=results.KINDS, written=written, wrong=wrong)  # fmt: skip


def _figures(caller: Caller, start: date, end: date) -> Sequence[activity.Figure]:
    first, after = (datetime.combine(day, time.min, UTC) for day in (start, end + timedelta(days=1)))
    return activity.report(caller.session, first, after, caller.now, caller.hub.holidays)


def _period(caller: Caller, start: date | None, end: date | None) -> tuple[date, date]:
    """By default the last year and this one: the report covers two years."""
    first, last = start or date(caller.now.year - 1, 1, 1), end or caller.now.date()
    if first > last or last.year > 9000:
        raise ParameterError("a period must end after it starts, got another; mend its days")
    return first, last


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ParameterError("a time must have the form 2027-03-01T14:30, got another; mend it") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _count(text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal() or len(text.strip()) > 10:
        raise ParameterError("a number of people must be a whole number or be left out, got another; mend it")
    return int(text)
