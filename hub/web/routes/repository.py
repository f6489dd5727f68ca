"""One's data in the temporary repository: list, page with report and countdown, download.

Belongs here: pages and operations on one's own artefacts. Does not belong here: their rules (``repository``).
"""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from hub.caller import Caller
from hub.delivery import orders
from hub.errors import ForbiddenError, GoneError, NotFoundError
from hub.people.roles import Role
from hub.repository import tokens, vault
from hub.repository.ends import OWN, End, end_of, with_ends
from hub.repository.tables import Artefact
from hub.web.access import PageCaller, Routes
from hub.web.headers import REPORT_POLICY
from hub.web.pages import redirect, render

DEVELOPER = frozenset({Role.DEVELOPER})
routes = Routes("repository")
Token = Annotated[str, Query(max_length=200)]


@routes.page("/artefacts", roles=DEVELOPER)
def my_data(request: Request, caller: PageCaller) -> Response:
    """All one's artefacts, newest first."""
    return render(request, "repository_list.html.j2", artefacts=_mine(caller), now=caller.now)


@routes.page("/artefacts/{artefact_id}", roles=DEVELOPER)
def artefact_page(request: Request, caller: PageCaller, artefact_id: str) -> Response:
    """Facts, report, countdown to the earlier of its two ends; 410 with the reason once it has ended."""
    found = tokens.mine(caller, artefact_id)
    end = end_of(caller.session, found)
    gone = found.destroyed_at is not None or end.at <= caller.now
    return render(request, "repository_artefact.html.j2", status=410 if gone else 200, artefact=found, gone=gone, end=end,
                  by_permit=end.reason != OWN, left=end.at - caller.now)  # fmt: skip


@routes.page("/artefacts/{artefact_id}/report", roles=DEVELOPER)
def report(caller: PageCaller, artefact_id: str) -> Response:
    """The evaluation's own page, in a sandbox."""
    found = tokens.mine(caller, artefact_id)
    tokens.must_be_kept(caller, found)
    if found.report is None:
        raise NotFoundError("the report must have come with the data, got none; download the package")
    return HTMLResponse(found.report, headers={"Content-Security-Policy": REPORT_POLICY})


@routes.form("/artefacts/{artefact_id}/token", roles=DEVELOPER)
def begin_download(request: Request, caller: PageCaller, artefact_id: str) -> Response:
    """Make a one-time token and go to the download."""
    return redirect(request, f"/artefacts/{artefact_id}/download?token={tokens.issue(caller, artefact_id)}")


@routes.page("/artefacts/{artefact_id}/download", roles=DEVELOPER)
def download(caller: PageCaller, artefact_id: str, token: Token) -> Response:
    """The package, for a token that was not used before."""
    return _sent(caller, artefact_id, token)


@routes.form("/orders/{order_id}/cancel", roles=DEVELOPER)
def cancel(request: Request, caller: PageCaller, order_id: str) -> Response:
    """Cancel one's order."""
    orders.cancel(caller, order_id)
    return redirect(request, f"/orders/{order_id}", "The order is cancelled.")


@routes.page("/orders/{order_id}", roles=DEVELOPER)
def progress(request: Request, caller: PageCaller, order_id: str) -> Response:
    """How an order comes along; the page refreshes itself."""
    order = orders.mine(caller, order_id)
    part = request.headers.get("hx-request") == "true"
    template = "repository_progress.html.j2" if part else "repository_order.html.j2"
    return render(request, template, order=order, stages=orders.STAGES[order.kind])


@routes.call("GET", "/orders/{order_id}", roles=DEVELOPER)
def order_facts(caller: PageCaller, order_id: str) -> dict[str, Any]:
    """How an order comes along."""
    return orders.facts(orders.mine(caller, order_id))


@routes.call("POST", "/orders/{order_id}/cancel", roles=DEVELOPER)
def cancel_order(caller: PageCaller, order_id: str) -> dict[str, Any]:
    """Cancel one's order."""
    return orders.facts(orders.cancel(caller, order_id))


@routes.call("GET", "/artefacts", roles=DEVELOPER)
def artefact_list(caller: PageCaller) -> list[dict[str, Any]]:
    """One's artefacts, newest first."""
    return [_facts(artefact, end) for artefact, end in _mine(caller)]


@routes.call("GET", "/artefacts/{artefact_id}", roles=DEVELOPER)
def artefact_facts(caller: PageCaller, artefact_id: str) -> dict[str, Any]:
    """One artefact's facts."""
    found = tokens.mine(caller, artefact_id)
    return _facts(found, end_of(caller.session, found))


@routes.call("POST", "/artefacts/{artefact_id}/token", roles=DEVELOPER)
def new_token(caller: PageCaller, artefact_id: str) -> dict[str, Any]:
    """A token for one download."""
    return {"token": tokens.issue(caller, artefact_id), "seconds": int(tokens.VALID.total_seconds())}


@routes.call("GET", "/artefacts/{artefact_id}/download", roles=DEVELOPER, response_class=StreamingResponse)
def api_download(caller: PageCaller, artefact_id: str, token: Token) -> Response:
    """The package."""
    return _sent(caller, artefact_id, token)


def _mine(caller: Caller) -> list[tuple[Artefact, End]]:
    return with_ends(caller.session, Artefact.person_id == caller.somebody.id)


def _sent(caller: Caller, artefact_id: str, token: str) -> Response:
    artefact = _redeemed(caller, artefact_id, token)
    frames: Iterator[bytes] = vault.read(caller.hub, artefact_id)
    headers = {
        "Content-Length": str(artefact.size), "ETag": f'"{artefact.sha256}"',
        "Content-Disposition": f'attachment; filename="{artefact.dataset_id}-{artefact.id[:8]}.zip"',
        "Repr-Digest": f"sha-256=:{_base64(artefact.sha256)}:",  # RFC 9530
    }  # fmt: skip
    return StreamingResponse(frames, media_type="application/zip", headers=headers)


def _redeemed(caller: Caller, artefact_id: str, token: str) -> Artefact:
    """Its own transaction, ended before the first byte: a slow reader must not hold the store. Refusals are logged too."""
    caller.session.close()  # one connection a request: two at once could wait for each other
    try:
        with caller.hub.database.write() as session:
            return tokens.redeem(replace(caller, session=session), artefact_id, token)
    except (ForbiddenError, GoneError, NotFoundError) as error:
        with caller.hub.database.write() as session:
            tokens.refused(replace(caller, session=session), artefact_id, error)
        raise


def _base64(digest: str) -> str:
    return base64.b64encode(bytes.fromhex(digest)).decode()


def _facts(artefact: Artefact, end: End) -> dict[str, Any]:
    gone = artefact.destroyed_at
    return {
        "id": artefact.id, "dataset_id": artefact.dataset_id, "title": artefact.title, "size": artefact.size,
        "sha256": artefact.sha256, "formats": artefact.formats, "facts": artefact.facts,
        "downloads_left": artefact.downloads_left, "created_at": artefact.created_at.isoformat(),
        "expires_at": end.at.isoformat(), "destroyed_at": gone.isoformat() if gone else None,
        "destroyed_reason": artefact.destroyed_reason,
    }  # fmt: skip
