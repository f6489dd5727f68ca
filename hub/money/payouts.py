"""Paying out and booking what the bank tells.

Belongs here: orders to the bank and their outcome, incoming payments, refunds. Does not belong here: the bank's files (``sepa``,
``camt``), holds (``holds``).
"""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256

import sqlalchemy as sa
from stdnum import iban as iban_number

from hub.audit.log import record
from hub.caller import Caller
from hub.database.base import new_id
from hub.errors import NotFoundError, StateError
from hub.money import parties
from hub.money.accounts import HUB, Place, bank, payable, paying, receivable, unmatched
from hub.money.currency import EURO
from hub.money.documents import digest_of
from hub.money.gateway import PaymentGateway, Receipt, Transfer
from hub.money.ledger import Posting, balance, lock, post
from hub.money.tables import Account, Entry, Invoice, Payout, Transaction
from hub.people.roles import Role

WORDS = "Health data hub"


def owed(caller: Caller) -> dict[str, int]:
    """What may be paid out, by payee, in euros' cents: earned and not held."""
    sums = sa.func.sum(Entry.cents)
    query = (
        sa.select(Account.owner, sums).join(Entry, Entry.account == Account.id)
        .where(Account.name == "payable", Account.currency == EURO).group_by(Account.owner).having(sums < 0)
    )  # fmt: skip
    return {owner: -int(cents) for owner, cents in caller.session.execute(query.order_by(Account.owner))}


def order(caller: Caller, *, key: str, payees: Sequence[str] | None = None) -> list[Payout]:
    """Order all that is owed to ``payees`` (by default to all who gave an IBAN) in one file; the same ``key`` gives the first.

    Raises
    ------
    StateError
        There is nothing to pay, or a named payee has given no IBAN.
    """
    caller.must_have(Role.OPERATOR)
    lock(caller.session)
    file = sha256(f"payout:{key}".encode()).hexdigest()[:32]
    if before := of_file(caller, file, missing=[]):
        return before
    there = owed(caller)
    chosen = [(who, there.get(who, 0), parties.of(caller, who)) for who in (payees if payees is not None else there)]
    if payees is None:
        chosen = [
            (who, cents, details) for who, cents, details in chosen
            if details and details.iban and not refused_by_bank(caller, who, details.iban)
        ]  # fmt: skip
    if not chosen or any(cents <= 0 or details is None or not details.iban for _, cents, details in chosen):
        raise StateError("a payout must have an amount and an IBAN, got neither for somebody; choose others")
    for who, _, details in chosen:
        _must_be_taken(caller, who, details.iban if details else "")
    return [_ordered(caller, file, payable(who), who, cents) for who, cents, _ in chosen]


def refund(caller: Caller, payer: str, *, key: str) -> list[Payout]:
    """Order to pay back what ``payer`` paid too much, for instance after a credit note.

    Raises
    ------
    StateError
        Nothing was paid too much, or the payer has given no IBAN.
    """
    caller.must_have(Role.OPERATOR)
    lock(caller.session)
    file = sha256(f"refund:{key}".encode()).hexdigest()[:32]
    if before := of_file(caller, file, missing=[]):
        return before
    too_much = -balance(caller.session, receivable(payer))
    if too_much <= 0 or not parties.known(caller, payer).iban:
        raise StateError("a refund must have an amount and an IBAN, got neither; look at the account")
    _must_be_taken(caller, payer, parties.known(caller, payer).iban)
    return [_ordered(caller, file, receivable(payer), payer, too_much)]


def overpaid(caller: Caller) -> dict[str, int]:
    """What payers have paid too much, in euros' cents."""
    sums = sa.func.sum(Entry.cents)
    query = (
        sa.select(Account.owner, sums).join(Entry, Entry.account == Account.id)
        .where(Account.name == "receivable", Account.currency == EURO).group_by(Account.owner).having(sums < 0)
    )  # fmt: skip
    return {owner: -int(cents) for owner, cents in caller.session.execute(query.order_by(Account.owner))}


def file_of(caller: Caller, file: str, gateway: PaymentGateway, on: date | None = None) -> bytes:
    """What tells the bank to pay the orders of a file; asked again, it is the same file."""
    caller.must_have(Role.OPERATOR)
    there = of_file(caller, file)
    transfers = [Transfer(one.id, one.name, one.iban, one.bic, one.cents, f"{WORDS} {one.id[:8]}") for one in there]
    at = there[0].at
    return gateway.instruct(transfers, parties.known(caller, HUB), id=file, at=at, on=on or at.date())


def of_file(caller: Caller, file: str, missing: list[Payout] | None = None) -> list[Payout]:
    """The orders of one file.

    Raises
    ------
    NotFoundError
        There is none.
    """
    found = list(caller.session.scalars(sa.select(Payout).where(Payout.file == file).order_by(Payout.party)))
    if not found and missing is None:
        raise NotFoundError("a payment file must exist, got an unknown one; look at the books")
    return found


def state_of(caller: Caller, payout: Payout) -> str:
    """``ordered``, ``paid`` or ``returned``."""
    last = _last_of(caller, payout)
    return last.kind.removeprefix("payout.") if last else ""


def refused_by_bank(caller: Caller, party: str, iban: str) -> bool:
    """Whether the last payout to this account was given back, and its owner has not confirmed the account since.

    Banks give payments back for reasons of their own, too: the account may be right.
    """
    sent = sa.select(Payout).where(Payout.party == party, Payout.iban == iban_number.compact(iban))
    last = caller.session.scalar(sent.order_by(Payout.at.desc(), Payout.id).limit(1))
    if last is None or (found := _last_of(caller, last)) is None or found.kind != "payout.returned":
        return False
    confirmed = parties.confirmed_at(caller, party)
    return confirmed is None or confirmed <= found.at


