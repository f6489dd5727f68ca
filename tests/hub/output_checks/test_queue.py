"""The queue in the real application: four eyes, states, other people's ids, new findings by other releases."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from hub.access import permits
from hub.access.tables import Permit, Request
from hub.audit.tables import Entry
from hub.deployment import Deployment
from hub.output_checks.tables import OutputRequest
from hub.people import accounts
from hub.people.roles import Role

SAFE = b"region,F,M\nN,20,30\nS,40,41\n"
SMALL = b"region,F,M\nN,20,3\nS,40,41\n"
REASONS = "The cell is too small; join the regions."


@pytest.fixture
def permit(people: Any, as_caller: Any) -> str:
    return permit_of(people[Role.DEVELOPER], as_caller)


def permit_of(person: Any, as_caller: Any, kind: str = "permit") -> str:
    """A signed permit on the stroke data, for research and teaching, for a year."""
    with as_caller(person) as caller:
        asked = Request(person_id=person.id, kind=kind, dataset_ids=["stroke"], form={"purposes": ["d", "e"]},
                        state="granted", created_at=caller.now, updated_at=caller.now)  # fmt: skip
        caller.session.add(asked)
        caller.session.flush()
        return permits.issue(caller, asked, months=12).id


def hand_in(somebody: Any, permit: str, content: bytes = SAFE, description: str = "Counts by region") -> Any:
    files = {"output": ("../../evil.csv", io.BytesIO(content), "text/csv")}
    return somebody.submit("/my-outputs", files=files, permit_id=permit, description=description)


def newest(hub: Deployment) -> OutputRequest:
    with hub.database.read() as session:
        return session.scalars(sa.select(OutputRequest).order_by(OutputRequest.submitted_at.desc())).first()  # type: ignore[return-value]


def decide(checker: Any, output: OutputRequest, decision: str, reasons: str = "") -> Any:
    page = checker.get(f"/output-checks/{output.id}").text
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen is not None
    return checker.submit(f"/output-checks/{output.id}/decide", decision=decision, reasons=reasons, seen=seen[1])


def test_from_upload_to_download(hub: Deployment, browser: Callable[..., Any], permit: str) -> None:
    developer, checker = browser(Role.DEVELOPER), browser(Role.CHECKER)
    assert hand_in(developer, permit).status_code == 200
    output = newest(hub)
    assert (output.filename, output.findings, output.state) == ("evil.csv", [], "waiting")
    with hub.database.read() as session:
        stored = session.scalar(sa.select(OutputRequest.content))
    assert stored is not None
    assert SAFE not in stored
    assert developer.submit(f"/my-outputs/{output.id}/download").status_code == 403
    assert "Counts by region" in checker.get("/output-checks").text
    assert decide(checker, output, "approve").status_code == 200
    answer = developer.submit(f"/my-outputs/{output.id}/download")
    assert answer.content == SAFE
    assert "evil" not in answer.headers["content-disposition"]
    with hub.database.read() as session:
        told = [e.action for e in session.scalars(sa.select(Entry)) if e.action.startswith("output.")]
    assert told == ["output.submitted", "output.approved", "output.downloaded"]


def test_a_breach_needs_reasons_and_a_refused_output_stays(
    hub: Deployment, browser: Callable[..., Any], permit: str
) -> None:
    developer, checker = browser(Role.DEVELOPER), browser(Role.CHECKER)
    hand_in(developer, permit, SMALL)
    output = newest(hub)
    assert "region = N, column = M" in developer.get(f"/my-outputs/{output.id}").text
    assert decide(checker, output, "approve").status_code == 422
    assert newest(hub).state == "waiting"
    assert decide(checker, output, "refuse", "no").status_code == 422
    assert decide(checker, output, "refuse", REASONS).status_code == 200
    assert developer.submit(f"/my-outputs/{output.id}/download").status_code == 403
    assert REASONS in developer.get(f"/my-outputs/{output.id}").text
    seen = {"seen": "0" * 64, "decision": "approve", "reasons": REASONS}
    assert checker.submit(f"/output-checks/{output.id}/decide", **seen).status_code == 409


def test_nobody_checks_or_sees_the_wrong_output(
    hub: Deployment, browser: Callable[..., Any], permit: str, people: Any
) -> None:
    hand_in(browser(Role.DEVELOPER), permit)
    output = newest(hub)
    with hub.database.write() as session:
        other = accounts.create(session, now=hub.clock(), email="other@example.org", name="Other", password=None,
                                roles=frozenset({Role.DEVELOPER}))  # fmt: skip
        both = session.merge(people[Role.DEVELOPER])
        both.roles = ["developer", "checker"]
    stranger = browser(other)
    assert stranger.get(f"/my-outputs/{output.id}").status_code == 404
    assert stranger.submit(f"/my-outputs/{output.id}/download").status_code == 404
    assert stranger.api("GET", f"/outputs/{output.id}").status_code == 404
    assert hand_in(stranger, permit).status_code == 404
    own = browser(both)
    assert own.get(f"/output-checks/{output.id}").status_code == 404
    assert own.api("GET", "/output-checks").json() == []


def test_two_outputs_that_are_safe_alone(
    hub: Deployment, browser: Callable[..., Any], permit: str, hub_clock: Any
) -> None:
    """The second's difference to the first is few people: found when it is decided, not only when it came."""
    developer, checker = browser(Role.DEVELOPER), browser(Role.CHECKER)
    hand_in(developer, permit, b"region,F,M\nN,20,30\nS,40,41\n")
    first = newest(hub)
    hub_clock.forward(minutes=1)
    hand_in(developer, permit, b"region,F,M\nN,21,30\nS,40,41\n")
    second = newest(hub)
    assert second.findings == []
    page = checker.get(f"/output-checks/{second.id}").text
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen is not None
    decide(checker, first, "approve")
    late = checker.submit(f"/output-checks/{second.id}/decide", decision="approve", reasons="", seen=seen[1])
    assert late.status_code == 409
    assert "differencing" in checker.get(f"/output-checks/{second.id}").text


