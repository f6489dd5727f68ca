"""Issuing invoices and credit notes: numbered without gaps, booked in the same step.

Belongs here: numbers, references, booking, and who may see what. Does not belong here: arithmetic and forms (``invoice``, ``ubl``,
``pdf``), payments (``payouts``).

References
----------
Directive 2006/112/EC, Article 226(2) (a sequential number that identifies the invoice); ISO 11649 (creditor reference, RF).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.orm import Session
from stdnum import iso11649
from stdnum.iso7064 import mod_97_10

from hub.audit.log import record
from hub.caller import Caller
from hub.database.base import new_id
from hub.errors import NotFoundError, StateError
from hub.money import holds, parties
from hub.money.accounts import HUB, Place, income, payable, receivable, vat
from hub.money.documents import digest_of
from hub.money.invoice import Document, Line
from hub.money.ledger import Posting, lock, moved, post
from hub.money.tables import Invoice, Transaction
from hub.people.roles import Role
from records.errors import ParameterError

READERS = (Role.OPERATOR, Role.AUDITOR)
DAYS_TO_PAY = 30
ANOTHER = "a key must name one step, got a key that was used for another; choose a new one"


def issue(
    caller: Caller,
    *,
    key: str,
    payer: str,
    lines: Sequence[Line],
    issuer: str = HUB,
    currency: str = "EUR",
    note: str = "",
) -> Invoice:
    """Issue and book an invoice to ``payer``; the same ``key`` gives the first one.

    Parameters
    ----------
    key : str
        Names the step, for instance ``agreement:<id>``.
    lines : sequence of Line
        Each with its shares: the payees' ids, or ``hub`` for what the hub keeps.

    Raises
    ------
    ParameterError, StateError
        A line or its VAT is wrong; or somebody's billing details are missing.
    """
    lock(caller.session)
    if (before := _booked(caller.session, f"invoice:{key}")) is not None:
        return _same(before, issuer=issuer, payer=payer, currency=currency, lines=lines)
    due, today = (caller.now + timedelta(days=DAYS_TO_PAY)).date(), caller.now.date()
    number, year, sequence = _next(caller.session, issuer, today)
    document = _document(
        kind="invoice", number=number, issued_on=today, due_on=due, currency=currency, note=note, lines=list(lines),
        seller=parties.known(caller, issuer), buyer=parties.known(caller, payer), reference=_reference(issuer, year, sequence),
    )  # fmt: skip
    made = _kept(caller, document, issuer=issuer, payer=payer, year=year, sequence=sequence)
    _book(caller, made, document, key, sign=1)
    return made


def credit(
    caller: Caller, invoice_id: str, *, key: str, lines: Sequence[int] | None = None, words: str = ""
) -> Invoice:
    """Credit whole lines of an invoice (by default all that were not), each once; holds on the invoice end first.

    Raises
    ------
    NotFoundError, StateError, ParameterError
        There is no such invoice; a line was credited before; or there is no such line.
    """
    lock(caller.session)
    if (before := _booked(caller.session, f"invoice:{key}")) is not None:
        return _same_credit(before, invoice_id, lines)
    invoice = caller.session.get(Invoice, invoice_id)
    if invoice is None or invoice.credits is not None:
        raise NotFoundError("the invoice must exist, got an unknown one; look at the list")
    original = document_of(invoice)
    chosen = _creditable(caller.session, invoice, len(original.lines), lines)
    number, year, sequence = _next(caller.session, invoice.issuer, caller.now.date())
    document = _document(
        kind="credit_note", number=number, issued_on=caller.now.date(), currency=original.currency, note=words,
        lines=[original.lines[at] for at in chosen], seller=original.seller, buyer=original.buyer, credits=original.number,
        credits_on=original.issued_on,
    )  # fmt: skip
    for payee in invoice.payees:
        held_for = f"invoice:{invoice.id}"
        holds.release_all(caller, payee, held_for, key=f"{key}:release:{payee}", currency=invoice.currency)
    made = _kept(
        caller,
        document,
        issuer=invoice.issuer,
        payer=invoice.payer,
        year=year,
        sequence=sequence,
        credits=(invoice.id, chosen),
    )
    rounding = _rounding(caller.session, invoice, len(original.lines))
    _book(caller, made, document, key, sign=-1, rounding=rounding)
    return made


def document_of(invoice: Invoice) -> Document:
    """The document as it was issued."""
    return Document.model_validate(invoice.document["document"])


def visible(caller: Caller, invoice_id: str) -> Invoice:
    """An invoice of which the caller is payer, payee or issuer; operators and auditors see all.

    Raises
    ------
    NotFoundError
        There is none, or it is another's.
    """
    found, person = caller.session.get(Invoice, invoice_id), caller.somebody
    if found is None or not (person.id in (found.payer, found.issuer, *found.payees) or caller.has(*READERS)):
        raise NotFoundError("the invoice must be one of yours, got another; look at your invoices")
    return found


def mine(caller: Caller) -> list[Invoice]:
    """The caller's invoices, newest first; all of them for operators and auditors."""
    query = sa.select(Invoice).order_by(Invoice.issued_on.desc(), Invoice.issuer, Invoice.sequence.desc()).limit(500)
    if caller.has(*READERS):
        return list(caller.session.scalars(query))
    person = caller.somebody.id
    related = sa.or_(Invoice.payer == person, Invoice.issuer == person,
                     sa.cast(Invoice.payees, sa.String).contains(f'"{person}"', autoescape=True))  # fmt: skip
    return list(caller.session.scalars(query.where(related)))


