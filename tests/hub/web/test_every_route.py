"""Every route, taken from the OpenAPI document: each role against each, CSRF, headers, hostile text, no 5xx."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings

from hub.deployment import Deployment
from hub.people.roles import Role
from hub.people.sessions import issue_token
from hub.web.application import build
from hub.web.rooms import ROOMS

pytestmark = pytest.mark.slow

UNKNOWN = "00000000-0000-4000-8000-000000000000"
REFUSED = (303, 401, 403)


def operations(application: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in application.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), re.sub(r"{\w+(:path)?}", UNKNOWN, path), operation


def test_every_route_declares_its_roles(hub: Deployment) -> None:
    application = build(hub)
    for _, path, operation in operations(application):
        assert operation.get("x-roles"), path
    routes = sum(len(room.pages.routes) + len(room.api.routes) for room in ROOMS)
    documented = sum(1 for _ in operations(application))
    assert routes == documented, "a route is hidden from the document"


def test_nobody_passes_a_route_of_another_role(hub: Deployment, browser: Callable[..., Any], visitor: Any) -> None:
    application = build(hub)
    everybody = {role.value: browser(role) for role in Role} | {"visitor": visitor}
    tried = 0
    for method, path, operation in operations(application):
        allowed = operation["x-roles"]
        for name, somebody in everybody.items():
            if "public" in allowed or name in allowed:
                continue
            tried += 1
            answer = _asked(somebody, method, path)
            assert answer.status_code in REFUSED, (method, path, name, answer.status_code)
    assert tried > 50


def test_forms_need_the_token_of_their_own_session(hub: Deployment, browser: Callable[..., Any]) -> None:
    application = build(hub)
    everybody = {role.value: browser(role) for role in Role}
    for method, path, operation in operations(application):
        if method == "POST" and not path.startswith("/api/"):
            name = "developer" if "public" in operation["x-roles"] else operation["x-roles"][0]
            answer = everybody[name].client.post(path, data={"csrf": "0" * 64}, follow_redirects=False)
            assert answer.status_code == 403, path


def test_an_unknown_id_is_never_a_server_error(hub: Deployment, browser: Callable[..., Any]) -> None:
    application = build(hub)
    everybody = {role.value: browser(role) for role in Role}
    for method, path, operation in operations(application):
        name = "developer" if "public" in operation["x-roles"] else operation["x-roles"][0]
        answer = _asked(everybody[name], method, path)
        assert answer.status_code < 500, (method, path, answer.text[:300])
        if UNKNOWN in path and method == "GET":
            assert answer.status_code in (404, 410, 303, 422, 403), (path, answer.status_code)


def test_every_answer_carries_the_security_headers(visitor: Any) -> None:
    for path in ("/", "/sign-in", "/static/hub.css", "/nowhere", "/api/v1/health", "/api/v1/nowhere"):
        headers = visitor.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'self'" in headers["content-security-policy"]


def test_pages_have_no_inline_script_or_style(browser: Callable[..., Any], hub: Deployment) -> None:
    everybody = {role.value: browser(role) for role in Role}
    for method, path, operation in operations(build(hub)):
        if method == "GET" and "{" not in path and UNKNOWN not in path and not path.startswith("/api/"):
            name = "developer" if "public" in operation["x-roles"] else operation["x-roles"][0]
            page = everybody[name].get(path).text
            assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style|javascript:", page), path


@pytest.mark.parametrize("role", [None, *Role])
def test_the_document_finds_no_server_error(hub: Deployment, people: Any, role: Role | None) -> None:
    """Schemathesis sends what the document allows, and what it does not, as every role."""
    application = build(hub)
    headers = {}
    if role is not None:
        with hub.database.write() as session:
            headers = {"Authorization": f"Bearer {issue_token(session, people[role], 'fuzz', hub.clock())}"}
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", application)

    for operation in schema.include(path_regex="^/api/").get_all_operations():

        @settings(
            max_examples=8, database=None, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.ok().as_strategy())
        def sent(case: Any) -> None:
            answer = case.call(headers=headers)
            assert answer.status_code < 500, f"{case.method} {case.path}: {answer.status_code}"

        sent()


def _asked(somebody: Any, method: str, path: str) -> Any:
    if path.startswith("/api/v1"):
        options = {} if method == "GET" else {"json": {}}
        return somebody.api(method, path.removeprefix("/api/v1"), **options)
    if method == "GET":
        return somebody.get(path, follow_redirects=False)
    token = re.search(r'name="csrf" value="([^"]+)"', somebody.client.get("/").text)
    assert token is not None
    return somebody.client.post(path, data={"csrf": token[1]}, follow_redirects=False)
