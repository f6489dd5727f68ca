"""Fees for access to real data, from the application to the one invoice: at cost, within the estimate, once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from hub.access import service
from hub.access.form import Form, Kind
from hub.access.tables import Request
from hub.errors import StateError
from hub.market import access_fees, settlement
from hub.market.tables import AccessFee
from hub.money import invoices
from hub.money.accounts import income, payable, receivable
from hub.people.roles import Role
from records.errors import ParameterError
from tests.hub.market.conftest import DATASET, Market
from tests.hub.market.test_purchases import owed


@pytest.fixture
def applied(market: Market) -> str:
    """An application that was sent in, and refused: decided without more steps."""
    with market.as_caller(market.buyer) as caller:
        form = Form(kind=Kind.PERMIT, dataset_ids=[DATASET], months=6)
        request = service.draft(caller, form)
        request.fee = service.estimate(form).plain()
        request.state, request.submitted_at = "refused", caller.now
        access_fees.accept(caller, request)
        return request.id


def charged(market: Market, request_id: str, change: Callable[[Any], Any] = lambda one: one) -> Any:
    with market.as_caller(market.people[Role.OFFICER]) as caller:
        charges = access_fees.charges_of(caller.session.get_one(AccessFee, request_id))
        return access_fees.invoice(caller, request_id, [change(one) for one in charges])


def test_one_invoice_with_lines_for_body_holder_and_processing(market: Market, applied: str) -> None:
    invoice = charged(market, applied)
    with market.hub.database.read() as session:
        document = invoices.document_of(session.get_one(type(invoice), invoice.id))
        assert [line.words for line in document.lines] == [
            "Assessment and decision",
            "Compiling and preparing the data",
            "Processing",
        ]
        assert document.tax == 0  # a public task
        total = session.get_one(AccessFee, applied).estimate["total"] * 100
        rows = settlement.settle(session, "2026-11").rows
        assert {one.channel for one in rows} == {"access"}
    assert owed(market, receivable(market.buyer.id)) == total == document.gross
    assert owed(market, payable(market.holder.id)) == -8 * 60 * 100
    assert owed(market, income()) == -(total - 48_000)
    with pytest.raises(StateError, match="invoiced once"):
        charged(market, applied)
    market.balanced()


def test_above_cost_or_above_the_estimate_nothing_is_booked(market: Market, applied: str) -> None:
    with pytest.raises(ParameterError, match="at most its cost"):
        charged(market, applied, lambda one: replace(one, cents=one.cost + 1))
    with pytest.raises(ParameterError, match="accepted estimate"):
        charged(market, applied, lambda one: replace(one, cents=one.cents + 1, cost=one.cost + 1))
    assert market.balanced() == 0
    charged(market, applied, lambda one: replace(one, cents=one.cents // 2))
    market.balanced()


def test_what_is_not_decided_is_not_invoiced(market: Market, applied: str) -> None:
    with market.hub.database.write() as session:
        session.get_one(Request, applied).state = "in_assessment"
    with pytest.raises(StateError, match="must be decided"):
        charged(market, applied)
    with market.as_caller(market.people[Role.OFFICER]) as caller:
        assert access_fees.due(caller) == []


def test_who_sends_in_accepts_the_estimate(market: Market) -> None:
    words = {name: "A sufficient answer." for name in Form.model_fields if Form.model_fields[name].annotation is str}
    form = Form.model_validate(
        words | {"kind": "permit", "dataset_ids": [DATASET], "purposes": ["e"], "months": 6, "declarations": list("abcde"),
                 "data_format": "anonymised", "persons": ["Ada"]}
    )  # fmt: skip
    with market.as_caller(market.buyer) as caller:
        found = service.apply(caller, form)
    with market.hub.database.read() as session:
        fee = session.scalars(sa.select(AccessFee)).one()
        assert (fee.request_id, fee.estimate, fee.invoice_id) == (found.id, found.fee, None)


def test_the_page_refuses_a_price_above_cost(market: Market, applied: str, browser: Callable[..., Any]) -> None:
    officer = browser(Role.OFFICER)
    assert "Assessment and decision" in officer.get("/fees").text
    above = {"cost-0": "10", "charge-0": "10.01", "cost-1": "1", "charge-1": "1", "cost-2": "1", "charge-2": "1"}
    page = officer.submit(f"/fees/{applied}", **above)
    assert (page.status_code, "at most its cost" in page.text) == (422, True)
    assert "issued" in officer.submit(f"/fees/{applied}", **(above | {"charge-0": "10,00"})).text
    assert browser(Role.DEVELOPER).get("/fees").status_code == 403
    market.balanced()