def tampered(hub: Deployment, permit: str, **changes: Any) -> None:
    """Change a stored permit past the application."""
    with hub.database.write() as session:
        session.execute(sa.update(Permit).where(Permit.id == permit).values(**changes))


def test_a_permit_that_was_revoked(hub: Deployment, browser: Callable[..., Any], permit: str) -> None:
    developer = browser(Role.DEVELOPER)
    hand_in(developer, permit)
    tampered(hub, permit, revoked_at=hub.clock())
    assert hand_in(developer, permit).status_code == 410
    output = newest(hub)
    assert decide(browser(Role.CHECKER), output, "approve").status_code == 410
    assert newest(hub).state == "waiting"
    assert decide(browser(Role.CHECKER), output, "refuse", REASONS).status_code == 200


def test_an_approved_output_stays_in_once_the_permit_is_over(
    hub: Deployment, browser: Callable[..., Any], permit: str, hub_clock: Any
) -> None:
    hand_in(browser(Role.DEVELOPER), permit)
    output = newest(hub)
    assert decide(browser(Role.CHECKER), output, "approve").status_code == 200
    hub_clock.forward(days=370)
    late = browser(Role.DEVELOPER)
    assert late.submit(f"/my-outputs/{output.id}/download").status_code == 410
    assert late.api("POST", f"/outputs/{output.id}/download").status_code == 410
    assert hand_in(late, permit).status_code == 410


@pytest.mark.parametrize("kind", ["synthetic", "nothing", ""])
def test_other_kinds_of_permits_give_no_outputs(
    hub: Deployment, browser: Callable[..., Any], people: Any, as_caller: Any, kind: str
) -> None:
    derived = permit_of(people[Role.DEVELOPER], as_caller, "synthetic")
    tampered(hub, derived, kind=kind)
    assert hand_in(browser(Role.DEVELOPER), derived).status_code == 403


def test_the_signed_agreement_decides_and_not_the_stored_columns(
    hub: Deployment, browser: Callable[..., Any], permit: str, people: Any, as_caller: Any, hub_clock: Any
) -> None:
    developer = browser(Role.DEVELOPER)
    derived = permit_of(people[Role.DEVELOPER], as_caller, "synthetic")
    tampered(hub, derived, kind="permit")  # the agreement still says "derive"
    assert hand_in(developer, derived).status_code == 403
    hand_in(developer, permit)
    decide(browser(Role.CHECKER), newest(hub), "approve")
    output = newest(hub)
    for changes in ({"dataset_ids": ["stroke", "other"]}, {"dataset_ids": []}, {"odrl": {}}):
        tampered(hub, permit, **changes)
        assert hand_in(developer, permit).status_code == 403, changes
    assert developer.submit(f"/my-outputs/{output.id}/download").status_code == 403
    lasting = permit_of(people[Role.DEVELOPER], as_caller)
    tampered(hub, lasting, valid_until=hub.clock() + timedelta(days=3000))
    hub_clock.forward(days=400)
    assert hand_in(browser(Role.DEVELOPER), lasting).status_code == 403


def test_a_purpose_that_was_not_granted(hub: Deployment, browser: Callable[..., Any], permit: str) -> None:
    with hub.database.write() as session:
        session.execute(sa.update(Request).values(form={"purposes": ["e", "a"]}))
    assert hand_in(browser(Role.DEVELOPER), permit).status_code == 403


@pytest.mark.parametrize("content", [b"PK\x03\x04x", b"a,b\nx,y\n", b"\xff"])
def test_a_mistake_keeps_what_was_written(browser: Callable[..., Any], permit: str, content: bytes) -> None:
    answer = hand_in(browser(Role.DEVELOPER), permit, content, "Kept words")
    assert answer.status_code == 422
    assert "Kept words" in answer.text


def test_hostile_labels_are_shown_as_text(hub: Deployment, browser: Callable[..., Any], permit: str) -> None:
    script = "<script>alert(1)</script>"
    hand_in(browser(Role.DEVELOPER), permit, f"r,F,M\n{script},20,3\nS,40,41\n".encode(), script)
    output = newest(hub)
    for who, path in ((Role.CHECKER, "/output-checks/"), (Role.DEVELOPER, "/my-outputs/")):
        assert script not in browser(who).get(path + output.id).text


def test_the_api_does_the_same(browser: Callable[..., Any], permit: str) -> None:
    developer, checker = browser(Role.DEVELOPER), browser(Role.CHECKER)
    form = {"permit_id": permit, "description": "By the API"}
    made = developer.api("POST", "/outputs", data=form, files={"output": ("a.csv", SAFE)}).json()
    seen = checker.api("GET", f"/output-checks/{made['id']}").json()["seen"]
    answer = checker.api("POST", f"/output-checks/{made['id']}/decision", data={"decision": "approve", "seen": seen})
    assert answer.json()["state"] == "approved"
    assert developer.api("POST", f"/outputs/{made['id']}/download").content == SAFE
    assert developer.api("GET", "/outputs").json()[0]["state"] == "approved"
