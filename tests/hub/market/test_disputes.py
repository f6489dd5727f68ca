"""Disputes, exclusions, matching by hand, and the settlement of a month: each step leaves the books balanced."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.catalogue.tables import Dataset
from hub.errors import ForbiddenError, GoneError, NotFoundError, StateError
from hub.market import disputes, listings, negotiation, reputation, sanctions, settlement
from hub.market.sharing import Split
from hub.market.tables import Purchase
from hub.money import matching, payouts
from hub.money.accounts import clearing, held, payable, receivable, unmatched
from hub.money.gateway import Receipt
from hub.money.ledger import balance
from hub.money.tables import Invoice
from hub.people.roles import Role
from hub.repository import tokens
from records.errors import ParameterError
from tests.hub.market.conftest import DATASET, Market
from tests.hub.market.test_purchases import owed


@pytest.fixture
def sold(market: Market) -> Purchase:
    """Something that was bought, paid and delivered."""
    bought = market.buy(market.agree(market.list(market.deposit())))
    market.pay(bought)
    return market.now(bought)


def opened(market: Market, sold: Purchase) -> str:
    with market.as_caller(market.buyer) as caller:
        return disputes.open_one(caller, sold.id, "The column age is empty.").id


def test_a_dispute_holds_the_money_and_a_release_frees_it(market: Market, sold: Purchase) -> None:
    found = opened(market, sold)
    market.balanced()
    assert (owed(market, held(market.holder.id)), owed(market, payable(market.holder.id))) == (-10_001, 0)
    with market.as_caller(market.people[Role.OPERATOR]) as caller:
        assert payouts.owed(caller) == {}
    with market.as_caller(market.holder) as caller:
        disputes.answer(caller, found, "It is in the second file.")
    with market.as_caller(market.people[Role.ARBITER]) as caller:
        disputes.release(caller, found, "The data are whole.")
    market.balanced()
    assert (owed(market, held(market.holder.id)), owed(market, payable(market.holder.id))) == (0, -10_001)
    with market.as_caller(market.people[Role.ARBITER]) as caller, pytest.raises(StateError):
        disputes.refund(caller, found, "Again.")


def test_a_refund_credits_the_invoice_and_takes_the_data_back(market: Market, sold: Purchase) -> None:
    found = opened(market, sold)
    with market.as_caller(market.people[Role.ARBITER]) as caller:
        disputes.refund(caller, found, "The data are not what was listed.")
    market.balanced()
    assert market.now(sold).state == "refunded"
    assert owed(market, payable(market.holder.id)) == owed(market, held(market.holder.id)) == 0
    assert owed(market, receivable(market.buyer.id)) == -12_551
    with market.as_caller(market.buyer) as caller, pytest.raises(GoneError):
        tokens.issue(caller, sold.artefact_id or "")
    with market.as_caller(market.people[Role.OPERATOR]) as caller:
        assert payouts.overpaid(caller) == {market.buyer.id: 12_551}
        payouts.refund(caller, market.buyer.id, key="back")
    market.balanced()
    with market.hub.database.read() as session:
        assert (
            reputation.of_holder(session, market.holder.id).disputes,
            reputation.of_holder(session, market.holder.id).lost,
        ) == (1, 1)


def test_a_refund_after_the_payout_makes_the_holder_owe(market: Market, sold: Purchase) -> None:
    market.bills(market.holder, name="Hospital", iban="FI5542345670000081")
    with market.as_caller(market.people[Role.OPERATOR]) as caller:
        payouts.order(caller, key="day")
    found = opened(market, sold)
    with market.as_caller(market.people[Role.ARBITER]) as caller:
        assert disputes.visible(caller, found)[0].held == {}
        disputes.refund(caller, found, "Not what was listed.")
    assert owed(market, payable(market.holder.id)) == 10_001
    market.balanced()


def test_who_may_open_and_decide(market: Market, sold: Purchase, rival: Any, second: Any, hub_clock: Any) -> None:
    with market.as_caller(rival) as caller, pytest.raises(NotFoundError):
        disputes.open_one(caller, sold.id, "x")
    with market.as_caller(market.buyer) as caller, pytest.raises(ParameterError):
        disputes.open_one(caller, sold.id, "  ")
    found = opened(market, sold)
    with market.as_caller(market.buyer) as caller, pytest.raises(StateError):
        disputes.open_one(caller, sold.id, "again")
    with market.as_caller(market.buyer) as caller, pytest.raises(ForbiddenError):
        disputes.refund(caller, found, "for me")
    with market.as_caller(second) as caller, pytest.raises(NotFoundError):
        disputes.answer(caller, found, "x")
    unpaid = market.buy(market.agree(market.list(market.deposit(title="B"), title="B")), "b")
    with market.as_caller(market.buyer) as caller, pytest.raises(StateError):
        disputes.open_one(caller, unpaid.id, "not paid")
    market.pay(unpaid)
    hub_clock.forward(days=91)
    with market.as_caller(market.buyer) as caller, pytest.raises(StateError, match="90 days"):
        disputes.open_one(caller, unpaid.id, "late")


def test_pages_of_a_dispute(market: Market, sold: Purchase, browser: Callable[..., Any]) -> None:
    buyer, arbiter, holder = browser(Role.DEVELOPER), browser(Role.ARBITER), browser(Role.HOLDER)
    page = buyer.submit(f"/market/purchases/{sold.id}/dispute", words="<b>empty</b>")
    assert "&lt;b&gt;empty" in page.text
    path = page.url.path
    assert holder.submit(f"{path}/answer", words="No.").status_code == 200
    assert arbiter.submit(f"{path}/decision", decision="refund", words=" ").status_code == 422
    market.balanced()
    assert "Credit note" in arbiter.submit(f"{path}/decision", decision="refund", words="Empty.").text
    assert browser(Role.OPERATOR).get(path).status_code == 403
    assert "100.01" in browser(Role.OPERATOR).get("/books/settlement?month=2026-11").text
    assert holder.get("/holder/earnings").status_code == 200
    market.balanced()


def excluded(market: Market, person: Any, months: int = 12) -> str:
    head = market.people[Role.HEAD]
    with market.as_caller(head) as caller:
        made = sanctions.notify(caller, person.email, article="63(3)", finding="Tried to re-identify.").id
    with market.as_caller(person) as caller:
        sanctions.state_views(caller, made, "I did not.")
    with market.as_caller(head) as caller:
        sanctions.impose(caller, made, months=months, reasons="The log shows it.")
    return made


def test_an_exclusion_binds_at_once_everywhere(market: Market, sold: Purchase, hub_clock: Any) -> None:
    listing = market.list(market.deposit(title="B"), title="B")
    agreement = market.agree(listing)
    waiting = market.buy(agreement, "waiting")
    made = excluded(market, market.buyer)
    market.balanced()
    assert market.now(waiting).state == "cancelled"
    for step in (
        lambda caller: negotiation.request(caller, listing.id), lambda caller: tokens.issue(caller, sold.artefact_id or ""),
    ):  # fmt: skip
        with market.as_caller(market.buyer) as caller, pytest.raises((ForbiddenError, GoneError)):
            step(caller)
    with market.as_caller(market.people[Role.HEAD]) as caller:
        sanctions.lift(caller, made, "On appeal.")
    with market.as_caller(market.buyer) as caller:
        negotiation.request(caller, listing.id)


def test_an_exclusion_waits_for_views_and_ends_with_its_time(market: Market, hub_clock: Any) -> None:
    head = market.people[Role.HEAD]
    with market.as_caller(head) as caller:
        made = sanctions.notify(caller, market.buyer.email, article="63(3)", finding="Late results.").id
    with market.as_caller(head) as caller, pytest.raises(StateError, match="wait for views"):
        sanctions.impose(caller, made, months=1, reasons="x")
    hub_clock.forward(days=29)
    for months in (0, 61):
        with market.as_caller(head) as caller, pytest.raises(ParameterError):
            sanctions.impose(caller, made, months=months, reasons="x")
    with market.as_caller(head) as caller:
        sanctions.impose(caller, made, months=60, reasons="x")
    with market.hub.database.read() as session, pytest.raises(ForbiddenError, match="excluded"):
        sanctions.must_be_free(session, market.buyer.id, hub_clock())
    hub_clock.forward(days=5 * 366)
    with market.hub.database.read() as session:
        sanctions.must_be_free(session, market.buyer.id, hub_clock())


def test_an_excluded_holders_listings_end(market: Market) -> None:
    listing = market.list(market.deposit())
    excluded(market, market.holder)
    assert market.now(listing).state == "withdrawn"
    with pytest.raises(ForbiddenError):
        market.list(market.deposit())


def test_only_the_head_excludes_and_only_the_person_answers(
    market: Market, rival: Any, browser: Callable[..., Any]
) -> None:
    head = browser(Role.HEAD)
    head.submit("/exclusions", email=rival.email, article="63(3)", finding="A finding.")
    with market.hub.database.read() as session:
        found = session.scalars(sa.select(sanctions.Sanction)).one().id
    assert browser(Role.DEVELOPER).submit(f"/exclusions/{found}/views", words="x").status_code == 404
    assert "A finding." not in browser(Role.DEVELOPER).get("/exclusions").text
    assert (
        browser(Role.OFFICER).submit(f"/exclusions/{found}/decision", decision="impose", words="x").status_code == 403
    )
    assert "A finding." in browser(rival).get("/exclusions").text
    assert browser(rival).submit(f"/exclusions/{found}/views", words="Not so.").status_code == 200
    assert (
        "excluded" in head.submit(f"/exclusions/{found}/decision", decision="impose", months="3", words="Proven.").text
    )


def test_money_without_a_reference_is_matched_by_hand(market: Market, browser: Callable[..., Any]) -> None:
    bought = market.buy(market.agree(market.list(market.deposit())))
    with market.as_caller(market.people[Role.OPERATOR]) as caller:
        invoice = caller.session.get_one(Invoice, bought.invoice_id)
        payouts.receive(
            caller,
            [Receipt("b1", invoice.gross, "EUR", date(2026, 11, 25)), Receipt("b2", 5, "EUR", date(2026, 11, 25))],
        )
        assert [one.cents for one in matching.unknown(caller.session)] == [invoice.gross, 5]
    operator = browser(Role.OPERATOR)
    assert "without a known reference" in operator.get("/books").text
    assert operator.submit("/books/matches", subject="bank:b1", number="RF00").status_code == 404
    assert operator.submit("/books/matches", subject="bank:none", number=invoice.number).status_code == 404
    assert browser(Role.AUDITOR).submit("/books/matches", subject="bank:b1", number=invoice.number).status_code == 403
    operator.submit("/books/matches", subject="bank:b1", number=invoice.number)
    assert market.now(bought).state == "delivered"
    assert (owed(market, unmatched()), owed(market, clearing())) == (-5, 0)
    assert operator.submit("/books/matches", subject="bank:b1", number=invoice.number).status_code == 404
    market.balanced()


def test_the_settlement_agrees_with_the_books(market: Market, second: Any, hub_clock: Any) -> None:
    split = {"utility": "KNN-Shapley", "contributions": {market.holder.id: "2", second.id: "1"}, "commission": "0.1"}
    listing = market.list(market.deposit(), split=split)
    with market.as_caller(second) as caller:
        listings.consent(caller, listing.id)
    agreement = market.agree(listing)
    first, lost = market.buy(agreement, "a"), market.buy(agreement, "b")
    for one in (first, lost):
        market.pay(one)
    with market.as_caller(market.buyer) as caller:
        found = disputes.open_one(caller, lost.id, "Wrong.").id
    hub_clock.forward(days=10)  # in December
    with market.as_caller(market.people[Role.ARBITER]) as caller:
        disputes.refund(caller, found, "Right.")
    with market.hub.database.read() as session:
        november, december = (settlement.settle(session, month) for month in ("2026-11", "2026-12"))
        total = sum(one.earned for one in [*november.rows, *december.rows])
        assert total == 10_001
        assert (
            november.receivable["EUR"] == sum(one.earned for one in november.rows) + november.vat["EUR"] == 2 * 12_551
        )
        assert {one.holder_id: one.earned for one in december.rows} == {
            "hub": -1000,
            market.holder.id: -6001,
            second.id: -3000,
        }
        for holder in (market.holder.id, second.id):
            both = november.of(holder).rows + december.of(holder).rows
            assert sum(one.earned for one in both) == -balance(session, payable(holder)) - balance(
                session, held(holder)
            )
        assert {one.kind: one.times for one in november.uses} == {"purchase": 2, "delivery": 2}
        assert {one.dataset_id for one in november.rows} == {DATASET}
        assert len(settlement.as_csv(november.rows).splitlines()) == 1 + len(november.rows)
        assert november.of(second.id).vat == {}
        assert session.get_one(Dataset, DATASET).holder_id == market.holder.id
    for wrong in ("2026", "2026-13", "2026-1", "x"):
        with market.hub.database.read() as session, pytest.raises(ParameterError):
            settlement.settle(session, wrong)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.decimals(-5, 5, places=3), min_size=1),
    st.integers(0, 10**9), st.decimals(0, "0.3", places=2),
)  # fmt: skip
def test_a_split_divides_every_cent_and_pays_nobody_below_zero(
    contributions: dict[str, Any], cents: int, commission: Any
) -> None:
    if not any(value > 0 for value in contributions.values()):
        with pytest.raises((ParameterError, ValueError)):
            Split(contributions=contributions, commission=commission)
        return
    made = Split(contributions=contributions, commission=commission).divide(cents)
    assert sum(made.values()) == cents
    assert all(part > 0 for part in made.values())
    assert not {name for name, value in contributions.items() if value <= 0} & set(made)
