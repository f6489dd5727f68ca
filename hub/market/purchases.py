"""Buying under an agreement: price, budget, invoice and holds in one transaction; delivery once it is paid.

Belongs here: placing, payment, cancelling. Does not belong here: what is delivered (``fulfilment``), disputes (``disputes``).

All of a purchase is booked or nothing: whoever comes second to the last of a budget, or after a revocation, is refused before any
money moves. What holders earn is held until the invoice is paid, and while it is disputed.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.log import record
from hub.caller import Caller
from hub.database.base import new_id
from hub.errors import ForbiddenError, GoneError, NotFoundError, StateError
from hub.market import agreements, budget, cohort_budget, fulfilment, listings
from hub.market.kinds import Kind
from hub.market.prices import ByBudget, PerQuery, Subscription, read_price
from hub.market.tables import Agreement, Dispute, Goods, Listing, Purchase, Use
from hub.money import holds, invoices, ledger, parties, vat
from hub.money.accounts import HUB
from hub.money.invoice import Line
from hub.money.tables import Invoice
from hub.people.roles import Role
from records.errors import ParameterError

LONGEST_KEY = 100
GRACE = timedelta(days=14)  # after the invoice is due
MOST_MONTHS, MOST_QUERIES = 120, 1000
UNPAID = "the invoice was not paid in time"
OPEN = ("invoiced", "paid")
"""States in which something is still owed to the buyer."""


@dataclass(frozen=True)
class Quote:
    """What a purchase costs now, without VAT, and what it takes."""

    cents: int
    currency: str
    amount: dict[str, Any]
    queries: int


def quote(caller: Caller, agreement: Agreement, *, months: int = 1, queries: int = 1, rho: Any = None) -> Quote:
    """The price under an agreement, by what is left now.

    Raises
    ------
    ParameterError, BudgetError
        The amount is out of range, or more than is left.
    """
    price = read_price(agreement.document["price"])
    if isinstance(price, Subscription):
        return Quote(price.cost(_within(months, MOST_MONTHS)), price.currency, {"months": months}, 1)
    if isinstance(price, PerQuery):
        return Quote(price.cost(_within(queries, MOST_QUERIES)), price.currency, {"queries": queries}, queries)
    if isinstance(price, ByBudget):
        dataset, exact = agreement.document["subject"]["dataset"], budget.read_rho(rho)
        return Quote(
            price.cost(exact, budget.used(caller.session, dataset, caller.now)), price.currency, {"rho": str(exact)}, 1
        )
    return Quote(price.cost(), price.currency, {}, 1)


def place(
    caller: Caller, agreement_id: str, *, key: str, months: int = 1, queries: int = 1, rho: Any = None
) -> Purchase:  # fmt: skip
    """Buy; the same ``key`` gives the first purchase, however often it is sent.

    Raises
    ------
    StateError
        The key was used for another purchase, or billing details are missing.
    BudgetError, GoneError, ForbiddenError, NotFoundError
        Less budget is left, in the market or on the data side; the listing, its release or the agreement has ended; a party is excluded.
    """
    buyer = caller.must_have(Role.DEVELOPER)
    if not 0 < len(key.strip()) <= LONGEST_KEY:
        raise ParameterError(
            f"a purchase must have a key of 1 to {LONGEST_KEY} characters, got another; reload the page"
        )
    ledger.lock(caller.session)
    wanted = {"months": months, "queries": queries, "rho": str(budget.read_rho(rho)) if rho else None}
    if (before := _before(caller.session, buyer.id, key.strip())) is not None:
        return _same(before, agreement_id, wanted)
    agreement = agreements.must_allow(caller, agreement_id, buyer.id)
    listing = _locked(caller, agreement)
    asked = quote(caller, agreement, months=months, queries=queries, rho=rho)
    cohort_budget.must_fit(caller.session, listing, asked.amount, caller.now)
    made = Purchase(
        id=new_id(), agreement_id=agreement.id, listing_id=listing.id, dataset_id=listing.dataset_id, buyer_id=buyer.id,
        key=key.strip(), amount=asked.amount | {"asked": wanted}, cents=asked.cents, currency=asked.currency, shares={},
        state="invoiced", left=0, created_at=caller.now,
    )  # fmt: skip
    caller.session.add(made)
    caller.session.flush()
    price = read_price(agreement.document["price"])
    if isinstance(price, ByBudget):
        budget.debit(caller, listing.dataset_id, made.id, budget.read_rho(rho), price)
    meter(caller, made, "purchase", str(asked.amount.get("rho", asked.queries)))
    told(caller, made, "placed", cents=made.cents, **asked.amount)
    if made.cents:
        _invoiced(caller, made, agreement, listing)
    else:
        _paid(caller, made, agreement)
    return made


def settle_paid(caller: Caller) -> list[Purchase]:
    """Deliver what is paid, and cancel what is paid but cannot be delivered any more; returns what changed."""
    waiting = sa.select(Purchase).where(Purchase.state == "invoiced").order_by(Purchase.created_at)
    changed: list[Purchase] = []
    for one in caller.session.scalars(waiting.with_for_update()):
        invoice = caller.session.get(Invoice, one.invoice_id) if one.invoice_id else None
        if invoice is not None and invoices.open_amount(caller.session, invoice) <= 0:
            _paid(caller, one, caller.session.get_one(Agreement, one.agreement_id))
            changed.append(one)
    return changed


def lapse(caller: Caller) -> int:
    """Cancel what was not paid two weeks after it was due, so that nobody keeps a budget by not paying; returns how many.

    What was paid and not asked for until its agreement was over is earned then; what was asked in vain is credited.
    """
    from hub.market import computing

    ledger.lock(caller.session)  # before the purchases, as disputes do
    late = caller.now - timedelta(days=invoices.DAYS_TO_PAY) - GRACE
    unpaid = sa.select(Purchase).where(Purchase.state == "invoiced", Purchase.created_at < late)
    found = list(caller.session.scalars(unpaid.with_for_update()))
    for one in found:
        cancel(caller, one, UNPAID)
    computing.release_unused(caller)
    return len(found)


def cancel(caller: Caller, purchase: Purchase, reason: str) -> None:
    """Take a purchase back that was not delivered: its invoice is credited, what was paid is owed to the buyer."""
    if purchase.state not in OPEN:
        raise StateError("a purchase must be open to be cancelled, got another; nothing was changed")
    fulfilment.cancel_orders(caller, purchase, reason)
    if purchase.invoice_id:
        invoices.credit(caller, purchase.invoice_id, key=f"purchase:{purchase.id}:credit", words=reason[:200])
    purchase.state, purchase.ended_at, purchase.reason, purchase.left = "cancelled", caller.now, reason, 0
    caller.session.flush()
    told(caller, purchase, "cancelled", reason=reason)


def cancel_mine(caller: Caller, purchase_id: str) -> Purchase:
    """The buyer cancels what was not paid yet."""
    found = mine_one(caller, purchase_id)
    if found.state != "invoiced":
        raise StateError("a purchase must be unpaid to be cancelled by the buyer, got another; open a dispute instead")
    cancel(caller, found, "cancelled by the buyer")
    return found


def cancel_open(caller: Caller, person_id: str, reason: str) -> None:
    """Somebody leaves: cancel what they bought, or sold as the holder, and what was not delivered."""
    sold = sa.select(Agreement.id).where(sa.or_(Agreement.buyer_id == person_id, Agreement.holder_id == person_id))
    waiting = sa.select(Purchase).where(Purchase.agreement_id.in_(sold), Purchase.state.in_(OPEN))
    for one in caller.session.scalars(waiting.with_for_update()):
        if one.delivered_at is None:
            cancel(caller, one, reason)


def of_revoked(caller: Caller, goods_id: str, reason: str) -> None:
    """A release was revoked: cancel what waits for it, and destroy what was delivered of it."""
    selling = sa.select(Listing.id).where(Listing.goods_id == goods_id)
    for one in caller.session.scalars(sa.select(Purchase).where(Purchase.listing_id.in_(selling)).with_for_update()):
        if one.state in OPEN:
            cancel(caller, one, reason)
        fulfilment.destroy(caller, one, reason)


def delivered(session: Session, agreement_id: str) -> bool:
    """Whether something was delivered under an agreement."""
    done = (Purchase.agreement_id == agreement_id) & Purchase.delivered_at.is_not(None)
    return session.scalar(sa.select(Purchase.id).where(done).limit(1)) is not None


def mine_one(caller: Caller, purchase_id: str) -> Purchase:
    """One's own purchase.

    Raises
    ------
    NotFoundError
        There is none, or it is another's.
    """
    found = caller.session.get(Purchase, purchase_id)
    if found is None or found.buyer_id != caller.somebody.id:
        raise NotFoundError("the purchase must be one of yours, got another; look at your purchases")
    return found


def visible(caller: Caller, purchase_id: str) -> Purchase:
    """A purchase for its buyer, those who earn by it, arbiters and auditors."""
    found = caller.session.get(Purchase, purchase_id)
    if found is None or not (caller.somebody.id in _concerned(caller, found) or caller.has(Role.ARBITER, Role.AUDITOR)):
        raise NotFoundError("the purchase must be one of yours, got another; look at your purchases")
    return found


def mine(caller: Caller) -> list[Purchase]:
    """One's own purchases, newest first."""
    own = sa.select(Purchase).where(Purchase.buyer_id == caller.somebody.id)
    return list(caller.session.scalars(own.order_by(Purchase.created_at.desc(), Purchase.id)))


