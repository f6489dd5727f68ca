"""Prices: splitting never saves a cent, scarcity adds up, and bad prices are refused."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.market.prices import ByBudget, Fixed, Free, PerQuery, Step, Subscription, read_price
from records.errors import BudgetError, ParameterError

PRICE = ByBudget(
    total_rho=Decimal("0.5"),
    steps=(Step(share=Decimal(0), cents_per_rho=10_000), Step(share=Decimal("0.5"), cents_per_rho=20_000),
           Step(share=Decimal("0.8"), cents_per_rho=80_000)),
)  # fmt: skip


@st.composite
def by_budget(draw: st.DrawFn) -> ByBudget:
    count = draw(st.integers(1, 5))
    shares = [0, *sorted(draw(st.sets(st.integers(1, 99), min_size=count - 1, max_size=count - 1)))]
    prices = sorted(draw(st.lists(st.integers(0, 10**6), min_size=count, max_size=count)))
    steps = tuple(Step(share=Decimal(s) / 100, cents_per_rho=p) for s, p in zip(shares, prices, strict=True))
    return ByBudget(total_rho=draw(st.decimals("0.01", "10", places=3)), steps=steps)


@given(by_budget(), st.data())
def test_splitting_a_purchase_is_never_cheaper(price: ByBudget, data: st.DataObject) -> None:
    total = Fraction(price.total_rho)
    used = data.draw(st.fractions(0, total, max_denominator=10**6))
    parts = data.draw(st.lists(st.fractions(Fraction(1, 10**6), total, max_denominator=10**6), min_size=1, max_size=6))
    room = (total - used) / sum(parts)
    parts = [part * min(room, 1) for part in parts]
    if room == 0:
        return
    at, paid = used, 0
    for part in parts:
        paid += price.cost(part, at)
        at += part
    whole = price.cost(sum(parts), used)
    assert whole <= paid <= whole + len(parts) - 1  # and only rounding makes it dearer


@given(by_budget(), st.integers(0, 10**7), st.integers(0, 100))
def test_what_money_buys_costs_no_more_than_it(price: ByBudget, cents: int, percent: int) -> None:
    used = Fraction(price.total_rho) * percent / 100
    rho = price.affordable(cents, used)
    assert 0 <= rho <= Fraction(price.total_rho) - used
    if rho:
        assert price.cost(rho, used) <= cents
    if rho < Fraction(price.total_rho) - used:
        assert price.cost(Fraction(price.total_rho) - used, used) >= cents


def test_a_price_by_hand() -> None:
    # 0.2 of 0.5 before half is gone: 0.05 at 10,000, then 0.15 at 20,000, of which 0.15 reach the step at 0.4.
    assert PRICE.cost(Decimal("0.2"), Decimal("0.2")) == 500 + 3000
    assert PRICE.cost(Decimal("0.1"), Decimal("0.4")) == 8000
    assert PRICE.cost(Decimal("0.0000001"), 0) == 1


@pytest.mark.parametrize(("rho", "used"), [(0.51, 0), (0.2, 0.31), ("0.1", "0.4000001")])
def test_a_budget_is_never_oversold(rho: float, used: float) -> None:
    with pytest.raises(BudgetError, match="left"):
        PRICE.cost(rho, used)


@pytest.mark.parametrize(
    ("rho", "used"), [(0, 0), (-0.1, 0.2), (0.1, -0.1), (0.1, 0.6), (float("nan"), 0), (float("inf"), 0), ("x", 0), (0.1, None)]
)  # fmt: skip
def test_no_negative_stock_and_no_nonsense(rho: float, used: float) -> None:
    with pytest.raises(ParameterError):
        PRICE.cost(rho, used)


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "fixed", "cents": 12.5}, {"kind": "fixed", "cents": "12"}, {"kind": "fixed", "cents": -1},
        {"kind": "fixed", "cents": 100, "currency": "XXX"}, {"kind": "fixed", "cents": True}, {"kind": "gift"}, None,
        {"kind": "by_budget", "total_rho": "-1", "steps": [{"share": "0", "cents_per_rho": 1}]},
        {"kind": "by_budget", "total_rho": "1", "steps": [{"share": "0.1", "cents_per_rho": 1}]},
        {"kind": "by_budget", "total_rho": "1", "steps": []},
        {"kind": "by_budget", "total_rho": "1",
         "steps": [{"share": "0", "cents_per_rho": 5}, {"share": "0.5", "cents_per_rho": 4}]},
    ],
)  # fmt: skip
def test_bad_prices_are_refused(value: object) -> None:
    with pytest.raises(ParameterError, match="must be well formed"):
        read_price(value)


def test_prices_go_through_json() -> None:
    for price in (Free(), Fixed(cents=5), Subscription(cents=900), PerQuery(cents=3, currency="SEK"), PRICE):
        assert read_price(price.model_dump(mode="json")) == price


def test_plain_prices() -> None:
    assert (Free().cost(), Fixed(cents=5).cost()) == (0, 5)
    assert (Subscription(cents=900).cost(12), PerQuery(cents=3).cost(7)) == (10_800, 21)
    for count in (0, -1, 1.5, True):
        with pytest.raises(ParameterError):
            PerQuery(cents=3).cost(count)  # type: ignore[arg-type]
