"""Both budgets: what the data side would refuse is refused before money moves, and an answered question costs nothing again."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from assets.market import told_budgets
from assets.workspace import Workspace
from hub.budget import BudgetLedger
from hub.delivery import orders
from hub.market import agreements, budget, cohort_budget, fulfilment, purchases, shelf
from hub.market.prices import read_price
from hub.market.tables import Agreement, Debit, Purchase
from hub.people.roles import Role
from records.accounting import epsilon_to_rho, rho_to_epsilon
from records.errors import BudgetError
from tests.hub.market.conftest import BY_BUDGET, DATASET, Market, packed
from use_cases.registry import discover

DELTA = 1e-5
FREE = {"kind": "per_query", "cents": 100}


def told(market: Market, total: float, spent: float = 0.0) -> None:
    with market.hub.database.write() as session:
        cohort_budget.tell(
            session, DATASET, total_rho=total, spent_rho=spent, delta=DELTA, now=market.hub.clock()
        )  # fmt: skip


def left(market: Market) -> float:
    with market.hub.database.read() as session:
        found = cohort_budget.standing(session, DATASET, market.hub.clock())
    assert found is not None
    return found.left


def test_what_the_data_side_has_not_is_not_sold(market: Market) -> None:
    agreement = market.agree(market.list(price=BY_BUDGET))  # the market has 0.5
    told(market, 0.3, 0.05)
    market.buy(agreement, "a", rho="0.2")
    assert left(market) == pytest.approx(0.05, abs=1e-6)
    booked = market.balanced()
    with pytest.raises(BudgetError, match="data side"):
        market.buy(agreement, "b", rho="0.1")
    with market.hub.database.read() as session:
        assert [one.key for one in session.scalars(sa.select(Purchase))] == ["a"]
        assert len(session.scalars(sa.select(Debit)).all()) == 1
    assert market.balanced() == booked
    market.buy(agreement, "c", rho="0.04")


def test_the_holders_own_limit_holds_beside_it(market: Market) -> None:
    agreement = market.agree(market.list(price=BY_BUDGET))
    told(market, 5.0)
    with pytest.raises(BudgetError):
        market.buy(agreement, rho="0.6")


def test_without_a_word_from_the_data_side_the_market_decides_alone(market: Market) -> None:
    assert market.buy(market.agree(market.list(price=BY_BUDGET)), rho="0.4").state == "invoiced"


def test_a_cancelled_purchase_reserves_nothing(market: Market) -> None:
    agreement = market.agree(market.list(price=BY_BUDGET))
    told(market, 0.2)
    bought = market.buy(agreement, "a", rho="0.2")
    assert left(market) == pytest.approx(0, abs=1e-6)
    with market.as_caller(market.buyer) as caller:
        purchases.cancel_mine(caller, bought.id)
    assert left(market) == pytest.approx(0.2)


def budgets(market: Market) -> tuple[float, float]:
    """What is left in the market and on the data side."""
    with market.hub.database.read() as session:
        return float(budget.left(session, DATASET, read_price(BY_BUDGET), market.hub.clock())), left(market)  # type: ignore[arg-type]


@pytest.mark.parametrize("end", ["unpaid", "unasked", "made", "failed", "open"])
def test_what_an_agreement_reserved_and_nobody_spent_is_free_after_its_end(market: Market, end: str) -> None:
    agreement = market.agree(market.list(price=BY_BUDGET))
    told(market, 0.4)
    bought = market.buy(agreement, rho="0.2")
    assert budgets(market) == pytest.approx((0.3, 0.2))
    if end != "unpaid":
        market.pay(bought)
    if end in ("made", "failed", "open"):
        with market.as_caller(market.buyer) as caller:
            placed = fulfilment.order(caller, bought.id, rows=10)
        with market.hub.database.write() as session:
            orders.begin(session, placed.id, "run", market.hub.clock())
            if end == "failed":
                orders.fail(session, placed.id, "a line broke", market.hub.clock())
            if end == "made":
                orders.hand_over(session, market.hub, placed.id, package=packed(market.folder), title="T", shown={},
                                 now=market.hub.clock())  # fmt: skip
    market.hub.clock.forward(days=400)  # type: ignore[attr-defined]
    spent = 0.0 if end in ("unpaid", "unasked") else 0.2  # noisy answers may have been seen
    assert budgets(market) == pytest.approx((0.5 - spent, 0.2 if end == "open" else 0.4))


def test_an_agreement_that_ended_early_reserves_nothing(market: Market) -> None:
    agreement = market.agree(market.list(price=BY_BUDGET))
    told(market, 0.4)
    market.pay(market.buy(agreement, rho="0.2"))
    with market.as_caller(None) as caller:
        agreements.end(caller, caller.session.get_one(Agreement, agreement.id), "over")
    assert budgets(market) == pytest.approx((0.5, 0.4))


def test_an_answered_question_costs_nothing_again(market: Market) -> None:
    """Orders of one epsilon draw on the same noisy answers: reserved once, spent once, and sold on when nothing is left."""
    agreement = market.agree(market.list(price=FREE, service={"epsilon": 1.0}))
    rho = epsilon_to_rho(1.0, DELTA)
    told(market, 1.5 * rho)
    first = market.buy(agreement, "a", queries=2)
    market.buy(agreement, "b", queries=5)  # the same question
    assert left(market) == pytest.approx(0.5 * rho)
    market.pay(first)
    with market.as_caller(market.buyer) as caller:
        placed = fulfilment.order(caller, first.id, rows=10)
    with market.hub.database.write() as session:
        orders.begin(session, placed.id, "run", market.hub.clock())
        orders.hand_over(session, market.hub, placed.id, package=packed(market.folder), title="T", shown={},
                         now=market.hub.clock())  # fmt: skip
    told(market, 1.5 * rho, rho)  # the data side has debited it
    assert left(market) == pytest.approx(0.5 * rho)
    assert market.buy(agreement, "c", queries=1).state == "invoiced"
    dearer = market.agree(market.list(price=FREE, service={"epsilon": 2.0}, title="Dearer"))
    with pytest.raises(BudgetError, match="data side"):
        market.buy(dearer, "d")


def test_the_data_sides_delta_counts(market: Market) -> None:
    """An epsilon that was bought at one delta costs the data side by its own."""
    agreement = market.agree(market.list(price=BY_BUDGET, service={"delta": 1e-6}))
    told(market, 1.0)
    market.buy(agreement, rho="0.1")
    assert 1.0 - left(market) == pytest.approx(epsilon_to_rho(rho_to_epsilon(0.1, 1e-6), DELTA), abs=1e-6)


def test_the_data_side_tells_what_its_ledger_has(market: Market, tmp_path: Path) -> None:
    workspace, use_cases = Workspace(tmp_path), discover()
    stroke = use_cases["stroke"]
    assert told_budgets(workspace, market.hub, use_cases) == 1
    assert left(market) == pytest.approx(stroke.budget_rho)
    BudgetLedger(workspace.ledger_url).debit(
        "copenhagen", rho=0.25, total_rho=stroke.budget_rho, epsilon=1.0, delta=stroke.delta, question="q"
    )
    assert told_budgets(workspace, market.hub, use_cases) == 1
    assert told_budgets(workspace, market.hub, use_cases) == 0  # nothing is new
    assert left(market) == pytest.approx(stroke.budget_rho - 0.25)


def test_the_listing_shows_both(market: Market, browser: Any) -> None:
    listing = market.list(price=BY_BUDGET)
    told(market, 0.3, 0.1)
    with market.as_caller(None) as caller:
        found = shelf.view(caller, listing.id)
    assert found.cohort is not None
    assert (found.budget_left, found.cohort.left) == (0.5, pytest.approx(0.2))
    page = browser(Role.DEVELOPER).get(f"/market/listings/{listing.id}").text
    assert "Left on the data side" in page
    assert "rho 0.2000 of 0.3000" in page