def disputed(session: Session, purchase_id: str) -> bool:
    """Whether a dispute about it is open."""
    open_one = sa.select(Dispute.id).where(Dispute.purchase_id == purchase_id, Dispute.state == "open")
    return session.scalar(open_one.limit(1)) is not None


def meter(caller: Caller, purchase: Purchase, kind: str, amount: str = "1") -> None:
    """Count a use."""
    caller.session.add(
        Use(purchase_id=purchase.id, dataset_id=purchase.dataset_id, kind=kind, amount=amount, at=caller.now)
    )


def told(caller: Caller, purchase: Purchase, verb: str, **detail: Any) -> None:
    """Write a step into the audit log."""
    actor = caller.person.id if caller.person else "system"
    record(caller.session, now=caller.now, actor=actor, action=f"purchase.{verb}", subject=f"purchase:{purchase.id}",
           listing=purchase.listing_id, **detail)  # fmt: skip


def facts(purchase: Purchase) -> dict[str, Any]:
    """A purchase as plain values, for its buyer."""
    return {
        "id": purchase.id, "agreement_id": purchase.agreement_id, "listing_id": purchase.listing_id, "state": purchase.state,
        "cents": purchase.cents, "currency": purchase.currency, "invoice_id": purchase.invoice_id, "left": purchase.left,
        "artefact_id": purchase.artefact_id, "amount": {k: v for k, v in purchase.amount.items() if k != "asked"},
        "created_at": purchase.created_at.isoformat(), "reason": purchase.reason,
    }  # fmt: skip


