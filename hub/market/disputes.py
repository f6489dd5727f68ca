"""Disputes: a buyer complains, the money is held, an arbiter releases or refunds it.

Belongs here: the steps of a dispute and what each books. Does not belong here: holds and credit notes themselves (``hub.money``),
sanctions.
"""

from datetime import timedelta

import sqlalchemy as sa

from hub.audit.log import record
from hub.caller import Caller
from hub.errors import ForbiddenError, NotFoundError, StateError
from hub.market import fulfilment, purchases
from hub.market.sent import words_sent
from hub.market.tables import Agreement, Dispute, Purchase
from hub.money import holds, invoices, ledger
from hub.money.accounts import HUB, payable
from hub.people.roles import Role

WITHIN = timedelta(days=90)
READERS = (Role.ARBITER, Role.AUDITOR)


def open_one(caller: Caller, purchase_id: str, words: str) -> Dispute:
    """The buyer complains, within 90 days of payment; what has not been paid out to the holders is held.

    Raises
    ------
    StateError
        It was not paid, is disputed already, or it is too late.
    """
    caller.must_have(Role.DEVELOPER)
    purchases.mine_one(caller, purchase_id)
    ledger.lock(caller.session)
    found = caller.session.get_one(Purchase, purchase_id, with_for_update=True, populate_existing=True)
    if not may_open(caller, found):
        raise StateError(
            "a purchase must be paid, undisputed and at most 90 days old, got another; ask the access body"
        )
    made = Dispute(purchase_id=found.id, buyer_id=found.buyer_id, words=words_sent(words), held={}, state="open",
                   opened_at=caller.now)  # fmt: skip
    caller.session.add(made)
    caller.session.flush()
    made.held = {payee: cents for payee in _payees(found) if (cents := _hold(caller, made, found, payee))}
    caller.session.flush()
    return _told(caller, made, "opened", held=sum(made.held.values()))


def may_open(caller: Caller, found: Purchase) -> bool:
    """Whether the buyer may complain now."""
    paid = found.paid_at is not None and found.state in ("paid", "delivered") and found.invoice_id is not None
    former = sa.select(Dispute.id).where(Dispute.purchase_id == found.id).limit(1)
    return paid and caller.now <= found.paid_at + WITHIN and caller.session.scalar(former) is None  # type: ignore[operator]


def answer(caller: Caller, dispute_id: str, words: str) -> Dispute:
    """The holder answers, once."""
    found, purchase = visible(caller, dispute_id)
    if caller.somebody.id not in _sellers(caller, purchase):
        raise NotFoundError("the dispute must concern what you sold, got another; look at your list")
    if found.state != "open" or found.answer:
        raise StateError("a dispute must be open and unanswered, got another; nothing was changed")
    found.answer = words_sent(words)
    return _told(caller, found, "answered")


def release(caller: Caller, dispute_id: str, words: str) -> Dispute:
    """The arbiter finds for the holders: what was held may be paid out."""
    found, purchase = _decided(caller, dispute_id, "released", words)
    purchases.release(caller, purchase, f"dispute:{found.id}:released")
    return _told(caller, found, "released")


def refund(caller: Caller, dispute_id: str, words: str) -> Dispute:
    """The arbiter finds for the buyer: the invoice is credited, the price owed back, the data destroyed."""
    found, purchase = _decided(caller, dispute_id, "refunded", words)
    note = invoices.credit(
        caller, purchase.invoice_id or "", key=f"purchase:{purchase.id}:credit", words="Refund after a dispute"
    )
    found.credit_note_id = note.id
    fulfilment.cancel_orders(caller, purchase, "the purchase was refunded")
    fulfilment.destroy(caller, purchase, "the purchase was refunded")
    purchase.state, purchase.ended_at, purchase.left, purchase.reason = (
        "refunded",
        caller.now,
        0,
        "refunded after a dispute",
    )
    caller.session.flush()
    return _told(caller, found, "refunded", credit_note=note.number)


def visible(caller: Caller, dispute_id: str) -> tuple[Dispute, Purchase]:
    """A dispute for its buyer, those who sold, arbiters and auditors.

    Raises
    ------
    NotFoundError
        There is none.
    """
    writes = bool(caller.session.connection().get_execution_options().get("writes"))
    found = caller.session.get(Dispute, dispute_id, with_for_update=writes)
    purchase = caller.session.get(Purchase, found.purchase_id) if found else None
    if (
        found is None
        or purchase is None
        or not (caller.has(*READERS) or caller.somebody.id in {found.buyer_id, *_sellers(caller, purchase)})
    ):
        raise NotFoundError("the dispute must be one that you may see, got another; look at your list")
    return found, purchase


def mine(caller: Caller) -> list[Dispute]:
    """All disputes for arbiters and auditors, one's own for everybody else; open ones first."""
    query = sa.select(Dispute).order_by(sa.case((Dispute.state == "open", 0), else_=1), Dispute.opened_at.desc())
    found = list(caller.session.scalars(query))
    if caller.has(*READERS):
        return found
    return [
        one for one in found
        if caller.somebody.id in {one.buyer_id, *_sellers(caller, caller.session.get_one(Purchase, one.purchase_id))}
    ]  # fmt: skip


def of_purchase(caller: Caller, purchase: Purchase) -> list[Dispute]:
    """Disputes about a purchase."""
    return list(caller.session.scalars(sa.select(Dispute).where(Dispute.purchase_id == purchase.id)))


def _decided(caller: Caller, dispute_id: str, state: str, words: str) -> tuple[Dispute, Purchase]:
    """The arbiter's decision; nobody decides on what they bought or sold."""
    arbiter = caller.must_have(Role.ARBITER)
    ledger.lock(caller.session)
    found, purchase = visible(caller, dispute_id)
    if arbiter.id in {found.buyer_id, *_sellers(caller, purchase)}:
        raise ForbiddenError("a dispute must be decided by somebody who is no party, got a party; ask another arbiter")
    if found.state != "open":
        raise StateError("a dispute must be open to be decided, got another; nothing was changed")
    found.state, found.arbiter_id, found.decided_at, found.decision = state, arbiter.id, caller.now, words_sent(words)
    caller.session.flush()
    return found, purchase


def _hold(caller: Caller, made: Dispute, purchase: Purchase, payee: str) -> int:
    """Hold what is left of a payee's share; what was paid out already cannot be held."""
    subject = f"invoice:{purchase.invoice_id}"
    already = holds.amount(caller, payee, subject, purchase.currency)
    there = max(0, -ledger.balance(caller.session, payable(payee, purchase.currency)))
    more = min(int(purchase.shares[payee]) - already, there)
    if more > 0:
        holds.hold(caller, payee, more, subject, key=f"dispute:{made.id}:{payee}", currency=purchase.currency)
    return already + max(0, more)


def _payees(purchase: Purchase) -> list[str]:
    return [one for one in purchase.shares if one != HUB]


def _sellers(caller: Caller, purchase: Purchase) -> set[str]:
    return {caller.session.get_one(Agreement, purchase.agreement_id).holder_id, *_payees(purchase)}


def _told(caller: Caller, dispute: Dispute, verb: str, **detail: object) -> Dispute:
    record(caller.session, now=caller.now, actor=caller.somebody.id, action=f"dispute.{verb}",
           subject=f"dispute:{dispute.id}", purchase=dispute.purchase_id, **detail)  # fmt: skip
    return dispute
