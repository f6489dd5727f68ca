"""The journeys in the browser: wizard, offer, the body's checklist, changes; strangers and hostile text."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from hub.access import offers
from hub.access.form import Kind
from hub.catalogue.tables import Dataset
from hub.people.roles import Role
from tests.hub.access.conftest import form_of
from tests.hub.catalogue.test_healthdcat import record

HOSTILE = "<script>alert(1)</script>\"'{{ 7*7 }}"
CRITERIA = list("abcdefgh")


def begun(developer: Any, kind: str = "synthetic") -> str:
    answer = developer.submit("/catalogue/stroke-copenhagen/request", kind=kind)
    assert answer.status_code == 200, answer.text
    found = re.search(r"/requests/([0-9a-f-]{36})/form/1", answer.text)
    assert found is not None
    return found[1]


def filled(developer: Any, kind: Kind, **changes: Any) -> str:
    request_id = begun(developer, kind)
    form = form_of(kind, **changes).model_dump(mode="json")
    for step in (1, 2, 3, 4):
        fields = {name: "\n".join(v) if name in ("persons", "columns") else v for name, v in form.items() if v}
        answer = developer.submit(f"/requests/{request_id}/form/{step}", go="leave", **fields)
        assert answer.status_code == 200, answer.text
    return request_id


def test_wizard_by_offer_to_the_order(browser: Callable[..., Any], offer: str) -> None:
    developer = browser(Role.DEVELOPER)
    assert "1" in developer.get("/catalogue/stroke-copenhagen/request").text
    request_id = filled(developer, Kind.SYNTHETIC)
    page = developer.get(f"/requests/{request_id}").text
    assert "a standing offer fits" in page
    assert "Estimated fee" in page
    answer = developer.submit(f"/requests/{request_id}/submit")
    assert "/orders/" in str(answer.url)
    page = developer.get(f"/requests/{request_id}").text
    assert "in force" in page
    assert "&#34;Agreement&#34;" in page or '"Agreement"' in page
    assert request_id in developer.get("/requests").text


def test_at_once_is_said_while_an_offer_is_in_force(
    act: Any, people: Any, browser: Callable[..., Any], offer: str
) -> None:
    with act(people[Role.HOLDER]) as caller:
        told = caller.session.get(Dataset, "stroke-copenhagen")
        told.synthetic, told.record = True, record().model_dump(mode="json")
    developer = browser(Role.DEVELOPER)
    assert "synthetic data at once" in developer.get("/catalogue/stroke-copenhagen").text
    with act(people[Role.HOLDER]) as caller:
        offers.withdraw(caller, offer)
    page = developer.get("/catalogue/stroke-copenhagen").text
    assert "synthetic data at once" not in page
    assert ">synthetic data<" in page


def test_completeness_while_writing(browser: Callable[..., Any], dataset: str) -> None:
    developer = browser(Role.DEVELOPER)
    request_id = begun(developer)
    part = developer.submit(f"/requests/{request_id}/check/2", rows="100", formats="csv")
    assert "<html" not in part.text
    assert "Explain the intended use." in part.text
    assert "Say how many rows" not in part.text
    wrong = developer.submit(f"/requests/{request_id}/form/2", rows="many", formats="csv", go="next")
    assert wrong.status_code == 422
    assert 'value="many"' in wrong.text
    assert developer.submit(f"/requests/{request_id}/submit").status_code == 422
    assert developer.get(f"/requests/{request_id}/form/9").status_code == 404


def test_from_application_to_grant_delivery_change_and_revocation(
    browser: Callable[..., Any], second: Callable[..., Any], dataset: str
) -> None:
    developer, officer, head, holder = (
        browser(role) for role in (Role.DEVELOPER, Role.OFFICER, Role.HEAD, Role.HOLDER)
    )
    request_id = filled(developer, Kind.PERMIT)
    assert officer.get(f"/inbox/{request_id}").status_code == 404  # a draft is the applicant's own
    assert developer.submit(f"/requests/{request_id}/submit").status_code == 200
    assert request_id in officer.get("/inbox").text

    def step(who: Any, name: str, status: int = 200, **fields: Any) -> None:
        answer = who.submit(f"/inbox/{request_id}/step", step=name, **fields)
        assert answer.status_code == status, (name, answer.text)

    step(officer, "ask_for_more", 422)
    step(officer, "ask_for_more", words="Which years?")
    assert "Which years?" in developer.get(f"/requests/{request_id}/form/1").text
    developer.submit(f"/requests/{request_id}/submit")
    step(officer, "accept")
    step(officer, "prolong", 422)
    assert "Prolong the period" in officer.get(f"/inbox/{request_id}").text  # the failed step kept nothing
    step(officer, "prolong", words="A difficult case.")
    assert "Prolong the period" not in officer.get(f"/inbox/{request_id}").text
    step(officer, "assess")
    step(officer, "recommend", 422, recommendation="grant", criteria=["a"], words="Fine.")
    step(officer, "recommend", recommendation="grant", criteria=CRITERIA, words="Fine.")
    step(officer, "grant", 403)
    step(head, "grant")
    step(holder, "hand_over")
    step(officer, "deliver")
    assert developer.get(f"/requests/{request_id}/amendment").status_code == 200
    fields = form_of(Kind.PERMIT, tools="Two graphics cards").model_dump(mode="json") | {"persons": "Ada\nGrace"}
    answer = developer.submit(f"/requests/{request_id}/amendment", words="More people.", **fields)
    assert answer.status_code == 200, answer.text
    assert "Grace" in officer.get(f"/inbox/{request_id}").text
    step(officer, "recommend_change", recommendation="grant", words="Fine.")
    step(head, "grant_change")
    step(head, "revoke", 422)
    step(head, "revoke", words="Misuse.")
    page = developer.get(f"/requests/{request_id}").text
    assert "revoked" in page
    assert "Misuse." in page
    assert developer.submit(f"/requests/{request_id}/step", step="appeal", words="No.").status_code == 200


def test_strangers_see_nothing(browser: Callable[..., Any], second: Callable[..., Any], offer: str) -> None:
    developer, stranger = browser(Role.DEVELOPER), browser(second(Role.DEVELOPER))
    made = developer.api("POST", "/requests", json=form_of().model_dump(mode="json")).json()
    for path in (f"/requests/{made['id']}", f"/requests/{made['id']}/amendment", f"/requests/{made['id']}/form/1"):
        assert stranger.get(path).status_code == 404
    for name in ("submit", "step", "amendment", "form/1", "check/1"):
        assert stranger.submit(f"/requests/{made['id']}/{name}", step="withdraw").status_code == 404, name
    assert stranger.api("GET", f"/requests/{made['id']}").status_code == 404
    assert stranger.api("POST", f"/requests/{made['id']}/withdraw").status_code == 404
    assert stranger.api("GET", f"/permits/{made['permit_id']}").status_code == 404
    assert stranger.api("GET", "/requests").json() == []
    assert developer.api("GET", f"/permits/{made['permit_id']}").json()["odrl"]["@type"] == "Agreement"


def test_api_grants_by_offer_and_shows_the_order(browser: Callable[..., Any], offer: str) -> None:
    developer = browser(Role.DEVELOPER)
    body = form_of().model_dump(mode="json", exclude={"purposes"}) | {"purpose": "scientific research"}
    made = developer.api("POST", "/requests", json=body)
    assert made.status_code == 201, made.text
    facts = made.json()
    assert (facts["state"], facts["next_actor"], facts["order"]["state"]) == ("granted", "hub", "queued")
    assert developer.api("POST", "/requests", json=body).json()["id"] == facts["id"]
    assert developer.api("GET", f"/requests/{facts['id']}").json()["order_ids"] == facts["order_ids"]
    offers = developer.api("GET", "/datasets/stroke-copenhagen/offers").json()
    assert [one["id"] for one in offers] == [offer]
    assert developer.api("POST", "/requests", json={"dataset_ids": ["stroke-copenhagen"]}).status_code == 422
    assert developer.api("POST", "/requests", json=body | {"functions": "a\0b"}).status_code == 422


def test_hostile_text_is_shown_as_text(browser: Callable[..., Any], dataset: str) -> None:
    developer, officer = browser(Role.DEVELOPER), browser(Role.OFFICER)
    texts = {
        name: HOSTILE for name, value in form_of(Kind.PERMIT).model_dump().items() if value == "A sufficient answer."
    }
    request_id = filled(developer, Kind.PERMIT, persons=[HOSTILE], **texts)
    developer.submit(f"/requests/{request_id}/submit")
    officer.submit(f"/inbox/{request_id}/step", step="ask_for_more", words=HOSTILE)
    pages = [developer.get(f"/requests/{request_id}/form/{step}").text for step in (1, 2, 3, 4)]
    pages += [developer.get(f"/requests/{request_id}").text, officer.get(f"/inbox/{request_id}").text]
    for page in pages:
        assert "<script>alert" not in page
    assert "{{ 7*7 }}" in pages[-1]


def test_holder_proposes_and_head_approves_in_the_pages(browser: Callable[..., Any], dataset: str) -> None:
    holder, head = browser(Role.HOLDER), browser(Role.HEAD)
    fields: dict[str, Any] = {
        "dataset_id": dataset, "synthesizer": "auto", "epsilon": "1", "max_rows": "500", "purposes": ["e"],
        "formats": ["csv"], "valid_until": "2027-05-31",
    }  # fmt: skip
    for name, value in (("epsilon", "inf"), ("max_rows", "x"), ("valid_until", "soon"), ("purposes", [])):
        assert holder.submit("/holder/offers", **(fields | {name: value})).status_code == 422, name
    assert holder.submit("/holder/offers", **fields).status_code == 200
    found = re.search(r"/inbox/offers/([0-9a-f-]{36})/approve", head.get("/inbox").text)
    assert found is not None
    assert head.submit(f"/inbox/offers/{found[1]}/approve").status_code == 200
    assert "in force" in holder.get("/holder/offers").text
    assert holder.submit(f"/holder/offers/{found[1]}/withdraw").status_code == 200
    assert head.api("GET", f"/datasets/{dataset}/offers").json() == []


@pytest.mark.parametrize("language", ["en", "fi"])
def test_pages_in_both_languages(browser: Callable[..., Any], offer: str, language: str) -> None:
    developer, head, holder = (browser(role) for role in (Role.DEVELOPER, Role.HEAD, Role.HOLDER))
    for one in (developer, head, holder):
        one.client.cookies.set("phaseiv_language", language)
    request_id = begun(developer)
    for path in ("/requests", f"/requests/{request_id}", "/catalogue/stroke-copenhagen/request"):
        assert developer.get(path).status_code == 200
    assert head.get("/inbox").status_code == holder.get("/holder/requests").status_code == 200
