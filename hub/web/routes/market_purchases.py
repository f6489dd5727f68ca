"""Buying: purchases, orders of services, disputes from the buyer's side.

Belongs here: HTTP. Does not belong here: rules (``hub.market``), negotiation (``market``).
"""

from typing import Annotated, Any

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import FormData

from hub.caller import Caller
from hub.delivery import orders
from hub.market import agreements, disputes, fulfilment, purchases
from hub.market.kinds import Kind
from hub.market.services import read_service
from hub.market.sharing import read_split
from hub.market.tables import Listing
from hub.money import invoices
from hub.money.accounts import HUB
from hub.money.tables import Invoice
from hub.people.tables import Person
from hub.web.access import PageCaller, Routes
from hub.web.filters import money
from hub.web.language import chosen_language
from hub.web.pages import redirect, render
from hub.web.routes.market import DEVELOPER, READERS, agreement_page
from hub.web.routes.requests import Written
from records.errors import BudgetError, ParameterError

routes = Routes("market purchases")


class Wanted(BaseModel):
    """What is bought; ``key`` names the step, so that it is bought once however often it is sent."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(min_length=1, max_length=purchases.LONGEST_KEY)]
    months: int = 1
    queries: int = 1
    rho: Annotated[str | None, Field(max_length=40)] = None


class Ordered(BaseModel):
    """One paid order of a service."""

    model_config = ConfigDict(extra="forbid")

    rows: int
    formats: list[str] = []


@routes.form("/market/agreements/{agreement_id}/purchases", roles=DEVELOPER)
def buy(request: Request, caller: PageCaller, agreement_id: str, sent: Written) -> Response:
    """Buy, or ask what it costs."""
    found = agreements.must_allow(caller, agreement_id, caller.somebody.id)
    written = {name: str(sent.get(name) or "").strip() for name in ("key", "months", "queries", "rho")}
    try:
        asked = {
            "months": _count(written["months"]),
            "queries": _count(written["queries"]),
            "rho": written["rho"] or None,
        }
        if sent.get("go") == "quote":
            quoted = purchases.quote(caller, found, **asked)
            words = money(chosen_language(request))(quoted.cents, quoted.currency)
            return agreement_page(request, caller, found, written=written | {"quote": words})
        with caller.session.begin_nested():  # a mistake is shown at the form, and nothing of it is kept
            made = purchases.place(caller, agreement_id, key=written["key"], **asked)
    except (ParameterError, BudgetError) as error:
        return agreement_page(request, caller, found, str(error), {k: v for k, v in written.items() if v})
    return redirect(request, f"/market/purchases/{made.id}", "Your purchase is booked.")


@routes.page("/market/purchases", roles=DEVELOPER)
def listed(request: Request, caller: PageCaller) -> Response:
    """One's purchases."""
    found = [(one, caller.session.get_one(Listing, one.listing_id)) for one in purchases.mine(caller)]
    return render(request, "market_purchases.html.j2", found=found)


@routes.page("/market/purchases/{purchase_id}", roles=READERS)
def shown(request: Request, caller: PageCaller, purchase_id: str) -> Response:
    """One purchase: payment, delivery, how the money was shared, disputes."""
    return purchase_page(request, caller, purchase_id)


@routes.form("/market/purchases/{purchase_id}/cancel", roles=DEVELOPER)
def cancel(request: Request, caller: PageCaller, purchase_id: str) -> Response:
    """The buyer cancels what is not paid."""
    purchases.cancel_mine(caller, purchase_id)
    return redirect(request, f"/market/purchases/{purchase_id}", "The purchase is cancelled and its invoice credited.")


@routes.form("/market/purchases/{purchase_id}/orders", roles=DEVELOPER)
def order(request: Request, caller: PageCaller, purchase_id: str, sent: Written) -> Response:
    """Place one of the paid orders of a service."""
    try:
        with caller.session.begin_nested():
            made = fulfilment.order(
                caller, purchase_id, rows=_count(str(sent.get("rows") or "")), formats=_formats(sent)
            )
    except ParameterError as error:
        return purchase_page(request, caller, purchase_id, str(error))
    return redirect(request, f"/orders/{made.id}", "Your order is placed.")


