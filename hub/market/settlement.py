"""Accounting of a month: what was earned, by whom, from which data set, and how often it was used.

Belongs here: reading the books and the meter. Does not belong here: posting and paying (``hub.money``).

Everything is read from the books, so that a settlement agrees with them to the cent: it counts invoices and credit notes by their
day. What is held or was paid out changes later and is told as of now.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.periods import add_months
from hub.market.tables import AccessFee, Purchase, Use
from hub.money.accounts import HUB
from hub.money.tables import Account, Entry, Invoice, Transaction
from records.errors import ParameterError

ISSUED, CREDITED = "invoice.issued", "credit_note.issued"
COLUMNS = ("month", "channel", "dataset_id", "holder_id", "currency", "invoiced", "credited", "earned")


@dataclass(frozen=True)
class Earned:
    """Cents without VAT that one holder (or the hub) earned from one data set."""

    month: str
    channel: str
    dataset_id: str
    holder_id: str
    currency: str
    invoiced: int
    credited: int

    @property
    def earned(self) -> int:
        """Invoiced less credited."""
        return self.invoiced - self.credited


@dataclass(frozen=True)
class Used:
    """How often a data set was used in a month."""

    dataset_id: str
    kind: str
    times: int


@dataclass(frozen=True)
class Settlement:
    """One month: earnings and uses; ``receivable`` is what buyers were asked for, VAT and all, less credits, by currency."""

    month: str
    rows: tuple[Earned, ...]
    uses: tuple[Used, ...]
    vat: dict[str, int]
    receivable: dict[str, int]

    def of(self, holder_id: str) -> "Settlement":
        """The part that one holder may see."""
        rows = tuple(one for one in self.rows if one.holder_id == holder_id)
        datasets = {one.dataset_id for one in rows}
        return Settlement(self.month, rows, tuple(one for one in self.uses if one.dataset_id in datasets), {}, {})


def settle(session: Session, month: str) -> Settlement:
    """The settlement of a month, written ``2026-11``; the same month gives the same, as long as nothing is booked in it."""
    begin, end = _bounds(month)
    purchases = {
        one.invoice_id: ("market", one.dataset_id) for one in session.scalars(sa.select(Purchase)) if one.invoice_id
    }
    fees = {one: ("access", "") for one in session.scalars(sa.select(AccessFee.invoice_id)) if one}
    known = purchases | fees
    credits = {
        one: former for one, former in session.execute(sa.select(Invoice.id, Invoice.credits)).tuples() if former
    }
    sums: dict[tuple[str, str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    tax, gross = defaultdict[str, int](int), defaultdict[str, int](int)
    for subject, kind, name, owner, currency, cents in _entries(session, begin, end):
        document = subject.removeprefix("invoice:")
        channel, dataset = known.get(credits.get(document) or document, ("other", ""))
        if name == "vat":
            tax[currency] -= cents
        elif name == "receivable":
            gross[currency] += cents
        else:
            sums[channel, dataset, owner, currency][kind == CREDITED] += -cents if kind == ISSUED else cents
    rows = [
        Earned(month, channel, dataset, HUB if owner == HUB else owner, currency, *parts)
        for (channel, dataset, owner, currency), parts in sorted(sums.items())
    ]
    return Settlement(month, tuple(rows), tuple(_uses(session, begin, end)), dict(tax), dict(gross))


def month_of(day: datetime) -> str:
    """The month of a moment."""
    return f"{day:%Y-%m}"


def as_csv(rows: Sequence[Earned]) -> str:
    """Earnings as CSV, in cents."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([getattr(row, name) for name in COLUMNS] for row in rows)
    return text.getvalue()


def plain(found: Settlement) -> dict[str, Any]:
    """A settlement as JSON values."""
    return asdict(found) | {"rows": [asdict(one) | {"earned": one.earned} for one in found.rows]}


def _entries(session: Session, begin: datetime, end: datetime) -> Sequence[Any]:
    query = (
        sa.select(Transaction.subject, Transaction.kind, Account.name, Account.owner, Entry.currency, Entry.cents)
        .join(Entry, Entry.number == Transaction.number).join(Account, Account.id == Entry.account)
        .where(Transaction.kind.in_((ISSUED, CREDITED)), Transaction.at >= begin, Transaction.at < end)
    )  # fmt: skip
    return session.execute(query).all()


def _uses(session: Session, begin: datetime, end: datetime) -> list[Used]:
    query = (
        sa.select(Use.dataset_id, Use.kind, sa.func.count()).where(Use.at >= begin, Use.at < end)
        .group_by(Use.dataset_id, Use.kind).order_by(Use.dataset_id, Use.kind)
    )  # fmt: skip
    return [Used(dataset, kind, times) for dataset, kind, times in session.execute(query).tuples()]


def _bounds(month: str) -> tuple[datetime, datetime]:
    if not re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", month):
        raise ParameterError("a month must be written as 2026-11, got another; write it again")
    first = date.fromisoformat(f"{month}-01")
    after = add_months(first, 1)
    return datetime(first.year, first.month, 1, tzinfo=UTC), datetime(after.year, after.month, 1, tzinfo=UTC)