def _locked(caller: Caller, agreement: Agreement) -> Listing:
    """The listing, held as it is until the purchase is booked: a revocation comes before or after, never between."""
    session = caller.session
    budget.locked(session, agreement.document["subject"]["dataset"])
    listing = session.get_one(Listing, agreement.listing_id, with_for_update=True, populate_existing=True)
    if listing.goods_id is not None:
        session.get(Goods, listing.goods_id, with_for_update=True, populate_existing=True)
    return listings.live(session, listing.id, caller.now)


def _invoiced(caller: Caller, made: Purchase, agreement: Agreement, listing: Listing) -> None:
    made.shares = agreements.split_of(caller.session, agreement, listing).divide(made.cents)
    seller, buyer = parties.known(caller, HUB), parties.known(caller, made.buyer_id)
    taxed = vat.treatment(seller.country, buyer.country, business=bool(buyer.vat_id))
    line = Line.of(listing.title[:200], made.cents, made.shares, taxed)
    key = f"purchase:{made.id}"
    invoice = invoices.issue(caller, key=key, payer=made.buyer_id, lines=[line], currency=made.currency,
                             note=f"Agreement {agreement.id}")  # fmt: skip
    made.invoice_id = invoice.id
    for payee, cents in made.shares.items():
        if payee != HUB:
            holds.hold(caller, payee, cents, f"invoice:{invoice.id}", key=f"{key}:hold:{payee}", currency=made.currency)
    caller.session.flush()


def _paid(caller: Caller, one: Purchase, agreement: Agreement) -> None:
    one.paid_at, one.state = caller.now, "paid"
    try:
        listing = caller.session.get_one(Listing, one.listing_id)
        fulfilment.deliver(caller, one, agreement, listing)
    except (GoneError, ForbiddenError) as error:
        cancel(caller, one, str(error)[:300])
        return
    told(caller, one, "paid")
    held = listing.kind == Kind.COMPUTATION  # until its first answer is there (``computing``)
    if one.invoice_id and not held and not disputed(caller.session, one.id):
        release(caller, one, f"purchase:{one.id}:paid")


def release(caller: Caller, one: Purchase, key: str) -> None:
    """Let those who earn by a purchase be paid."""
    for payee in one.shares:
        if payee != HUB:
            holds.release_all(caller, payee, f"invoice:{one.invoice_id}", key=f"{key}:{payee}", currency=one.currency)


def _concerned(caller: Caller, one: Purchase) -> set[str]:
    return agreements.concerned(caller.session, caller.session.get_one(Agreement, one.agreement_id))


def _before(session: Session, buyer: str, key: str) -> Purchase | None:
    return session.scalar(sa.select(Purchase).where(Purchase.buyer_id == buyer, Purchase.key == key))


def _same(before: Purchase, agreement_id: str, wanted: dict[str, Any]) -> Purchase:
    if before.agreement_id != agreement_id or before.amount.get("asked") != wanted:
        raise StateError("a key must name one purchase, got a key that was used for another; reload the page")
    return before


def _within(number: Any, most: int) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        raise ParameterError(f"a number of months or queries must be 1 to {most}, got another; choose another")
    return number
