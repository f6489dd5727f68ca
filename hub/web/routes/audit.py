"""The auditor's page and operations: read, verify, keep heads, export.

Belongs here: HTTP. Does not belong here: verification (``hub.audit``).
"""

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import Path, Query, Request, UploadFile
from fastapi.responses import Response, StreamingResponse

from hub.audit import heads, reading
from hub.audit.head import LARGEST_FILE, Head
from hub.audit.log import record
from hub.audit.verify import Verdict
from hub.caller import Caller
from hub.people.roles import Role
from hub.people.tables import Person
from hub.web.access import PageCaller, Routes
from hub.web.pages import redirect, render
from records.errors import ParameterError

READERS = frozenset({Role.AUDITOR, Role.DPO})
AUDITOR = frozenset({Role.AUDITOR})
SHOWN_HEADS = 5
routes = Routes("audit")
Text = Annotated[str, Query(max_length=200)]
Day = Annotated[str, Query(max_length=10)]
Size = Annotated[int, Query(ge=1, le=2**53)]


@routes.page("/audit", roles=READERS)
def audit(
    request: Request, caller: PageCaller, actor: Text = "", action: Text = "", subject: Text = "", since: Day = "",
    until: Day = "", before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:  # fmt: skip
    """Entries by filter, newest first, and the last heads."""
    asked = {"actor": actor, "action": action, "subject": subject, "since": since, "until": until}
    try:
        wanted, wrong = _filter(asked), ""
    except ParameterError as error:
        wanted, wrong = reading.Filter(), str(error)
    found = reading.search(caller.session, wanted, before)
    newer = urlencode({name: value for name, value in asked.items() if value})
    return render(
        request, "audit_log.html.j2", status=422 if wrong else 200, found=found, asked=asked, wrong=wrong,
        names=_names(caller, found), query=newer, heads=heads.recent(caller.session, SHOWN_HEADS),
        public_key=heads.public_key(caller.hub.keys), auditor=caller.has(Role.AUDITOR),
    )  # fmt: skip


@routes.page("/audit/verification", roles=READERS)
def verification(
    request: Request, caller: PageCaller, head: Annotated[str, Query(max_length=LARGEST_FILE)] = ""
) -> Response:
    """Verify now, if asked against a head that was kept."""
    kept = [Head.read(head)] if head else []
    verdict = reading.verified(caller.session, caller.hub.keys, kept)
    return render(
        request, "audit_verification.html.j2", verdict=verdict, kept=kept[0] if kept else None, now=caller.now
    )


@routes.form("/audit/verification", roles=READERS)
async def check_kept(request: Request, caller: PageCaller, kept: UploadFile) -> Response:
    """Read a kept head and verify against it: on a page of its own, since verifying must not hold up writers."""
    head = Head.read(await kept.read(LARGEST_FILE + 1))
    return redirect(request, "/audit/verification?" + urlencode({"head": json.dumps(head.plain())}))


@routes.form("/audit/heads", roles=AUDITOR)
def sign(request: Request, caller: PageCaller) -> Response:
    """Sign the present state at once."""
    made = heads.sign_head(caller.session, caller.hub.keys, caller.now)
    return redirect(request, "/audit#heads", "The present state is signed." if made else "Nothing new could be signed.")


@routes.page("/audit/heads/{size}", roles=READERS)
def keep(caller: PageCaller, size: Annotated[int, Path(ge=1, le=2**53)]) -> Response:
    """A signed head to keep apart from the hub."""
    head = Head.model_validate(heads.of_size(caller.session, size)).plain()
    name = f'attachment; filename="audit-head-{size}.json"'
    return Response(json.dumps(head, indent=1), media_type="application/json", headers={"Content-Disposition": name})


@routes.page("/audit/export", roles=AUDITOR)
def download(caller: PageCaller) -> Response:
    """The whole log as a file, for verification elsewhere."""
    return _exported(caller)


@routes.call("GET", "/audit/export", roles=AUDITOR, response_class=StreamingResponse)
def export(caller: PageCaller) -> Response:
    """The whole log, its heads and the public key."""
    return _exported(caller)


@routes.call("GET", "/audit/entries", roles=READERS)
def entries(
    caller: PageCaller, actor: Text = "", action: Text = "", subject: Text = "", since: Day = "", until: Day = "",
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> dict[str, Any]:  # fmt: skip
    """Entries by filter, newest first; ``before`` continues."""
    wanted = _filter({"actor": actor, "action": action, "subject": subject, "since": since, "until": until})
    found = reading.search(caller.session, wanted, before)
    return {"items": [reading.plain(e) for e in found.entries], "total": found.total, "before": found.before}


@routes.call("GET", "/audit/verification", roles=READERS)
def verify(caller: PageCaller) -> dict[str, Any]:
    """Verify now."""
    return _plain(reading.verified(caller.session, caller.hub.keys))


@routes.call("GET", "/audit/head", roles=READERS)
def newest_head(caller: PageCaller) -> dict[str, Any]:
    """The last signed head, or none."""
    found = heads.newest(caller.session)
    return {
        "head": Head.model_validate(found).plain() if found else None,
        "public_key": heads.public_key(caller.hub.keys),
    }


@routes.call("GET", "/audit/proofs/inclusion", roles=READERS)
def inclusion(caller: PageCaller, number: Size, size: Size) -> dict[str, Any]:
    """The path from entry ``number`` to the signed head of ``size`` (RFC 6962, 2.1.1)."""
    head = heads.of_size(caller.session, size)
    return {"root": head.root, "proof": reading.proof_of(caller.session, number, size)}


@routes.call("GET", "/audit/proofs/consistency", roles=READERS)
def consistency(caller: PageCaller, former: Size, size: Size) -> dict[str, Any]:
    """The proof that one signed head continues another (RFC 6962, 2.1.2)."""
    roots = [heads.of_size(caller.session, one).root for one in (former, size)]
    return {"former_root": roots[0], "root": roots[1], "proof": reading.consistency_of(caller.session, former, size)}


def _exported(caller: Caller) -> Response:
    # Its own transaction, ended before the first byte; reading the log is itself logged.
    caller.session.close()  # one connection a request: two at once could wait for each other
    with caller.hub.database.write() as session:
        record(session, now=caller.now, actor=caller.somebody.id, action="audit.exported", subject="audit:log")
    name = f'attachment; filename="audit-{caller.now:%Y-%m-%d}.json"'
    return StreamingResponse(_parts(caller), media_type="application/json", headers={"Content-Disposition": name})


def _parts(caller: Caller) -> Iterator[str]:
    with caller.hub.database.read() as session:
        yield from reading.export(session, caller.hub.keys, caller.now)


def _filter(asked: dict[str, str]) -> reading.Filter:
    days = {name: _day(asked[name]) for name in ("since", "until")}
    return reading.Filter(asked["actor"].strip(), asked["action"].strip(), asked["subject"].strip(), **days)


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date() if text else None
    except ValueError as error:
        raise ParameterError("a day must be written as 2026-11-25, got another form; choose it again") from error


def _names(caller: Caller, found: reading.Found) -> dict[str, str]:
    """Names of the people on the page; ``system`` and ``visitor`` have none."""
    actors = {entry["actor"] for entry in found.entries}
    known = sa.select(Person.id, Person.name).where(Person.id.in_(actors))
    return {row.id: row.name for row in caller.session.execute(known)}


def _plain(verdict: Verdict) -> dict[str, Any]:
    return {
        "intact": verdict.intact, "size": verdict.size, "heads": verdict.heads, "root": verdict.root,
        "first_wrong": verdict.first_wrong, "last_wrong": verdict.last_wrong, "reason": verdict.reason,
    }  # fmt: skip
