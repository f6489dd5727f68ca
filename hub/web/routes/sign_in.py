"""Signing in and out, one's account: second factor and access tokens.

Belongs here: forms of one's own identity. Does not belong here: other people's accounts (``operator``).
"""

from datetime import timedelta
from typing import Annotated, Any

import segno
import sqlalchemy as sa
from fastapi import Form, Request
from fastapi.responses import Response

from hub.audit.log import record
from hub.errors import NotFoundError
from hub.people import accounts, second_factor
from hub.people.roles import EVERYONE
from hub.people.sessions import SESSION_COOKIE, SESSION_HOURS, end_session, issue_token, open_session
from hub.people.tables import AccessToken
from hub.web.access import PUBLIC, PageCaller, Routes
from hub.web.pages import redirect, render, set_cookie
from records.errors import ParameterError

routes = Routes("sign-in")
Text = Annotated[str, Form(max_length=300)]


@routes.page("/sign-in", roles=PUBLIC)
def sign_in_page(request: Request, caller: PageCaller, next: str = "/") -> Response:
    """The form."""
    return render(request, "sign_in.html.j2", next=next, failed=False)


@routes.form("/sign-in", roles=PUBLIC)
def sign_in(
    request: Request, caller: PageCaller, email: Text, password: Text, code: Text = "", next: Text = "/"
) -> Response:  # fmt: skip
    """Check the proof of identity and open a session."""
    address = request.client.host if request.client else ""
    person = accounts.sign_in(
        caller.session, now=caller.now, email=email, password=password, code=code, address=address
    )  # fmt: skip
    if person is None:
        return render(request, "sign_in.html.j2", status=401, next=next, failed=True)
    answer = redirect(request, _local(next))
    secret = open_session(caller.session, person, caller.now)
    set_cookie(answer, caller.hub, SESSION_COOKIE, secret, seconds=SESSION_HOURS * 3600)
    return answer


@routes.form("/sign-out", roles=EVERYONE)
def sign_out(request: Request, caller: PageCaller) -> Response:
    """End this browser's session."""
    end_session(caller.session, request.cookies.get(SESSION_COOKIE, ""))
    answer = redirect(request, "/", "You are signed out.")
    answer.delete_cookie(SESSION_COOKIE)
    return answer


@routes.page("/account", roles=EVERYONE)
def account(request: Request, caller: PageCaller) -> Response:
    """Roles, second factor and access tokens."""
    return _account(request, caller)


@routes.form("/account/second-factor", roles=EVERYONE)
def enrol(request: Request, caller: PageCaller, secret: Text, code: Text) -> Response:
    """Turn the second factor on, once the application shows the right code."""
    person = caller.somebody
    if person.totp_secret is not None:
        raise ParameterError("a second factor must be off before it is set, got one that is on; turn it off first")
    person.totp_secret = secret
    if len(secret) != 32 or not second_factor.accept(person, code.strip(), caller.now):
        raise ParameterError("the code must be the one the application shows now, got another; try the next one")
    record(
        caller.session, now=caller.now, actor=person.id, action="person.second_factor_on", subject=f"person:{person.id}"
    )
    return redirect(request, "/account", "The second factor is on.")


@routes.form("/account/second-factor/off", roles=EVERYONE)
def disenrol(request: Request, caller: PageCaller, code: Text) -> Response:
    """Turn the second factor off, with a last code."""
    person = caller.somebody
    if not second_factor.accept(person, code.strip(), caller.now):
        raise ParameterError("the code must be the one the application shows now, got another; try the next one")
    person.totp_secret = None
    record(
        caller.session,
        now=caller.now,
        actor=person.id,
        action="person.second_factor_off",
        subject=f"person:{person.id}",
    )
    return redirect(request, "/account", "The second factor is off.")


@routes.form("/account/tokens", roles=EVERYONE)
def new_token(request: Request, caller: PageCaller, name: Text) -> Response:
    """Make an access token and show it once."""
    person = caller.somebody
    secret = issue_token(caller.session, person, name or "token", caller.now)
    record(caller.session, now=caller.now, actor=person.id, action="token.issued", subject=f"person:{person.id}")
    caller.session.flush()
    return _account(request, caller, secret)


@routes.form("/account/tokens/{token_id}/revoke", roles=EVERYONE)
def revoke_token(request: Request, caller: PageCaller, token_id: str) -> Response:
    """Revoke one's own token."""
    token = caller.session.get(AccessToken, token_id)
    if token is None or token.person_id != caller.somebody.id:
        raise NotFoundError("the token must be one of yours, got another; look at your account's page")
    token.revoked_at = caller.now
    record(caller.session, now=caller.now, actor=token.person_id, action="token.revoked", subject=f"token:{token.id}")
    return redirect(request, "/account", "The token is revoked.")


@routes.call("GET", "/account", roles=EVERYONE)
def who_am_i(caller: PageCaller) -> dict[str, Any]:
    """Whose token this is."""
    person = caller.somebody
    return {"id": person.id, "name": person.name, "email": person.email, "roles": person.roles}


def _account(request: Request, caller: PageCaller, token: str | None = None) -> Response:
    mine = sa.select(AccessToken).where(
        AccessToken.person_id == caller.somebody.id, AccessToken.revoked_at.is_(None),
        AccessToken.expires_at > caller.now - timedelta(days=1),
    )  # fmt: skip
    secret = second_factor.new_secret()
    uri = second_factor.provisioning_uri(secret, caller.somebody.email)
    picture = segno.make(uri).svg_data_uri(scale=4)
    tokens = caller.session.scalars(mine.order_by(AccessToken.created_at)).all()
    return render(request, "account.html.j2", tokens=tokens, token=token, secret=secret, picture=picture)


def _local(path: str) -> str:
    """Only paths of this hub: a link must not send people elsewhere after signing in."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
