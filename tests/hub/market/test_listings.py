"""Listings: only what passed the gate, only one's own, only with everybody's consent; terms as ODRL that rdflib reads."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import Graph, Namespace, URIRef

from hub.access.law import PURPOSES, purpose_iri
from hub.errors import ForbiddenError, GoneError, NotFoundError, StateError
from hub.market import goods, listings, shelf
from hub.market.kinds import Kind
from hub.market.listings import Draft
from hub.market.sharing import read_split
from hub.market.tables import Listing
from hub.market.terms import Terms, offer
from hub.people.roles import Role
from hub.web.routes.market_holder import _percent
from records.errors import GateError, ParameterError
from tests.hub.market.conftest import BY_BUDGET, CANDIDATE, DATASET, FIXED, TERMS, Market, packed, verdict

ODRL = Namespace("http://www.w3.org/ns/odrl/2/")


@pytest.mark.parametrize(
    "changes",
    [
        {"gate": {}}, {"gate": verdict(released=False)}, {"gate": verdict(released="yes")}, {"gate": verdict(candidate_sha256="x")},
        {"gate": verdict(candidate_sha256="0" * 64)}, {"kind": Kind.SYNTHESIS},
    ],
)  # fmt: skip
def test_what_the_gate_did_not_pass_is_no_goods(market: Market, changes: dict[str, Any]) -> None:
    with pytest.raises((GateError, ParameterError)):
        market.deposit(**changes)


def test_a_package_without_its_manifest_is_no_goods(market: Market, tmp_path: Any) -> None:
    plain = tmp_path / "real.zip"
    plain.write_bytes(b"age\n61\n")
    with pytest.raises(GateError, match="manifest"):
        market.deposit(package=plain)
    with pytest.raises(GateError, match="very data"):
        market.deposit(package=packed(tmp_path, "1" * 64))


def test_real_data_cannot_be_listed(market: Market) -> None:
    for kind in ("dataset", "real", ""):
        with pytest.raises(ParameterError, match="real data are never sold"):
            market.list(kind=kind)


def test_goods_whose_release_was_revoked_cannot_be_listed_and_listings_end(market: Market) -> None:
    made = market.deposit()
    listing = market.list(made)
    with market.hub.database.write() as session:
        goods.revoke(session, market.hub, made, "a leak was found", market.hub.clock())
    assert market.now(listing).state == "withdrawn"
    with pytest.raises(GoneError, match="revoked"):
        market.list(made)
    with market.as_caller(None) as caller, pytest.raises(GoneError):
        shelf.view(caller, listing.id)


@pytest.mark.parametrize(
    "changes",
    [
        {"price": {"kind": "fixed", "cents": 10.5}}, {"price": {"kind": "fixed", "cents": 1, "currency": "XXX"}},
        {"price": {"kind": "fixed", "cents": -1}}, {"price": {"kind": "per_query", "cents": 5}},
        {"price": BY_BUDGET}, {"terms": TERMS | {"purposes": ["z"]}}, {"terms": TERMS | {"months": 0}}, {"title": ""},
        {"terms": TERMS | {"territory": "MARS"}}, {"frontier": [[1, 2]]}, {"split": {"contributions": {"nobody": 1}}},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(market: Market, changes: dict[str, Any]) -> None:
    made = market.deposit()
    with pytest.raises(ParameterError):
        market.list(made, **changes)


def test_a_budget_below_zero_or_of_another_total_is_refused(market: Market) -> None:
    with pytest.raises(ParameterError):
        market.list(price=BY_BUDGET | {"total_rho": "-1"})
    market.list(price=BY_BUDGET)
    with pytest.raises(ParameterError, match="one budget"):
        market.list(price=BY_BUDGET | {"total_rho": "9"})


def test_another_holder_cannot_list_ones_goods(market: Market, second: Any) -> None:
    made = market.deposit()
    draft = Draft(dataset_id=DATASET, kind=Kind.TABLE, goods_id=made, title="Stolen", terms=TERMS, price=FIXED)
    with market.as_caller(second) as caller, pytest.raises(NotFoundError):
        listings.create(caller, draft)
    with market.as_caller(market.buyer) as caller, pytest.raises(ForbiddenError):
        listings.create(caller, draft)


def test_all_who_earn_must_consent_first(market: Market, second: Any) -> None:
    split = {
        "utility": "KNN-Shapley, k = 5",
        "contributions": {market.holder.id: "3", second.id: "1"},
        "commission": "0.1",
    }
    listing = market.list(market.deposit(), split=split)
    assert listing.state == "draft"
    with market.as_caller(None) as caller, pytest.raises(NotFoundError):
        shelf.view(caller, listing.id)
    with market.as_caller(second) as caller:
        listings.consent(caller, listing.id)
    assert market.now(listing).state == "listed"
    with market.as_caller(second) as caller, pytest.raises(StateError):
        listings.consent(caller, listing.id)
    with market.as_caller(second) as caller:
        listings.withdraw(caller, listing.id)
    assert market.now(listing).state == "withdrawn"


ODD = ("1e999999999", "1e-999999999", "sNaN", "NaN", "Infinity", "-Infinity", "-1", "101", "x", "²")


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_number_in_a_form_is_told_at_it(market: Market, browser: Any, odd: str) -> None:
    form = {"what": market.deposit(), "title": "T", "price": "free", "purposes": "e", "months": "12"}
    holder = browser(Role.HOLDER)
    for name in ("commission", "months") if odd != "101" else ("commission",):
        answer = holder.submit("/holder/market", **form | {name: odd})
        assert answer.status_code == 422, name
        assert 'role="alert"' in answer.text
    stated = {"contributions": {market.holder.id: "1"}, "commission": odd}
    assert holder.submit("/holder/market", **form, split=json.dumps(stated)).status_code == 422
    draft = {
        "dataset_id": DATASET,
        "kind": "synthesis",
        "title": "T",
        "terms": TERMS,
        "price": {"kind": "free"},
        "split": stated,
    }
    assert holder.api("POST", "/market/listings", json=draft).status_code == 422


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999999999", "-1e999"])
def test_a_commission_that_is_no_finite_number_is_refused(market: Market, browser: Any, number: str) -> None:
    draft = {"dataset_id": DATASET, "kind": "synthesis", "title": "T", "terms": TERMS, "price": {"kind": "free"},
             "split": {"contributions": {market.holder.id: "1"}, "commission": 7}}  # fmt: skip
    content, holder = json.dumps(draft).replace(": 7}", f": {number}}}"), browser(Role.HOLDER)
    answer = holder.api("POST", "/market/listings", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422


@given(st.text(max_size=30) | st.decimals().map(str) | st.decimals(0, 30, places=12).map(str))
def test_a_percentage_is_read_or_refused(text: str) -> None:
    with suppress(ParameterError):  # also above what the hub may keep
        part = _percent(text) / 100
        assert read_split({"contributions": {"a": "1"}, "commission": str(part)}).commission == part


def test_search_facets_and_comparison(market: Market) -> None:
    table = market.list(market.deposit())
    service = market.list(price=BY_BUDGET, title="Synthesis of strokes", frontier=[[0.5, 0.6], [2, 0.75]])
    with market.as_caller(None) as caller:
        found = shelf.search(caller.session, "STRÓKE")
        assert {one.id for one in found.items} == {table.id, service.id}
        assert found.facets["kind"] == {"synthetic_table": 1, "synthesis": 1}
        assert [one.id for one in shelf.search(caller.session, "", {"price": "by_budget"}).items] == [service.id]
        assert shelf.search(caller.session, "100% nothing_").total == 0
        views = shelf.compare(caller, [table.id, service.id, "unknown", table.id])
        assert [one.listing.id for one in views] == [table.id, service.id]
        prices = [(one.epsilon, one.accuracy, one.cents) for one in views[1].points]
        assert [one[:2] for one in prices] == [(0.5, 0.6), (1.0, 0.71), (2.0, 0.75)]
        assert prices[0][2] < prices[1][2] < prices[2][2]  # type: ignore[operator]
        assert views[1].budget_left == 0.5


def test_an_offer_is_odrl_that_an_rdf_library_reads(market: Market, browser: Any) -> None:
    listing = market.list(market.deposit())
    answer = browser(Role.DEVELOPER).get(f"/market/listings/{listing.id}/offer")
    assert answer.headers["content-type"].startswith("application/ld+json")
    graph = Graph().parse(data=answer.text, format="json-ld")
    node = URIRef(listings.offer_id(listing))
    assert (node, ODRL.assigner, URIRef(f"urn:uuid:{market.holder.id}")) in graph
    permission = graph.value(node, ODRL.permission)
    operands = {
        (graph.value(c, ODRL.leftOperand), graph.value(c, ODRL.operator))
        for c in graph.objects(permission, ODRL.constraint)
    }
    assert operands == {(ODRL.purpose, ODRL.isAnyOf), (ODRL.elapsedTime, ODRL.lteq), (ODRL.spatial, ODRL.isAnyOf)}
    assert URIRef(purpose_iri("e")) in set(graph.objects())
    duty = graph.value(permission, ODRL.duty)
    assert graph.value(duty, ODRL.action) == ODRL.attribute
    assert ODRL.distribute in {graph.value(p, ODRL.action) for p in graph.objects(node, ODRL.prohibition)}


@given(
    st.sets(st.sampled_from(sorted(PURPOSES)), min_size=1), st.integers(1, 120), st.booleans(),
    st.sampled_from(["EU", "EEA", "WORLD"]),
)  # fmt: skip
def test_terms_always_make_offers_of_the_same_shape(
    purposes: set[str], months: int, redistribution: bool, territory: Any
) -> None:
    terms = Terms(purposes=tuple(purposes), months=months, redistribution=redistribution, territory=territory)
    made = offer("urn:x", terms, assigner="urn:y", price=FIXED, split={})
    assert json.loads(json.dumps(made)) == json.loads(json.dumps(made))
    actions = [one["action"] for one in made["permission"]]
    assert actions == (["use", "distribute"] if redistribution else ["use"])
    assert ("distribute" in [one["action"] for one in made["prohibition"]]) is not redistribution
    assert all(set(rule) <= {"action", "constraint", "duty"} for rule in [*made["permission"], *made["prohibition"]])


def test_a_listing_shows_no_markup_of_its_writer(market: Market, browser: Any) -> None:
    listing = market.list(market.deposit(), title="<script>alert(1)</script>", description="<b>x</b>")
    page = browser(Role.DEVELOPER).get(f"/market/listings/{listing.id}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert CANDIDATE in page
    assert isinstance(market.now(listing), Listing)
