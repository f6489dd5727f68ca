"""Pages and operations of output checks: one's own outputs, the checkers' queue.

Belongs here: reading forms and files. Does not belong here: rules (``output_checks``).
"""

from typing import Annotated, Any

from fastapi import Form, Request, UploadFile
from fastapi.responses import Response

from hub.caller import Caller
from hub.output_checks import service
from hub.output_checks.reading import LARGEST
from hub.output_checks.tables import OutputRequest
from hub.people.roles import Role
from hub.people.tables import Person
from hub.web.access import PageCaller, Routes
from hub.web.pages import redirect, render
from records.errors import ParameterError

DEVELOPER, CHECKER = frozenset({Role.DEVELOPER}), frozenset({Role.CHECKER})
SHOWN_CELLS = 400
routes = Routes("output_checks")
Text = Annotated[str, Form(max_length=5000)]
Line = Annotated[str, Form(max_length=200)]


@routes.page("/my-outputs", roles=DEVELOPER)
def my_outputs(request: Request, caller: PageCaller) -> Response:
    """One's outputs and the form for another."""
    return _mine(request, caller, {}, "")


@routes.form("/my-outputs", roles=DEVELOPER)
def hand_in(
    request: Request, caller: PageCaller, output: UploadFile, permit_id: Line = "", description: Text = ""
) -> Response:  # fmt: skip
    """Hand in an output."""
    try:
        made = service.submit(caller, permit_id=permit_id, description=description, **_file(output))
    except ParameterError as error:
        return _mine(request, caller, {"permit_id": permit_id, "description": description}, str(error))
    return redirect(request, f"/my-outputs/{made.id}", "The output is handed in.")


@routes.page("/my-outputs/{output_id}", roles=DEVELOPER)
def my_output(request: Request, caller: PageCaller, output_id: str) -> Response:
    """Findings and decision on one's output."""
    return render(request, "output_checks_mine.html.j2", output=service.mine(caller, output_id))


@routes.form("/my-outputs/{output_id}/download", roles=DEVELOPER)
def download(caller: PageCaller, output_id: str) -> Response:
    """An approved output; a form, since the step is audited."""
    return _sent(*service.take_out(caller, output_id))


@routes.page("/output-checks", roles=CHECKER)
def queue(request: Request, caller: PageCaller) -> Response:
    """What waits for a checker."""
    found = [output for output in service.queue(caller) if output.person_id != caller.somebody.id]
    return render(request, "output_checks_queue.html.j2", outputs=found, breaches=service.breaches)


@routes.page("/output-checks/{output_id}", roles=CHECKER)
def review(request: Request, caller: PageCaller, output_id: str) -> Response:
    """Findings, preview, decision."""
    return _review(request, caller, service.for_review(caller, output_id), "", "")


@routes.form("/output-checks/{output_id}/decide", roles=CHECKER)
def decide(
    request: Request, caller: PageCaller, output_id: str, decision: Line = "", seen: Line = "", reasons: Text = ""
) -> Response:  # fmt: skip
    """Approve or refuse."""
    try:
        _decide(caller, output_id, decision, reasons, seen)
    except ParameterError as error:
        return _review(request, caller, service.for_review(caller, output_id), str(error), reasons)
    return redirect(request, "/output-checks", "The decision is stored.")


@routes.call("GET", "/outputs", roles=DEVELOPER)
def listed(caller: PageCaller) -> list[dict[str, Any]]:
    """One's outputs."""
    return [service.facts(output) for output in service.all_mine(caller)]


@routes.call("POST", "/outputs", roles=DEVELOPER, status_code=201)
def hand_in_by_api(caller: PageCaller, output: UploadFile, permit_id: Line, description: Text) -> dict[str, Any]:
    """Hand in an output (multipart form)."""
    return service.facts(service.submit(caller, permit_id=permit_id, description=description, **_file(output)))


@routes.call("GET", "/outputs/{output_id}", roles=DEVELOPER)
def one(caller: PageCaller, output_id: str) -> dict[str, Any]:
    """One's output."""
    return service.facts(service.mine(caller, output_id))


@routes.call("POST", "/outputs/{output_id}/download", roles=DEVELOPER)
def download_by_api(caller: PageCaller, output_id: str) -> Response:
    """An approved output's file."""
    return _sent(*service.take_out(caller, output_id))


@routes.call("GET", "/output-checks", roles=CHECKER)
def queue_by_api(caller: PageCaller) -> list[dict[str, Any]]:
    """The queue."""
    return [service.facts(output) for output in service.queue(caller) if output.person_id != caller.somebody.id]


@routes.call("GET", "/output-checks/{output_id}", roles=CHECKER)
def review_by_api(caller: PageCaller, output_id: str) -> dict[str, Any]:
    """One output with its present findings and what to send back as ``seen``."""
    output = service.for_review(caller, output_id)
    findings = service.present_findings(caller, output)
    return service.facts(output) | {"findings": findings, "seen": service.digest(findings)}


@routes.call("POST", "/output-checks/{output_id}/decision", roles=CHECKER)
def decide_by_api(caller: PageCaller, output_id: str, decision: Line, seen: Line, reasons: Text = "") -> dict[str, Any]:
    """Approve or refuse (form fields)."""
    return service.facts(_decide(caller, output_id, decision, reasons, seen))


def _decide(caller: Caller, output_id: str, decision: str, reasons: str, seen: str) -> OutputRequest:
    if decision not in ("approve", "refuse"):
        raise ParameterError("a decision must be approve or refuse, got another; choose one")
    return service.decide(caller, output_id, approve=decision == "approve", reasons=reasons, seen=seen)


def _file(output: UploadFile) -> dict[str, Any]:
    return {"filename": output.filename or "output.csv", "content": output.file.read(LARGEST + 1)}


def _mine(request: Request, caller: Caller, written: dict[str, str], wrong: str) -> Response:
    return render(
        request, "output_checks_list.html.j2", status=422 if wrong else 200, outputs=service.all_mine(caller),
        permits=service.own_permits(caller), written=written, wrong=wrong, breaches=service.breaches,
    )  # fmt: skip


def _review(request: Request, caller: Caller, output: OutputRequest, wrong: str, reasons: str) -> Response:
    findings = service.present_findings(caller, output)
    sender = caller.session.get(Person, output.person_id)
    return render(
        request, "output_checks_review.html.j2", status=422 if wrong else 200, output=output, findings=findings,
        seen=service.digest(findings), breaches=service.breaches(findings), sender=sender, wrong=wrong,
        reasons=reasons, tables=service.tables_of(caller, output), rules=service.RULES, shown=SHOWN_CELLS,
    )  # fmt: skip


def _sent(output: OutputRequest, content: bytes) -> Response:
    # The name is the hub's own: an uploaded name could mislead the browser.
    ending = "zip" if content[:2] == b"PK" else "csv"
    headers = {"Content-Disposition": f'attachment; filename="output-{output.id[:8]}.{ending}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)
