"""Buying: once, at the right price, within the budget, balanced; races, revocations, and holders that leave."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from hub.caller import Caller
from hub.delivery import orders
from hub.delivery.tables import Order
from hub.deployment import Deployment
from hub.errors import ForbiddenError, GoneError, HubError, NotFoundError, StateError
from hub.market import agreements, budget, fulfilment, goods, listings, purchases
from hub.market.prices import read_price
from hub.market.tables import Debit, Purchase, Use
from hub.money import holds, payouts
from hub.money.accounts import held, income, payable, receivable
from hub.money.ledger import balance
from hub.people.roles import Role
from hub.people.tables import Person
from hub.repository import tokens, vault
from records.accounting import epsilon_to_rho
from records.errors import BudgetError, ParameterError
from tests.hub.market.conftest import BY_BUDGET, DATASET, Market


def owed(market: Market, place: Any) -> int:
    with market.hub.database.read() as session:
        return balance(session, place)


def downloaded(market: Market, purchase: Purchase) -> bytes:
    with market.as_caller(market.buyer) as caller:
        secret = tokens.issue(caller, purchase.artefact_id or "")
        tokens.redeem(caller, purchase.artefact_id or "", secret)
    return b"".join(vault.read(market.hub, purchase.artefact_id or ""))


def test_from_order_to_delivery_the_books_balance(market: Market, second: Any) -> None:
    split = {"utility": "KNN-Shapley", "contributions": {market.holder.id: "2", second.id: "1"}, "commission": "0.1"}
    made = market.deposit()
    listing = market.list(made, split=split)
    with market.as_caller(second) as caller:
        listings.consent(caller, listing.id)
    bought = market.buy(market.agree(listing))
    market.balanced()
    assert (bought.state, bought.cents, bought.artefact_id) == ("invoiced", 10_001, None)
    assert bought.shares == {"hub": 1000, market.holder.id: 6001, second.id: 3000}
    assert owed(market, held(second.id)) == -3000  # earned, but nobody is paid before the buyer has paid
    assert owed(market, payable(second.id)) == 0
    market.pay(bought)
    market.balanced()
    bought = market.now(bought)
    assert bought.state == "delivered"
    assert (owed(market, held(second.id)), owed(market, payable(second.id)), owed(market, income())) == (
        0,
        -3000,
        -1000,
    )
    assert downloaded(market, bought) == market.folder.joinpath("goods.zip").read_bytes()


def test_too_little_money_delivers_nothing(market: Market) -> None:
    bought = market.buy(market.agree(market.list(market.deposit())))
    market.pay(bought, 100)
    assert market.now(bought).state == "invoiced"
    market.balanced()


def test_what_is_free_comes_at_once_without_an_invoice(market: Market) -> None:
    bought = market.buy(market.agree(market.list(market.deposit(), price={"kind": "free"})))
    assert (bought.state, bought.invoice_id) == ("delivered", None)
    assert market.balanced() == 0


def test_sent_twice_is_bought_once(market: Market) -> None:
    agreement = market.agree(market.list(market.deposit()))
    first, again = market.buy(agreement, "same"), market.buy(agreement, "same")
    assert first.id == again.id
    other = market.agree(market.list(market.deposit(title="B"), title="B"))
    with pytest.raises(StateError, match="a key must name one purchase"):
        market.buy(other, "same")
    with pytest.raises(ParameterError):
        market.buy(agreement, "  ")
    assert market.buy(agreement, "another").id != first.id
    market.balanced()


def test_a_buyer_without_billing_details_is_told_and_nothing_is_kept(market: Market, rival: Any) -> None:
    agreement = market.agree(market.list(price=BY_BUDGET), rival)
    with pytest.raises(StateError, match="billing details"):
        market.buy(agreement, buyer=rival, rho="0.1")
    with market.hub.database.read() as session:
        assert session.scalars(sa.select(Purchase)).all() == session.scalars(sa.select(Debit)).all() == []


def test_a_price_by_budget_rises_and_splitting_is_never_cheaper(market: Market) -> None:
    agreement = market.agree(market.list(price=BY_BUDGET))
    prices = [market.buy(agreement, f"k{n}", rho="0.1").cents for n in range(5)]
    assert prices == [10_000, 10_000, 20_000, 30_000, 30_000]  # the third lies half in the dearer step
    whole = read_price(BY_BUDGET).cost(0.5, 0)  # type: ignore[call-arg]
    assert sum(prices) >= whole
    with pytest.raises(BudgetError):
        market.buy(agreement, "more", rho="0.000001")
    market.balanced()
    with market.hub.database.read() as session:
        assert budget.used(session, DATASET, market.hub.clock()) == budget.read_rho("0.5")


@pytest.mark.parametrize("rho", ["0", "-0.1", "nan", "inf", "x", "1e-13", "", None])
def test_a_budget_that_is_no_number_is_refused(market: Market, rho: Any) -> None:
    agreement = market.agree(market.list(price=BY_BUDGET))
    with pytest.raises((ParameterError, BudgetError)):
        market.buy(agreement, rho=rho)
    assert market.balanced() == 0


def race(hub: Deployment, people: list[Person], agreements_of: list[str]) -> list[Exception | None]:
    """Both buy at the same moment, each in a thread and a transaction of their own."""
    outcome: list[Exception | None] = [None] * len(people)
    start = threading.Barrier(len(people), timeout=60)

    def one(n: int) -> None:
        start.wait()
        try:
            with hub.database.write() as session:
                caller = Caller(session, hub.clock(), hub, session.merge(people[n]))
                purchases.place(caller, agreements_of[n], key="race", rho="0.4")
        except Exception as error:
            outcome[n] = error

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


def raced(market: Market, rival: Person) -> int:
    """How many debits there are after the race."""
    listing = market.list(price=BY_BUDGET)
    market.bills(rival, iban="")
    found = [market.agree(listing, one).id for one in (market.buyer, rival)]
    outcome = race(market.hub, [market.buyer, rival], found)
    assert [type(one) for one in outcome if one is not None] == [BudgetError]
    loser = (market.buyer, rival)[0 if outcome[0] else 1]
    assert owed(market, receivable(loser.id)) == 0
    assert market.balanced() == 2  # one invoice and one hold
    with market.hub.database.read() as session:
        return len(session.scalars(sa.select(Debit)).all())


def test_two_buyers_race_for_the_last_of_a_budget(market: Market, rival: Person) -> None:
    assert raced(market, rival) == 1


@pytest.mark.slow
def test_two_buyers_race_for_the_last_of_a_budget_on_postgres(
    on_postgres: Deployment, tmp_path: Any, hub_clock: Any
) -> None:
    from contextlib import contextmanager

    from hub.people import accounts

    with on_postgres.database.write() as session:
        people = {
            role: accounts.create(session, now=hub_clock(), email=f"{role}@example.org", name=role.label,
                                  roles=frozenset({role}), password=None)
            for role in Role
        }  # fmt: skip
        rival = accounts.create(session, now=hub_clock(), email="rival@example.org", name="Rival",
                                roles=frozenset({Role.DEVELOPER}), password=None)  # fmt: skip

    @contextmanager
    def as_caller(person: Person | None) -> Any:
        with on_postgres.database.write() as session:
            yield Caller(session, on_postgres.clock(), on_postgres, session.merge(person) if person else None)

    assert raced(Market(on_postgres, people, as_caller, tmp_path).open(), rival) == 1


def test_an_order_after_a_revocation_is_refused_and_one_before_is_credited(market: Market) -> None:
    made = market.deposit()
    agreement = market.agree(market.list(made))
    bought = market.buy(agreement)
    with market.hub.database.write() as session:
        goods.revoke(session, market.hub, made, "a leak", market.hub.clock())
    assert market.now(bought).state == "cancelled"
    assert owed(market, receivable(market.buyer.id)) == 0
    with pytest.raises(GoneError):
        market.buy(agreement, "late")
    market.pay(bought)  # the money was on its way already
    assert owed(market, receivable(market.buyer.id)) == -market.now(bought).cents - 2550  # VAT 25.5 %
    market.balanced()
    with market.as_caller(market.people[Role.OPERATOR]) as caller:
        assert payouts.refund(caller, market.buyer.id, key="r")[0].cents == 12_551
    market.balanced()


def test_what_was_delivered_of_a_revoked_release_is_destroyed(market: Market) -> None:
    made = market.deposit()
    bought = market.buy(market.agree(market.list(made)))
    market.pay(bought)
    with market.hub.database.write() as session:
        goods.revoke(session, market.hub, made, "a leak", market.hub.clock())
    with pytest.raises(GoneError):
        downloaded(market, market.now(bought))
    market.balanced()


def test_money_for_a_release_revoked_while_the_bank_was_closed_is_given_back(market: Market) -> None:
    """Revoked in the store behind the market's back: delivery looks again."""
    made = market.deposit()
    bought = market.buy(market.agree(market.list(made)))
    with market.hub.database.engine.execution_options(writes=True).begin() as connection:
        connection.execute(sa.update(goods.Goods).where(goods.Goods.id == made).values(revoked_at=market.hub.clock()))
    market.pay(bought)
    assert market.now(bought).state == "cancelled"
    market.balanced()


