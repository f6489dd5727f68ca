"""Signing in through an OpenID provider.

Belongs here: the two redirects. Does not belong here: the protocol (``people.oidc``).
"""

import hmac
import json
from dataclasses import asdict

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from hub.errors import SignInError
from hub.people.oidc import Attempt, Provider, person_of_claims
from hub.people.sessions import SESSION_COOKIE, SESSION_HOURS, open_session
from hub.web.access import PUBLIC, PageCaller, Routes
from hub.web.pages import redirect, set_cookie

ATTEMPT_COOKIE, ATTEMPT_SECONDS = "phaseiv_oidc", 600
routes = Routes("sign-in")


@routes.page("/oidc/start", roles=PUBLIC)
def start(request: Request, caller: PageCaller) -> Response:
    """To the provider."""
    attempt = Attempt.new()
    provider = Provider(caller.hub.settings, getattr(request.app.state, "oidc_http", None))
    answer = RedirectResponse(provider.address(attempt), 303)
    set_cookie(answer, caller.hub, ATTEMPT_COOKIE, json.dumps(asdict(attempt)), seconds=ATTEMPT_SECONDS)
    return answer


@routes.page("/oidc/callback", roles=PUBLIC)
def callback(request: Request, caller: PageCaller, code: str = "", state: str = "") -> Response:
    """Back from the provider."""
    attempt = _attempt(request)
    if not hmac.compare_digest(attempt.state.encode(), state.encode()):
        raise SignInError("the answer must belong to this browser's sign-in, got another; sign in again")
    provider = Provider(caller.hub.settings, getattr(request.app.state, "oidc_http", None))
    claims = provider.claims(code, attempt)
    with caller.hub.database.write() as session:
        secret = open_session(session, person_of_claims(session, claims, caller.now), caller.now)
    answer = redirect(request, "/")
    answer.delete_cookie(ATTEMPT_COOKIE)
    set_cookie(answer, caller.hub, SESSION_COOKIE, secret, seconds=SESSION_HOURS * 3600)
    return answer


def _attempt(request: Request) -> Attempt:
    try:
        return Attempt(**json.loads(request.cookies[ATTEMPT_COOKIE]))
    except (KeyError, ValueError, TypeError) as error:
        raise SignInError("the sign-in must have begun in this browser, got no trace of it; sign in again") from error
