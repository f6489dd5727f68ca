"""The auditor's page: filters, verification, kept heads, export; who may, and hostile input."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from hub.audit.log import record
from hub.audit.offline import verify_export
from hub.deployment import Deployment
from hub.people.roles import Role

Opened = Callable[..., Any]
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def auditor(log: Deployment, browser: Opened) -> Any:
    return browser(Role.AUDITOR)


def test_the_page_lists_entries_and_filters_them(auditor: Any) -> None:
    assert "thing:30" in auditor.get("/audit?action=thing").text
    page = auditor.get("/audit?subject=thing:7").text
    assert "thing:7" in page
    assert "thing:30" not in page
    assert "No entry fits" in auditor.get("/audit?since=2030-01-01").text
    assert "thing:7" in auditor.get("/audit?since=2026-11-25&until=2026-11-25&subject=thing:7").text
    assert "No entry fits" in auditor.get("/audit?until=2026-11-24").text


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "' OR 1=1", "9999-12-31", "0001-01-01"])
def test_hostile_days_are_told_at_the_form(auditor: Any, day: str) -> None:
    assert auditor.get("/audit", params={"since": day, "until": day}).status_code in (200, 422)


@pytest.mark.parametrize("text", ["' OR '1'='1", "%", "_", "\\", "'; DROP TABLE audit_entries; --"])
def test_filters_are_values_and_not_patterns(auditor: Any, text: str) -> None:
    for name in ("actor", "action", "subject"):
        assert "No entry fits" in auditor.get("/audit", params={name: text}).text


def test_pages_of_entries_follow_each_other(hub: Deployment, auditor: Any) -> None:
    with hub.database.write() as session:
        for number in range(100):
            record(session, now=hub.clock(), actor="system", action="many.made", subject=f"many:{number}")
    seen, before = [], None
    while True:
        found = auditor.api(
            "GET", "/audit/entries", params={"action": "many"} | ({"before": before} if before else {})
        ).json()
        seen += [item["subject"] for item in found["items"]]
        if (before := found["before"]) is None:
            break
    assert seen == [f"many:{number}" for number in reversed(range(100))]


def test_verification_tells_that_all_is_well(auditor: Any) -> None:
    page = auditor.get("/audit/verification")
    assert page.status_code == 200
    assert "nothing was changed" in page.text
    assert auditor.api("GET", "/audit/verification").json()["intact"] is True


def test_verification_tells_where_the_log_was_changed(auditor: Any, tampered: Callable[..., Any]) -> None:
    tampered("UPDATE audit_entries SET at = 'yesterday', detail = '{', actor = '<b>' WHERE number = 7")
    page = auditor.get("/audit/verification").text
    assert "<strong>7</strong>" in page
    assert "not intact" in page
    listed = auditor.get("/audit?subject=thing:7")
    assert listed.status_code == 200
    assert "yesterday" in listed.text
    assert auditor.api("GET", "/audit/export").status_code == 200


def test_a_head_is_kept_and_checked_against(auditor: Any, tampered: Callable[..., Any]) -> None:
    answer = auditor.get("/audit/heads/20")
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-head-20.json"'
    right = auditor.submit("/audit/verification", files={"kept": ("head.json", answer.content)})
    assert "nothing was changed" in right.text
    tampered("UPDATE audit_heads SET root = '" + "0" * 64 + "' WHERE size = 20")
    assert "not intact" in auditor.submit("/audit/verification", files={"kept": ("head.json", answer.content)}).text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{}", b"[" * 9_000, b"x" * 200_000, HOSTILE.encode()])
def test_a_file_that_is_no_head_is_refused(auditor: Any, content: bytes) -> None:
    answer = auditor.submit("/audit/verification", files={"kept": ("head.json", content)})
    assert answer.status_code == 422
    assert HOSTILE not in answer.text


def test_the_present_state_is_signed_on_demand(hub: Deployment, auditor: Any) -> None:
    assert "The present state is signed." in auditor.submit("/audit/heads").text
    head = auditor.api("GET", "/audit/head").json()
    assert head["head"]["size"] >= 30
    assert auditor.get("/audit/heads/99").status_code == 404


def test_an_export_verifies_elsewhere_and_is_logged(hub: Deployment, auditor: Any) -> None:
    key = auditor.api("GET", "/audit/head").json()["public_key"]
    document = auditor.api("GET", "/audit/export").json()
    assert verify_export(document, key).intact
    assert document["entries"][-1]["action"] == "audit.exported"
    assert verify_export(json.loads(auditor.get("/audit/export").text), key).intact


def test_proofs_are_served_for_signed_heads_only(auditor: Any) -> None:
    proof = auditor.api("GET", "/audit/proofs/inclusion", params={"number": 7, "size": 20})
    assert len(proof.json()["proof"]) == 5
    assert auditor.api("GET", "/audit/proofs/inclusion", params={"number": 21, "size": 20}).status_code == 404
    assert auditor.api("GET", "/audit/proofs/inclusion", params={"number": 1, "size": 19}).status_code == 404
    assert auditor.api("GET", "/audit/proofs/consistency", params={"former": 10, "size": 20}).status_code == 200
    assert auditor.api("GET", "/audit/proofs/consistency", params={"former": 20, "size": 10}).status_code == 404


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.HOLDER, Role.OFFICER, Role.HEAD, Role.CHECKER, Role.OPERATOR])
def test_other_roles_read_nothing(log: Deployment, browser: Opened, role: Role) -> None:
    somebody = browser(role)
    for path in ("/audit", "/audit/verification", "/audit/heads/20", "/audit/export"):
        assert somebody.get(path).status_code == 403
    assert somebody.api("GET", "/audit/export").status_code == 403


def test_the_data_protection_officer_reads_but_does_not_export(log: Deployment, browser: Opened) -> None:
    officer = browser(Role.DPO)
    assert officer.get("/audit").status_code == 200
    assert officer.get("/audit/export").status_code == 403


def test_hostile_text_in_entries_stays_text(hub: Deployment, auditor: Any) -> None:
    with hub.database.write() as session:
        record(session, now=hub.clock(), actor=HOSTILE, action=HOSTILE, subject=HOSTILE, **{HOSTILE: HOSTILE})
    assert HOSTILE not in auditor.get("/audit").text


def test_an_entry_names_the_person(hub: Deployment, people: dict[Role, Any], auditor: Any) -> None:
    with hub.database.write() as session:
        record(session, now=hub.clock(), actor=people[Role.HEAD].id, action="permit.granted", subject="permit:1")
        assert session.execute(sa.text("SELECT count(*) FROM audit_entries")).scalar_one() > 30
    assert "Access-body head" in auditor.get("/audit?action=permit").text