def test_a_holder_that_leaves_ends_listings_and_open_purchases_but_not_what_was_delivered(market: Market) -> None:
    kept = market.buy(market.agree(market.list(market.deposit())))
    market.pay(kept)
    listing = market.list(market.deposit(title="B"), title="B")
    agreement = market.agree(listing)
    waiting = market.buy(agreement, "waiting")
    with market.as_caller(market.people[Role.OPERATOR]) as caller:
        agreements.end_all(caller, market.holder.id, "the holder has left")
    assert market.now(listing).state == "withdrawn"
    assert market.now(waiting).state == "cancelled"
    with pytest.raises(GoneError):
        market.buy(agreement, "late")
    assert downloaded(market, market.now(kept))
    market.balanced()


def test_a_subscription_ends_with_its_months(market: Market, hub_clock: Any) -> None:
    listing = market.list(market.deposit(), price={"kind": "subscription", "cents": 500})
    bought = market.buy(market.agree(listing), months=2)
    assert bought.cents == 1000
    market.pay(bought)
    bought = market.now(bought)
    assert downloaded(market, bought)
    hub_clock.forward(days=63)
    with pytest.raises(GoneError):
        downloaded(market, bought)


def test_a_service_takes_paid_orders_only_and_gives_failed_ones_back(market: Market) -> None:
    agreement = market.agree(market.list(price={"kind": "per_query", "cents": 700}))
    bought = market.buy(agreement, queries=2)
    with market.as_caller(market.buyer) as caller, pytest.raises(StateError, match="a paid order"):
        fulfilment.order(caller, bought.id, rows=10)
    market.pay(bought)
    with market.as_caller(market.buyer) as caller, pytest.raises(ParameterError):
        fulfilment.order(caller, bought.id, rows=10**7)
    placed = []
    for _ in range(2):
        with market.as_caller(market.buyer) as caller:
            placed.append(fulfilment.order(caller, bought.id, rows=10).id)
    with market.as_caller(market.buyer) as caller, pytest.raises(StateError):
        fulfilment.order(caller, bought.id, rows=10)
    with market.hub.database.write() as session:
        orders.launch(session, placed[0], market.hub.clock())
        orders.begin(session, placed[0], "run", market.hub.clock())
        orders.fail(session, placed[0], "the gate refused the table", market.hub.clock())
    assert market.now(bought).left == 1
    package = market.folder / "goods.zip"
    package.write_bytes(b"x")
    with market.hub.database.write() as session:
        orders.launch(session, placed[1], market.hub.clock())
        orders.begin(session, placed[1], "run", market.hub.clock())
        orders.hand_over(session, market.hub, placed[1], package=package, title="Set", shown={"rows": 10, "epsilon": 1.0},
                         now=market.hub.clock())  # fmt: skip
    done = market.now(bought)
    assert (done.state, downloaded(market, done)) == ("delivered", b"x")
    with market.hub.database.read() as session:
        kinds = list(session.scalars(sa.select(Use.kind).where(Use.purchase_id == bought.id).order_by(Use.id)))
    assert kinds == ["purchase", "order", "order", "delivery"]


