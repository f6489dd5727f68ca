"""Register, report, complaints, opting out, incidents and results in the real application."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.access.law import PUBLICATION
from hub.access.tables import Permit, Request, RequestEvent, TrustedHolder
from hub.audit.tables import Entry
from hub.caller import Caller
from hub.deployment import Deployment
from hub.duties import activity, complaints, incidents, opting_out, register, results
from hub.duties.tables import Complaint, Incident, OptOut
from hub.errors import ThrottledError
from hub.people.roles import Role
from hub.people.tables import Attempt
from records.errors import ParameterError

IDENTIFIER = "131052-308T"  # an example of the Digital and Population Data Services Agency, nobody's
SCRIPT = "<script>alert(1)</script>"
INCIDENT = {"nature": "A laptop was lost", "consequences": "None known", "measures": "Keys changed", "risk": "risk"}


@pytest.fixture
def requests(hub: Deployment, people: Any) -> list[str]:
    """Granted, refused, undecided and a draft."""
    now, owner = hub.clock(), people[Role.DEVELOPER].id
    common = {"person_id": owner, "kind": "synthetic", "dataset_ids": ["stroke"], "created_at": now, "updated_at": now,
              "form": {"purposes": ["e"], "intended_use": "a trade secret"}}  # fmt: skip
    with hub.database.write() as session:
        made = [
            Request(state="granted", submitted_at=now, decided_at=now, publish_by=PUBLICATION.end(now, hub.holidays), justification="All is right.", fee={"total": 120},
                    delivered_at=now + timedelta(days=2), **common),
            Request(state="refused", submitted_at=now, decided_at=now, publish_by=PUBLICATION.end(now, hub.holidays), justification="Advertising.", **common),
            Request(state="submitted", submitted_at=now, justification="not yet public", **common),
            Request(state="draft", **common),
        ]  # fmt: skip
        session.add_all(made)
        session.flush()
        permit = Permit(request_id=made[0].id, person_id=owner, dataset_ids=["stroke"], kind="synthetic", odrl={},
                        valid_from=now, valid_until=now + timedelta(days=30))  # fmt: skip
        session.add(permit)
        session.flush()
        made[0].permit_id = permit.id
        return [r.id for r in made]


def test_the_register_shows_what_the_law_names(requests: list[str], visitor: Any) -> None:
    page = visitor.get("/register").text
    for request_id, shown in zip(requests, (True, True, True, False), strict=True):
        assert (request_id[:8] in page) is shown
    assert "All is right." in page
    assert "Advertising." in page
    assert "not yet public" not in page
    assert "trade secret" not in page
    found = visitor.api("GET", "/register").json()
    assert found["total"] == 3
    assert {i["decision"] for i in found["items"]} == {"granted", "refused", "open"}
    assert visitor.get("/register?page=9").status_code == 200
    assert visitor.get("/register?page=0").status_code == 422


def test_a_decision_is_due_after_thirty_working_days(hub: Deployment, requests: list[str]) -> None:
    with hub.database.read() as session:
        line = register.line(session, session.get_one(Request, requests[0]))
    # Wednesday 25 November 2026 and six weeks of five working days, with four holidays: 24 and 25 December, 1 and 6 January.
    assert line.due == datetime(2027, 1, 12, 23, 59, 59, 999999, UTC)


def test_the_activity_report_counts(hub: Deployment, requests: list[str], visitor: Any) -> None:
    with hub.database.read() as session:
        now = hub.clock()
        figures = activity.report(session, now - timedelta(days=1), now + timedelta(days=1), now, hub.holidays)
        empty = activity.report(session, now + timedelta(days=1), now + timedelta(days=2), now, hub.holidays)
    by_name = {f.name: f.value for f in figures}
    assert by_name["Applications and requests submitted"] == 3
    assert (by_name["Permits issued"], by_name["Refused"]) == (1, 1)
    assert by_name["Revenues in euros"] == 120
    assert by_name["Average days from application to access"] == 2
    assert {f.point for f in figures} == set("abcdefghijk")
    assert {f.name: f.value for f in empty}["Applications and requests submitted"] == 0
    assert visitor.get("/activity-report").status_code == 200
    assert "Permits issued,1" in visitor.get("/activity-report.csv").text
    assert len(visitor.api("GET", "/activity-report").json()["figures"]) == len(figures)
    for wrong in ("start=2027-01-01&end=2026-01-01", "end=9999-12-31", "start=x"):
        assert visitor.get(f"/activity-report?{wrong}").status_code == 422


def test_a_complaint_from_lodging_to_decision(hub: Deployment, visitor: Any, browser: Callable[..., Any]) -> None:
    page = visitor.submit("/complaints/new", about="data", words=f"Words {SCRIPT}", contact="a@example.org").text
    number, code = re.findall(r"<dd><code>([^<]+)</code></dd>", page)
    assert number == "C-2026-00001"
    assert visitor.submit("/complaints/follow", number=number, code="wrong").status_code == 404
    assert "received" in visitor.submit("/complaints/follow", number=number, code=code).text
    with hub.database.read() as session:
        complaint = session.scalars(sa.select(Complaint)).one()
        assert code not in complaint.secret
    dpo = browser(Role.DPO)
    assert SCRIPT not in dpo.get("/duties").text
    here = f"/duties/complaints/{complaint.id}"
    assert dpo.submit(here, state="decided", words="").status_code == 422
    assert browser(Role.OPERATOR).submit(here, state="decided", words="x").status_code == 403
    assert dpo.submit(here, state="in progress", words="We look into it.").status_code == 200
    assert dpo.submit(here, state="decided", words="You are right.").status_code == 200
    assert dpo.submit(here, state="decided", words="Again.").status_code == 409
    told = visitor.submit("/complaints/follow", number=number, code=code).text
    assert "We look into it." in told
    assert "You are right." in told


def test_a_complaint_on_opting_out_is_passed_on(hub: Deployment, visitor: Any) -> None:
    visitor.submit("/complaints/new", about="opt-out", words="It does not work")
    with hub.database.read() as session:
        assert session.scalars(sa.select(Complaint)).one().state == "transmitted"
    wrong = visitor.submit("/complaints/new", about="nothing", words="Kept words")
    assert wrong.status_code == 422
    assert "Kept words" in wrong.text


def test_opting_out_stores_no_identifier(hub: Deployment, visitor: Any, browser: Callable[..., Any]) -> None:
    assert "registered" in visitor.submit("/opt-out", national_id=IDENTIFIER, choice="out").text
    visitor.submit("/opt-out", national_id=f" {IDENTIFIER.lower()} ", choice="out")
    stored = b"".join(p.read_bytes() for p in hub.settings.home.glob("hub.db*"))
    assert IDENTIFIER.encode() not in stored
    assert IDENTIFIER.lower().encode() not in stored
    operator = browser(Role.OPERATOR)
    found = operator.api("POST", "/opt-outs/export").json()
    assert found == {"count": 1, "pseudonyms": [opting_out.pseudonym(hub, IDENTIFIER)]}
    body = {"pseudonyms": [found["pseudonyms"][0], "0" * 64]}
    assert operator.api("POST", "/opt-outs/matching", json=body).json()["pseudonyms"] == found["pseudonyms"]
    assert browser(Role.DPO).api("POST", "/opt-outs/export").status_code == 403
    visitor.submit("/opt-out", national_id=IDENTIFIER, choice="in")
    assert operator.api("POST", "/opt-outs/export").json()["count"] == 0
    visitor.submit("/opt-out", national_id=IDENTIFIER, choice="out")
    with hub.database.read() as session:
        assert session.scalars(sa.select(OptOut)).one().withdrawn_at is None
        told = [e for e in session.scalars(sa.select(Entry)) if e.action.startswith("opt_out.")]
    assert {e.action for e in told} == {"opt_out.registered", "opt_out.withdrawn", "opt_out.exported"}
    assert not any(found["pseudonyms"][0] in str(e.detail) + e.subject + e.actor for e in told)


def test_a_mistake_does_not_repeat_the_identifier(visitor: Any) -> None:
    answer = visitor.submit("/opt-out", national_id="131052_308T!", choice="out")
    assert answer.status_code == 422
    assert "131052" not in answer.text
    assert visitor.submit("/opt-out", national_id=IDENTIFIER, choice="x").status_code == 422


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=st.from_regex(r"[0-9]{6}-[0-9]{3}[A-Z]", fullmatch=True), two=st.from_regex(r"[0-9]{6}-[0-9]{3}[A-Z]", fullmatch=True))  # fmt: skip
def test_pseudonyms_tell_people_apart_and_nothing_else(hub: Deployment, one: str, two: str) -> None:
    first, second = opting_out.pseudonym(hub, one), opting_out.pseudonym(hub, two)
    assert (first == second) == (one == two)
    assert one not in first


def test_pseudonyms_of_another_hub_differ(hub: Deployment) -> None:
    from dataclasses import replace

    other = replace(hub, keys=replace(hub.keys, master=bytes(range(32))))
    assert opting_out.pseudonym(hub, IDENTIFIER) != opting_out.pseudonym(other, IDENTIFIER)


def test_the_clock_of_72_hours(hub: Deployment, browser: Callable[..., Any], hub_clock: Any) -> None:
    dpo = browser(Role.DPO)
    aware = (hub.clock() - timedelta(hours=10)).strftime("%Y-%m-%dT%H:%M")
    assert dpo.submit("/duties/incidents", aware_at=aware, persons="30", **INCIDENT).status_code == 200
    assert "62 hours left" in dpo.get("/duties/incidents").text
    with hub.database.read() as session:
        incident = session.scalars(sa.select(Incident)).one()
    assert incident.notify_by - incident.aware_at == timedelta(hours=72)
    here = f"/duties/incidents/{incident.id}"
    assert dpo.submit(f"{here}/close").status_code == 409
    hub_clock.forward(hours=63)
    dpo = browser(Role.DPO)
    assert dpo.submit(f"{here}/notify").status_code == 422
    assert dpo.submit(f"{here}/notify", delay_reason="The extent was unclear.").status_code == 200
    assert dpo.submit(f"{here}/notify", delay_reason="Again.").status_code == 409
    assert browser(Role.OPERATOR).submit(f"{here}/close").status_code == 403
    assert dpo.submit(f"{here}/close").status_code == 200
    assert dpo.submit(f"{here}/close").status_code == 409


@pytest.mark.parametrize("wrong", [{"aware_at": "2099-01-01T00:00"}, {"aware_at": "x"}, {"persons": "-1"}, {"risk": "none"},
                                   {"nature": " "}])  # fmt: skip
def test_mistakes_in_an_incident_keep_the_words(browser: Callable[..., Any], wrong: dict[str, str]) -> None:
    fields = {"aware_at": "2026-11-25T10:00", "persons": "", **INCIDENT} | wrong
    answer = browser(Role.DPO).submit("/duties/incidents", **fields)
    assert answer.status_code == 422
    assert "Keys changed" in answer.text


def test_an_incident_cannot_lie_ahead(as_caller: Any, people: Any, hub: Deployment) -> None:
    with as_caller(people[Role.DPO]) as caller, pytest.raises(ParameterError, match="must not lie ahead"):
        incidents.report(caller, aware_at=hub.clock() + timedelta(seconds=1), persons=None, **INCIDENT)


def test_results_are_owed_after_the_end_and_published_in_the_register(
    hub: Deployment, requests: list[str], browser: Callable[..., Any], visitor: Any, hub_clock: Any
) -> None:
    def states() -> list[str]:
        with hub.database.read() as session:
            return [r.state for r in results.reminders(session, hub.clock(), hub.holidays)]

    assert states() == []
    hub_clock.forward(days=31)
    assert states() == ["due"]
    hub_clock.forward(days=30 * 16)
    assert states() == ["soon"]
    hub_clock.forward(days=100)
    assert states() == ["late"]
    assert browser(Role.DPO).api("GET", "/reminders").json()[0]["state"] == "late"
    developer = browser(Role.DEVELOPER)
    told = {"request_id": requests[0], "kind": "publication", "title": f"A paper {SCRIPT}"}
    assert developer.submit("/my-results", address="javascript:alert(1)", **told).status_code == 422
    assert (
        developer.submit("/my-results", **(told | {"request_id": requests[1]}), address="https://x.eu").status_code
        == 404
    )
    assert developer.submit("/my-results", address="https://doi.org/10.1/x", **told).status_code == 200
    assert states() == []
    page = visitor.get("/register").text
    assert "https://doi.org/10.1/x" in page
    assert SCRIPT not in page


@pytest.mark.parametrize("language", ["en", "fi"])
def test_every_page_in_both_languages(requests: list[str], browser: Callable[..., Any], language: str) -> None:
    for who, paths in {
        Role.DPO: ("/duties", "/duties/incidents", "/transparency", "/activity-report", "/register"),
        Role.DEVELOPER: ("/my-results", "/my-outputs", "/opt-out", "/complaints/new", "/complaints/follow"),
        Role.CHECKER: ("/output-checks",),
    }.items():
        somebody = browser(who)
        for path in paths:
            assert somebody.get(path, headers={"accept-language": language}).status_code == 200, path


def test_objections_are_limited_by_address_and_by_person(
    hub: Deployment, visitor: Any, browser: Callable[..., Any], hub_clock: Any
) -> None:
    most = opting_out.INTAKE.most
    for number in range(most):
        # Mistakes count as well: nobody may try identifiers through.
        wrong = number % 2 == 0
        answer = visitor.submit("/opt-out", national_id="x" if wrong else f"131052-{number:03d}T", choice="out")
        assert answer.status_code == (422 if wrong else 200)
    late = visitor.submit("/opt-out", national_id=IDENTIFIER, choice="out")
    assert late.status_code == 429
    assert late.headers["retry-after"] == "3600"
    assert "wait 60 minutes" in late.text
    assert "<form" in late.text
    assert IDENTIFIER not in late.text
    assert visitor.get("/opt-out").status_code == 200
    with hub.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(OptOut)) == most // 2
    assert browser(Role.DPO).submit("/opt-out", national_id=IDENTIFIER, choice="in").status_code == 429, "same address"
    assert visitor.submit("/sign-in", email="dpo@example.org", password="correct horse battery").status_code == 200
    hub_clock.forward(hours=1)
    assert visitor.submit("/opt-out", national_id=IDENTIFIER, choice="out").status_code == 200


def test_objections_of_one_person_or_account_are_limited_at_any_address(
    hub: Deployment, as_caller: Any, people: Any
) -> None:
    most = opting_out.INTAKE.most
    for number in range(most):
        with as_caller(None) as caller:
            opting_out.opt_out(caller, IDENTIFIER, address=f"2001:db8::{number}")
    with as_caller(None) as caller, pytest.raises(ThrottledError):
        opting_out.opt_in(caller, IDENTIFIER, address="2001:db8::ffff")
    for number in range(most):
        with as_caller(people[Role.DPO]) as caller:
            opting_out.opt_out(caller, f"131052-{number:03d}T", address=f"2001:db8:1::{number}")
    with as_caller(people[Role.DPO]) as caller, pytest.raises(ThrottledError):
        opting_out.opt_out(caller, "131052-999T", address="2001:db8:2::1")
    with hub.database.read() as session:
        stored = session.scalars(sa.select(Attempt.key)).all()
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in stored)


@pytest.mark.parametrize("store", ["hub", "on_postgres"])
def test_complaints_at_once_get_numbers_of_their_own(
    store: str, request: pytest.FixtureRequest, hub_clock: Any
) -> None:
    used: Deployment = request.getfixturevalue(store)
    gate, failures = threading.Barrier(8, timeout=60), list[Exception]()

    def lodge() -> None:
        try:
            gate.wait()
            for _ in range(3):
                with used.database.write() as session:
                    caller = Caller(session, used.clock(), used)
                    complaints.lodge(caller, about="data", words="It happened", contact="")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=lodge) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with used.database.read() as session:
        assert sorted(session.scalars(sa.select(Complaint.number))) == [f"C-2026-{n:05d}" for n in range(1, 25)]
    hub_clock.forward(days=365)
    with used.database.write() as session:
        made, _ = complaints.lodge(Caller(session, used.clock(), used), about="data", words="It happened", contact="")
        assert made.number == "C-2027-00001"


def test_numbers_go_on_from_complaints_that_were_counted_otherwise(hub: Deployment, as_caller: Any) -> None:
    with as_caller(None) as caller:
        caller.session.add(Complaint(number="C-2026-00001", secret="", about="data", words="x", contact="", steps=[],
                                     lodged_at=caller.now))  # fmt: skip
    with as_caller(None) as caller:
        assert complaints.lodge(caller, about="data", words="y", contact="")[0].number == "C-2026-00002"


def test_measures_are_public_with_their_reason(hub: Deployment, requests: list[str], visitor: Any, people: Any) -> None:
    assert "No measure was taken." in visitor.get("/measures").text
    with hub.database.write() as session:
        permit = session.scalars(sa.select(Permit)).one()
        permit.revoked_at, permit.revoked_reason = hub.clock(), f"Re-identification {SCRIPT}"
    page = visitor.get("/measures").text
    assert "Re-identification" in page
    assert SCRIPT not in page
    assert people[Role.DEVELOPER].name in page
    (told,) = visitor.api("GET", "/measures").json()
    assert (told["article"], told["request"], told["dataset_ids"]) == ("63(3)", requests[0][:8], ["stroke"])
    assert "/measures" in visitor.get("/transparency").text


def test_commitments_are_computed(
    hub: Deployment, requests: list[str], people: Any, browser: Callable[..., Any]
) -> None:
    decided = hub.clock()
    handed = [
        ("in time", requests[0], 80, False),
        ("late", requests[1], 100, False),
        ("prolonged", requests[2], 100, True),
    ]
    with hub.database.write() as session:
        for _, request_id, days, prolonged in handed:
            session.get_one(Request, request_id).decided_at = decided
            steps = [("prolong", 20)] * prolonged + [("hand_over", days)]
            session.add_all(
                RequestEvent(
                    request_id=request_id, at=decided + timedelta(days=n), actor_id="h", step=step, state="received"
                )
                for step, n in steps
            )
        waiting = session.get_one(Request, requests[3])
        waiting.clock, waiting.deadline = "holder_delivery", decided
        session.add(TrustedHolder(person_id=people[Role.HOLDER].id, designated_by="x", designated_at=decided))
    with hub.database.read() as session:
        later = decided + timedelta(days=365)
        figures = {f.name: (f.point, f.value) for f in activity.report(session, decided, later, later, hub.holidays)}
    assert figures["Data handed over by holders in time"] == ("b", 2)
    assert figures["Data handed over by holders late"] == ("b", 1)
    assert figures["Data not handed over by holders in time, still open"] == ("b", 1)
    assert figures["Permits revoked"] == ("b", 0)
    assert figures["Trusted data holders designated"] == ("f", 1)
    assert figures["Signed heads of the audit log"] == ("d", 0)
    assert figures["Engagement with stakeholders"] == ("f", None)


def test_holders_find_their_requests(browser: Callable[..., Any]) -> None:
    assert 'href="/holder/requests"' in browser(Role.HOLDER).get("/holder").text