def open_amount(session: Session, invoice: Invoice) -> int:
    """What is still to be paid of an invoice: less payments and credit notes; below 0, what was paid too much."""
    ids = [invoice.id, *session.scalars(sa.select(Invoice.id).where(Invoice.credits == invoice.id))]
    place = receivable(invoice.payer, invoice.currency)
    return sum(moved(session, place, f"invoice:{one}") for one in ids)


def _creditable(session: Session, invoice: Invoice, count: int, lines: Sequence[int] | None) -> list[int]:
    notes = session.scalars(sa.select(Invoice).where(Invoice.credits == invoice.id))
    gone = {at for note in notes for at in note.document["credited"]}
    chosen = sorted(set(lines if lines is not None else range(count)) - (gone if lines is None else set()))
    if any(not 0 <= at < count for at in chosen):
        raise ParameterError("lines to credit must be lines of the invoice, got others; choose again")
    if not chosen or gone & set(chosen):
        raise StateError("a line must be credited once, got a second time; nothing was changed")
    return chosen


def _kept(
    caller: Caller,
    document: Document,
    *,
    issuer: str,
    payer: str,
    year: int,
    sequence: int,
    credits: tuple[str, list[int]] | None = None,
) -> Invoice:
    plain: dict[str, Any] = {"document": document.model_dump(mode="json")}
    if credits is not None:
        plain["credited"] = credits[1]
    made = Invoice(
        issuer=issuer, year=year, sequence=sequence, number=document.number, payer=payer,
        credits=credits[0] if credits else None,
        payees=sorted(name for name in document.shares if name != HUB), reference=document.reference or None,
        currency=document.currency, gross=document.gross, issued_on=document.issued_on, document=plain, sha256="",
    )  # fmt: skip
    made.id = new_id()
    made.sha256 = digest_of(made)
    caller.session.add(made)
    caller.session.flush()
    return made


def _rounding(session: Session, invoice: Invoice, count: int) -> int:
    """Cents by which credit notes of all lines exceed the invoice: VAT is rounded once on each document."""
    notes = list(session.scalars(sa.select(Invoice).where(Invoice.credits == invoice.id)))
    whole = sum(len(note.document["credited"]) for note in notes) == count
    return sum(note.gross for note in notes) - invoice.gross if whole else 0


def _book(caller: Caller, made: Invoice, document: Document, key: str, *, sign: int, rounding: int = 0) -> None:
    code = document.currency
    entries: list[tuple[Place, int]] = [(receivable(made.payer, code), sign * document.gross + rounding)]
    entries += [(_earned(name, code), -sign * cents) for name, cents in document.shares.items()]
    entries.append((vat(made.issuer, code), -sign * document.tax - rounding))
    subject, kind = f"invoice:{made.id}", f"{document.kind}.issued"
    post(caller.session, Posting(f"invoice:{key}", kind, subject, tuple(entries), made.sha256), now=caller.now)
    actor = caller.person.id if caller.person else "system"
    record(
        caller.session, now=caller.now, actor=actor, action=kind, subject=subject, number=made.number, gross=made.gross
    )


def _earned(name: str, currency: str) -> Place:
    return income(HUB, currency) if name == HUB else payable(name, currency)


def _next(session: Session, issuer: str, today: date) -> tuple[str, int, int]:
    """The next number; the lock on the books is held, so that nobody else takes it."""
    last = sa.select(sa.func.max(Invoice.sequence)).where(Invoice.issuer == issuer, Invoice.year == today.year)
    sequence = int(session.scalar(last) or 0) + 1
    return f"{today.year}-{sequence:06d}", today.year, sequence


def _reference(issuer: str, year: int, sequence: int) -> str:
    """RF with check digits; letters of the issuer's id keep issuers apart."""
    body = f"{issuer.replace('-', '')[:8].upper()}{year}{sequence:06d}"
    return iso11649.validate(f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}")


def _document(**values: Any) -> Document:
    try:
        return Document.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())
        raise ParameterError(f"an invoice must keep the rules of EN 16931, got: {wrong}; mend it") from error


def _booked(session: Session, key: str) -> Invoice | None:
    subject = session.scalar(sa.select(Transaction.subject).where(Transaction.key == key))
    return session.get(Invoice, subject.removeprefix("invoice:")) if subject else None


def _same(before: Invoice, *, issuer: str, payer: str, currency: str, lines: Sequence[Line]) -> Invoice:
    told = (before.credits, before.issuer, before.payer, before.currency)
    if told != (None, issuer, payer, currency) or list(document_of(before).lines) != list(lines):
        raise StateError(ANOTHER)
    return before


def _same_credit(before: Invoice, invoice_id: str, lines: Sequence[int] | None) -> Invoice:
    others = lines is not None and sorted(set(lines)) != before.document.get("credited")
    if before.credits != invoice_id or others:
        raise StateError(ANOTHER)
    return before
