"""Invoices and payouts against the books: each is bound by its digest to the transaction that booked it.

Belongs here: digests of these rows, their comparison, and gaps in invoice numbers. Does not belong here: issuing (``invoices``,
``payouts``).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.money.chain import document_digest
from hub.money.tables import Invoice, Payout

Add = Callable[..., None]
LEFT_OUT = ("sha256",)


def digest_of(row: Invoice | Payout) -> str:
    """Over every column but the digest itself; dates and times as they are stored."""
    return document_digest(_values(row.__table__, lambda name: getattr(row, name)))  # type: ignore[arg-type]


def compare(session: Session, booked: Mapping[str, tuple[int, str]], add: Add) -> int:
    """Note changed, missing and added documents, and gaps in invoice numbers; returns how many documents there are."""
    waiting, count = dict(booked), 0
    for kind, row in _rows(session):
        count += 1
        name, found = f"{kind}:{row.id}", digest_of(row)
        if kind == "invoice" and found != row.sha256:
            add("the invoice was changed", row=name)
            waiting.pop(row.sha256, None)
        elif (place := waiting.pop(found, None)) is None or place[1] != name:
            add(f"the {kind} was changed or added: it was not booked so", row=name)
    for number, subject in waiting.values():
        add("the document of a transaction is missing or was changed", number, row=subject)
    _gaps(session, add)
    return count


def _rows(session: Session) -> Iterator[tuple[str, Any]]:
    for kind, table in (("invoice", Invoice), ("payout", Payout)):
        for row in session.scalars(sa.select(table).execution_options(yield_per=500)):
            yield kind, row


def _gaps(session: Session, add: Add) -> None:
    """Numbers must run from 1 without a gap, per issuer and year (Directive 2006/112/EC, Article 226(2))."""
    columns = (Invoice.issuer, Invoice.year, sa.func.count(), sa.func.max(Invoice.sequence))
    for issuer, year, count, last in session.execute(sa.select(*columns).group_by(Invoice.issuer, Invoice.year)):
        if count != last:
            add("invoice numbers have a gap", row=f"invoices:{issuer}:{year}")


def _values(table: sa.Table, value: Callable[[str], Any]) -> dict[str, Any]:
    return {column.name: value(column.name) for column in table.columns if column.name not in LEFT_OUT}