@routes.form("/market/purchases/{purchase_id}/dispute", roles=DEVELOPER)
def dispute(request: Request, caller: PageCaller, purchase_id: str, sent: Written) -> Response:
    """Complain; what the holders earn is held."""
    try:
        with caller.session.begin_nested():
            made = disputes.open_one(caller, purchase_id, str(sent.get("words") or ""))
    except ParameterError as error:
        return purchase_page(request, caller, purchase_id, str(error))
    return redirect(request, f"/market/disputes/{made.id}", "The dispute is open; the money is held.")


@routes.call("POST", "/market/agreements/{agreement_id}/purchases", roles=DEVELOPER, status_code=201)
def api_buy(caller: PageCaller, agreement_id: str, wanted: Wanted) -> dict[str, Any]:
    """Buy under an agreement; the same key gives the first purchase."""
    return purchases.facts(purchases.place(caller, agreement_id, **wanted.model_dump()))


@routes.call("GET", "/market/purchases", roles=DEVELOPER)
def api_list(caller: PageCaller) -> list[dict[str, Any]]:
    """One's purchases, newest first."""
    return [purchases.facts(one) for one in purchases.mine(caller)]


@routes.call("GET", "/market/purchases/{purchase_id}", roles=DEVELOPER)
def api_one(caller: PageCaller, purchase_id: str) -> dict[str, Any]:
    """One of one's purchases."""
    return purchases.facts(purchases.mine_one(caller, purchase_id))


@routes.call("POST", "/market/purchases/{purchase_id}/orders", roles=DEVELOPER, status_code=202)
def api_order(caller: PageCaller, purchase_id: str, wanted: Ordered) -> dict[str, Any]:
    """Place one of the paid orders of a service."""
    return orders.facts(fulfilment.order(caller, purchase_id, rows=wanted.rows, formats=wanted.formats))


def purchase_page(request: Request, caller: Caller, purchase_id: str, wrong: str = "") -> Response:
    """The page of a purchase."""
    found = purchases.visible(caller, purchase_id)
    listing = caller.session.get_one(Listing, found.listing_id)
    invoice = caller.session.get(Invoice, found.invoice_id) if found.invoice_id else None
    mine = found.buyer_id == caller.somebody.id
    return render(
        request, "market_purchase.html.j2", status=422 if wrong else 200, purchase=found, listing=listing, wrong=wrong,
        mine=mine, invoice=invoice, open_amount=invoices.open_amount(caller.session, invoice) if invoice else 0,
        shares=_shares(caller, found.shares, found.cents, exact=not mine), orders=fulfilment.orders_of(caller.session, found),
        service=read_service(listing.service) if listing.kind == Kind.SYNTHESIS else None, computes=listing.kind == Kind.COMPUTATION, disputes=disputes.of_purchase(caller, found),
        share=_in_words(caller, listing.split) if not mine else None,
        may_dispute=mine and disputes.may_open(caller, found),
    )  # fmt: skip


def _shares(caller: Caller, shares: dict[str, int], cents: int, *, exact: bool) -> list[tuple[str, int, float]]:
    """Name, cents and percent of each who earns, largest first; not ``exact``, as for buyers, whole percent and no cents."""
    named = {one: caller.session.get(Person, one) for one in shares if one != HUB}
    rows = [
        (
            person.organisation or person.name if (person := named.get(one)) else "Health data hub",
            part if exact else 0,
            100 * part / cents if exact else round(100 * part / cents),
        )
        for one, part in shares.items()
    ]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def _in_words(caller: Caller, split: dict[str, Any]) -> dict[str, float] | None:
    """What the caller's own share is made of, in percent; nothing for those who are no holder of it."""
    rule, mine = read_split(split), caller.somebody.id
    if mine not in rule.contributions:
        return None
    positive = {name: max(value, 0) for name, value in rule.contributions.items()}
    return {
        "part": float(100 * positive[mine] / sum(positive.values())), "floor": float(100 * rule.floor),
        "commission": float(100 * rule.commission), "share": float(100 * rule.shares()[mine]),
    }  # fmt: skip


def _formats(sent: FormData) -> list[str]:
    return [one for one in sent.getlist("formats") if isinstance(one, str)]


def _count(text: str) -> int:
    if not text:
        return 1
    if not text.isdecimal() or len(text) > 9:
        raise ParameterError("a number must be written in digits, got another; write it again")
    return int(text)
