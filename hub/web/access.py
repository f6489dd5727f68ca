"""Who may call a route: declared with the route, denied otherwise, and written into the OpenAPI document.

Belongs here: from a request to a ``Caller``, the role check and the CSRF check. Does not belong here: checks on single
objects, which the rooms make.
"""

import hmac
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from fastapi.security import HTTPBearer
from sqlalchemy.orm import Session

from hub.caller import Caller
from hub.deployment import Deployment
from hub.errors import ForbiddenError
from hub.people.roles import Role
from hub.people.sessions import SESSION_COOKIE, person_of_token, web_session
from hub.people.tables import Person, WebSession

PUBLIC: frozenset[Role] | None = None
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"
VISIT_COOKIE = "phaseiv_visit"
SEEN_EVERY = timedelta(minutes=1)
READING = ("GET", "HEAD", "OPTIONS")
bearer = HTTPBearer(auto_error=False, description="An access token from your account's page.")


def deployment(request: Request) -> Deployment:
    """The hub that serves this request."""
    return request.app.state.hub


async def turn(request: Request) -> AsyncIterator[None]:
    """Wait without holding a thread or a connection: a request holds its connection while it waits for a thread."""
    async with request.app.state.turns:
        yield


def caller(
    request: Request, hub: Annotated[Deployment, Depends(deployment)],
    _turn: Annotated[None, Depends(turn, scope="function")],
) -> Iterator[Caller]:  # fmt: skip
    """The caller in a transaction that is committed before the answer is sent; reading requests write nothing."""
    database, now = hub.database, hub.clock()
    with (database.read if request.method in READING else database.write)() as session:
        found = Caller(session, now, hub, request.state.person(session, now))
        request.state.caller = found
        yield found


def by_cookie(request: Request, hub: Annotated[Deployment, Depends(deployment)]) -> None:
    """Pages know people by their session cookie."""
    secret = request.cookies.get(SESSION_COOKIE)
    request.state.visit = request.cookies.get(VISIT_COOKIE) or secrets.token_urlsafe(32)
    request.state.csrf = csrf_of(hub, secret or request.state.visit)

    def known(session: Session, now: datetime) -> Person | None:
        if (found := web_session(session, secret, now)) is None:
            return None
        if now - found[0].seen_at > SEEN_EVERY:
            _seen(hub, None if request.method in READING else session, found[0].digest, now)
        return found[1]

    request.state.person = known


def csrf_of(hub: Deployment, secret: str) -> str:
    """The token that forms of a session, or of a visitor's browser, must carry."""
    return hmac.digest(hub.keys.master, b"csrf:" + secret.encode(), "sha256").hex()


def _seen(hub: Deployment, session: Session | None, digest: str, now: datetime) -> None:
    change = sa.update(WebSession).where(WebSession.digest == digest).values(seen_at=now)
    if session is not None:
        session.execute(change)
        return
    with hub.database.write() as writing:
        writing.execute(change)


def by_token(request: Request, token: Annotated[Any, Depends(bearer)]) -> None:
    """The API knows people by an access token only, so that no foreign page can use a browser's cookies."""
    request.state.person = partial(_by_token, token and token.credentials)


def _by_token(secret: str | None, session: Session, now: datetime) -> Person | None:
    return person_of_token(session, secret, now)


PageCaller = Annotated[Caller, Depends(caller, scope="function")]
ApiCaller = PageCaller


async def same_origin(request: Request) -> None:
    """Forms must carry the session's secret (double submission), or come from a visitor's own cookie.

    Raises
    ------
    ForbiddenError
        The field or header is missing or wrong.
    """
    expected = request.state.csrf
    sent = request.headers.get(CSRF_HEADER) or (await request.form()).get(CSRF_FIELD)
    if not (isinstance(sent, str) and hmac.compare_digest(sent.encode(), expected.encode())):
        raise ForbiddenError(
            "a form must be sent from the hub's own page, got no valid token; reload and send it again"
        )


class Routes:
    """Routes of one room; each names the roles that may call it (``PUBLIC``: everybody)."""

    def __init__(self, tag: str) -> None:
        self.pages = APIRouter(tags=[tag], dependencies=[Depends(by_cookie)])
        self.api = APIRouter(prefix="/api/v1", tags=[tag], dependencies=[Depends(by_token)])

    def page(self, path: str, *, roles: frozenset[Role] | None, **options: Any) -> Callable[..., Any]:
        """A page (GET)."""
        return self.pages.get(path, **_declared(roles, {"response_class": HTMLResponse, **options}))

    def form(self, path: str, *, roles: frozenset[Role] | None, **options: Any) -> Callable[..., Any]:
        """What a form posts to; checks the CSRF token."""
        declared = _declared(roles, {"response_class": HTMLResponse, **options})
        declared["dependencies"].insert(0, Depends(same_origin))
        return self.pages.post(path, **declared)

    def call(self, method: str, path: str, *, roles: frozenset[Role] | None, **options: Any) -> Callable[..., Any]:
        """An operation of the REST API, under ``/api/v1``."""
        return self.api.api_route(path, methods=[method], **_declared(roles, options))


def _declared(roles: frozenset[Role] | None, options: dict[str, Any]) -> dict[str, Any]:
    named = ["public"] if roles is None else sorted(roles)
    extra = {"x-roles": named} | options.pop("openapi_extra", {})
    dependencies = [*options.pop("dependencies", [])]
    if roles is not None:
        dependencies.insert(0, Depends(_allowed(roles)))
    return options | {"openapi_extra": extra, "dependencies": dependencies}


def _allowed(roles: frozenset[Role]) -> Callable[[Caller], None]:
    def check(found: PageCaller) -> None:
        found.must_have(*sorted(roles))

    return check