def was_refund(caller: Caller, payout: Payout) -> bool:
    """Whether it was ordered to pay back what somebody paid too much."""
    return _source(caller, payout).name == "receivable"


def returned(caller: Caller, payout_id: str) -> int:
    """Book that the bank did not carry out an order; the amount is owed again.

    Raises
    ------
    NotFoundError, StateError
        There is no such order, or it was paid or returned.
    """
    caller.must_have(Role.OPERATOR)
    lock(caller.session)
    payout = caller.session.get(Payout, payout_id)
    if payout is None:
        raise NotFoundError("a payout must exist, got an unknown one; look at the books")
    if state_of(caller, payout) != "ordered":
        raise StateError("a payout must be on its way to be returned, got another; nothing was changed")
    return _end(caller, payout, _source(caller, payout), "returned", f"payout:{payout.id}:returned")


def receive(caller: Caller, receipts: Sequence[Receipt]) -> dict[str, int]:
    """Book a statement's movements, each once; returns how many were matched, were not, and were booked before."""
    caller.must_have(Role.OPERATOR)
    lock(caller.session)
    told = {"matched": 0, "unmatched": 0, "before": 0}
    for one in receipts:
        known = caller.session.scalar(sa.select(Transaction.number).where(Transaction.key == f"bank:{one.id}"))
        told["before" if known else _receive(caller, one)] += 1
    return told


def _receive(caller: Caller, one: Receipt) -> str:
    key = f"bank:{one.id}"
    payout = _payout_of(caller, one) if one.cents < 0 else None
    if payout is not None:
        _end(caller, payout, bank(one.currency), "paid", key)
        return "matched"
    back = _payout_of(caller, one, "paid") if one.cents > 0 else None
    if back is not None:
        source = _source(caller, back)
        _post(
            caller,
            Posting(
                key, "payout.returned", f"payout:{back.id}", ((bank(one.currency), one.cents), (source, -one.cents))
            ),
        )
        return "matched"
    query = sa.select(Invoice).where(Invoice.reference == one.reference, Invoice.currency == one.currency)
    invoice = caller.session.scalar(query) if one.reference and one.cents > 0 else None
    place = receivable(invoice.payer, one.currency) if invoice else unmatched(one.currency)
    subject = f"invoice:{invoice.id}" if invoice else f"bank:{one.id}"
    _post(caller, Posting(key, "payment.received" if one.cents > 0 else "payment.sent", subject,
                          ((bank(one.currency), one.cents), (place, -one.cents))))  # fmt: skip
    return "matched" if invoice else "unmatched"


def _payout_of(caller: Caller, one: Receipt, state: str = "ordered") -> Payout | None:
    """The payout that a movement carries out, or gives back."""
    query = sa.select(Payout).where(sa.func.replace(Payout.id, "-", "") == one.transfer, Payout.cents == abs(one.cents))
    found = caller.session.scalar(query) if one.transfer else None
    return found if found and state_of(caller, found) == state else None


def _last_of(caller: Caller, payout: Payout) -> Transaction | None:
    """What was booked last of an order."""
    booked = sa.select(Transaction).where(Transaction.subject == f"payout:{payout.id}")
    return caller.session.scalar(booked.order_by(Transaction.number.desc()).limit(1))


def _must_be_taken(caller: Caller, party: str, iban: str) -> None:
    if refused_by_bank(caller, party, iban):
        raise StateError(
            "a payout must go to an account that the bank takes, got the one it gave back; correct or confirm the IBAN"
        )


def _ordered(caller: Caller, file: str, source: Place, party: str, cents: int) -> Payout:
    details = parties.known(caller, party)
    made = Payout(id=new_id(), file=file, party=party, name=details.name, iban=iban_number.compact(details.iban),
                  bic=details.bic, currency=EURO, cents=cents, at=caller.now)  # fmt: skip
    caller.session.add(made)
    caller.session.flush()
    entries = ((source, cents), (paying(party), -cents))
    subject = f"payout:{made.id}"
    _post(caller, Posting(f"{subject}:ordered", "payout.ordered", subject, entries, digest_of(made)))
    return made


def _end(caller: Caller, payout: Payout, place: Place, how: str, key: str) -> int:
    subject = f"payout:{payout.id}"
    entries = ((paying(payout.party, payout.currency), payout.cents), (place, -payout.cents))
    return _post(caller, Posting(key, f"payout.{how}", subject, entries))


def _source(caller: Caller, payout: Payout) -> Place:
    """What the order was taken from: earnings, or what was paid too much."""
    ordered = sa.select(Transaction.number).where(Transaction.key == f"payout:{payout.id}:ordered").scalar_subquery()
    names = sa.select(Account.name).join(Entry, Entry.account == Account.id).where(Entry.number == ordered)
    there = "payable" in set(caller.session.scalars(names))
    return (payable if there else receivable)(payout.party, payout.currency)


def _post(caller: Caller, posting: Posting) -> int:
    number = post(caller.session, posting, now=caller.now)
    actor = caller.person.id if caller.person else "system"
    record(
        caller.session, now=caller.now, actor=actor, action=posting.kind, subject=posting.subject, transaction=number
    )
    return number