def test_bought_budget_becomes_the_epsilon_of_the_order(market: Market) -> None:
    bought = market.buy(market.agree(market.list(price=BY_BUDGET)), rho="0.1")
    market.pay(bought)
    with market.as_caller(market.buyer) as caller:
        placed = fulfilment.order(caller, bought.id, rows=10)
    # The data side takes what was bought, and no more.
    assert epsilon_to_rho(placed.epsilon, 1e-5) == pytest.approx(0.1, rel=1e-6)
    assert epsilon_to_rho(placed.epsilon, 1e-5) <= 0.1
    with market.hub.database.read() as session:
        assert session.get_one(Order, placed.id).purchase_id == bought.id


def test_another_buyer_can_neither_see_nor_use_a_purchase(
    market: Market, rival: Any, browser: Callable[..., Any]
) -> None:
    agreement = market.agree(market.list(market.deposit()))
    bought = market.buy(agreement)
    market.pay(bought)
    bought = market.now(bought)
    stranger = browser(rival)
    for path in (f"/market/purchases/{bought.id}", f"/artefacts/{bought.artefact_id}"):
        assert stranger.get(path).status_code == 404
    assert stranger.api("GET", f"/market/purchases/{bought.id}").status_code == 404
    assert stranger.api("POST", f"/market/agreements/{agreement.id}/purchases", json={"key": "k"}).status_code == 404
    assert stranger.submit(f"/market/purchases/{bought.id}/cancel").status_code == 404
    assert stranger.submit(f"/market/purchases/{bought.id}/dispute", words="x").status_code == 404
    with market.as_caller(rival) as caller, pytest.raises(NotFoundError):
        tokens.issue(caller, bought.artefact_id or "")


