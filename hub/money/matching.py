"""Money that came without a known reference: matched by hand to the invoice it pays, or sent back.

Belongs here: what is unmatched, and matching it. Does not belong here: matching by reference (``payouts``).
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.log import record
from hub.caller import Caller
from hub.errors import NotFoundError, StateError
from hub.money.accounts import clearing, receivable, unmatched
from hub.money.ledger import Posting, lock, moved, post_many
from hub.money.tables import Account, Entry, Invoice, Transaction
from hub.people.roles import Role


@dataclass(frozen=True)
class Unknown:
    """A receipt that nobody is known for: above 0 came in."""

    subject: str
    at: datetime
    currency: str
    cents: int


def unknown(session: Session) -> list[Unknown]:
    """Receipts that are not matched yet, oldest first."""
    total = sa.func.sum(Entry.cents)
    query = (
        sa.select(Transaction.subject, sa.func.min(sa.type_coerce(Transaction.at, sa.String)), Entry.currency, total)
        .join(Entry, Entry.number == Transaction.number).join(Account, Account.id == Entry.account)
        .where(Account.name == "unmatched").group_by(Transaction.subject, Entry.currency).having(total != 0)
        .order_by(sa.func.min(Transaction.number))
    )  # fmt: skip
    rows = session.execute(query).tuples()
    return [
        Unknown(subject, datetime.fromisoformat(at), currency, -int(cents)) for subject, at, currency, cents in rows
    ]


def match(caller: Caller, subject: str, number: str) -> Invoice:
    """Book a receipt to the invoice with this number or reference; the invoice's payer has then paid it.

    Raises
    ------
    NotFoundError
        There is no such receipt or invoice.
    StateError
        The currencies differ, or money went out.
    """
    caller.must_have(Role.OPERATOR)
    lock(caller.session)
    receipt = next((one for one in unknown(caller.session) if one.subject == subject), None)
    if receipt is None:
        raise NotFoundError("a receipt must be unmatched, got another; look at the list")
    invoice = _invoice(caller.session, number)
    if receipt.cents < 0 or receipt.currency != invoice.currency:
        raise StateError(
            "a receipt must be money that came in, in the invoice's currency, got another; look at the statement"
        )
    left = -moved(caller.session, unmatched(receipt.currency), subject)
    # Each transaction has one subject: one clears the receipt, the other pays the invoice; between them nothing stays.
    between, payer = clearing(receipt.currency), receivable(invoice.payer, receipt.currency)
    steps = (
        Posting(
            f"match:{subject}", "payment.matched", subject, ((unmatched(receipt.currency), left), (between, -left))
        ),
        Posting(
            f"match:{subject}:paid", "payment.received", f"invoice:{invoice.id}", ((between, left), (payer, -left))
        ),
    )
    post_many(caller.session, steps, now=caller.now)
    record(caller.session, now=caller.now, actor=caller.somebody.id, action="payment.matched", subject=subject,
           invoice=invoice.number)  # fmt: skip
    return invoice


def _invoice(session: Session, number: str) -> Invoice:
    plain = "".join(number.upper().split())
    same = sa.or_(Invoice.reference == plain, Invoice.number == number.strip()) & Invoice.credits.is_(None)
    found = list(session.scalars(sa.select(Invoice).where(same).limit(2)))
    if len(found) != 1:
        raise NotFoundError(
            "an invoice must be named by its number or reference, got none or several; write its reference"
        )
    return found[0]
