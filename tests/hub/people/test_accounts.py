"""Signing in: right and wrong proofs, throttling, second factor, fixation, closing."""

from collections.abc import Callable
from typing import Any

import pytest

from hub.deployment import Deployment
from hub.errors import ThrottledError
from hub.people import accounts, second_factor
from hub.people.passwords import hashed, matches
from hub.people.roles import Role
from hub.people.sessions import SESSION_COOKIE
from records.errors import ParameterError

PASSWORD = "correct horse battery"


def test_a_password_matches_itself_only() -> None:
    stored = hashed(PASSWORD)
    assert matches(PASSWORD, stored)
    assert not matches(PASSWORD + "!", stored)
    assert not matches(PASSWORD, None)
    assert stored != hashed(PASSWORD)


def test_short_passwords_are_refused() -> None:
    with pytest.raises(ParameterError, match="12 to 128"):
        hashed("short")


def test_eight_failures_close_the_door_for_a_quarter_of_an_hour(
    hub: Deployment, people: dict[Role, Any], hub_clock: Any
) -> None:
    def tried(password: str) -> Any:
        with hub.database.write() as session:
            return accounts.sign_in(
                session, now=hub_clock(), email="auditor@example.org", password=password, code="", address="::1"
            )

    for _ in range(accounts.ATTEMPTS):
        assert tried("wrong wrong wrong") is None
    with pytest.raises(ThrottledError):
        tried(PASSWORD)
    hub_clock.forward(minutes=16)
    assert tried(PASSWORD) is not None


def test_a_code_of_the_second_factor_is_accepted_once(hub: Deployment, people: dict[Role, Any], hub_clock: Any) -> None:
    person = people[Role.HEAD]
    person.totp_secret = second_factor.new_secret()
    code = second_factor.code_at(person.totp_secret, hub_clock())
    assert second_factor.accept(person, code, hub_clock())
    assert not second_factor.accept(person, code, hub_clock())
    hub_clock.forward(seconds=90)
    assert not second_factor.accept(person, code, hub_clock())
    assert second_factor.accept(person, second_factor.code_at(person.totp_secret, hub_clock()), hub_clock())


def test_signing_in_replaces_a_planted_session(visitor: Any, people: dict[Role, Any]) -> None:
    visitor.client.cookies.set(SESSION_COOKIE, "planted")
    answer = visitor.submit("/sign-in", email="head@example.org", password=PASSWORD, next="//evil.example")
    assert str(answer.url) == "http://testserver/"
    assert visitor.client.cookies.get(SESSION_COOKIE, domain="testserver.local") != "planted"
    assert visitor.get("/account").status_code == 200


def test_a_form_without_its_token_is_refused(browser: Callable[..., Any]) -> None:
    mine = browser(Role.DEVELOPER)
    assert mine.client.post("/account/tokens", data={"name": "x"}).status_code == 403
    stolen = browser(Role.OFFICER)
    token = stolen.get("/").text.split('name="csrf" value="')[1].split('"')[0]
    assert mine.client.post("/account/tokens", data={"name": "x", "csrf": token}).status_code == 403
    assert mine.submit("/account/tokens", name="x").status_code == 200


def test_cookies_do_not_open_the_api(browser: Callable[..., Any], visitor: Any) -> None:
    mine = browser(Role.DEVELOPER)
    operations = mine.get("/api/openapi.json").json()["paths"]
    assert "/api/v1/account" in operations
    assert mine.client.get("/api/v1/account").status_code == 401
    assert mine.api("GET", "/account").json()["roles"] == ["developer"]


def test_closing_an_account_ends_sessions_and_tokens_at_once(
    hub: Deployment, people: dict[Role, Any], browser: Callable[..., Any], hub_clock: Any
) -> None:
    mine = browser(Role.DEVELOPER)
    assert mine.api("GET", "/account").status_code == 200
    with hub.database.write() as session:
        accounts.close(session, session.merge(people[Role.DEVELOPER]), now=hub_clock(), by="test")
    assert mine.api("GET", "/account").status_code == 401
    assert mine.client.get("/account", follow_redirects=False).status_code == 303


def test_a_session_ends_after_an_idle_hour(browser: Callable[..., Any], hub_clock: Any) -> None:
    mine = browser(Role.DEVELOPER)
    for _ in range(3):
        hub_clock.forward(minutes=50)
        assert mine.client.get("/account", follow_redirects=False).status_code == 200
    hub_clock.forward(minutes=61)
    assert mine.client.get("/account", follow_redirects=False).status_code == 303