def test_an_agreement_that_was_tampered_with_delivers_nothing(market: Market) -> None:
    agreement = market.agree(market.list(market.deposit()))
    document = {**agreement.document, "price": {"kind": "free", "currency": "EUR"}}
    with market.hub.database.engine.execution_options(writes=True).begin() as connection:
        connection.execute(sa.update(type(agreement)).values(document=document))
    with pytest.raises(ForbiddenError):
        market.buy(agreement)


def test_a_buyer_may_cancel_until_payment(market: Market) -> None:
    bought = market.buy(market.agree(market.list(market.deposit())))
    with market.as_caller(market.buyer) as caller:
        purchases.cancel_mine(caller, bought.id)
        assert holds.amount(caller, market.holder.id, f"invoice:{bought.invoice_id}") == 0
    assert owed(market, receivable(market.buyer.id)) == owed(market, payable(market.holder.id)) == 0
    with market.as_caller(market.buyer) as caller, pytest.raises(HubError):
        purchases.cancel_mine(caller, bought.id)
    market.balanced()


def test_pages_of_a_purchase(market: Market, browser: Callable[..., Any]) -> None:
    agreement = market.agree(market.list(price=BY_BUDGET))
    buyer = browser(Role.DEVELOPER)
    page = buyer.submit(f"/market/agreements/{agreement.id}/purchases", key="k", rho="0,1", go="quote")
    assert "100.00" in page.text
    assert buyer.submit(f"/market/agreements/{agreement.id}/purchases", key="k", rho="9").status_code == 422
    page = buyer.submit(f"/market/agreements/{agreement.id}/purchases", key="k", rho="0.1")
    assert "with reference RF" in page.text, __import__("re").sub("<[^>]+>", " ", page.text)
    again = buyer.submit(f"/market/agreements/{agreement.id}/purchases", key="k", rho="0.1")
    assert again.url.path == page.url.path
    assert "Synthetic stroke patients" in buyer.get("/market/purchases").text
    market.balanced()


def test_a_budget_that_was_never_paid_for_comes_back(market: Market, rival: Person, hub_clock: Any) -> None:
    listing = market.list(price=BY_BUDGET)
    agreement = market.agree(listing)
    market.buy(agreement, rho="0.5")
    market.bills(rival)
    other = market.agree(listing, rival)
    with pytest.raises(BudgetError):
        market.buy(other, buyer=rival, rho="0.5")
    hub_clock.forward(days=45)
    with market.as_caller(None) as caller:
        assert purchases.lapse(caller) == 1
    assert market.buy(other, "again", buyer=rival, rho="0.5").cents == 100_000
    market.balanced()


def test_the_holder_reads_its_share_in_words(market: Market, second: Any, browser: Callable[..., Any]) -> None:
    split = {"utility": "KNN-Shapley", "contributions": {market.holder.id: "3", second.id: "1"}, "commission": "0.1"}
    listing = market.list(market.deposit(), split=split)
    with market.as_caller(second) as caller:
        listings.consent(caller, listing.id)
    bought = market.buy(market.agree(listing))
    page = browser(second).get(f"/market/purchases/{bought.id}")
    assert page.status_code == 200
    assert "Your data have 25.0 % of all measured contributions" in page.text
