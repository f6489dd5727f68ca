"""Reading the books: trial balance, an account's statement, exports.

Belongs here: reports. Does not belong here: the check of every row (``check``), posting (``ledger``).
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.chain import stamp
from hub.errors import NotFoundError
from hub.money import heads
from hub.money.check import Fault, Verdict, check
from hub.money.tables import Account, Entry, Transaction

__all__ = ["Fault", "Verdict", "check"]
PAGE = 100
FORMAT = "phaseiv-books-export-v1"
COLUMNS = ("number", "line", "at", "key", "kind", "subject", "document", "reverses", "account", "account_kind",
           "account_name", "owner", "currency", "cents", "digest")  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """One account of the trial balance; either ``debit`` or ``credit`` is above zero."""

    account: str
    kind: str
    name: str
    owner: str
    currency: str
    entries: int
    debit: int
    credit: int


@dataclass(frozen=True)
class Movement:
    """One entry of a statement, with the balance after it."""

    number: int
    line: int
    at: datetime
    kind: str
    subject: str
    cents: int
    balance: int


def trial_balance(session: Session) -> list[Standing]:
    """All accounts by currency, kind, name and owner; debits and credits of each currency are equal."""
    sums = (
        sa.select(Entry.account, sa.func.sum(Entry.cents).label("cents"), sa.func.count().label("entries"))
        .group_by(Entry.account).subquery()
    )  # fmt: skip
    columns = (Account.id, Account.kind, Account.name, Account.owner, Account.currency, sums.c.entries, sums.c.cents)
    order = (Account.currency, Account.kind, Account.name, Account.owner)
    query = sa.select(*columns).join(sums, sums.c.account == Account.id).order_by(*order)
    return [
        Standing(one, kind, name, owner, currency, entries, max(int(cents), 0), max(-int(cents), 0))
        for one, kind, name, owner, currency, entries, cents in session.execute(query)
    ]


def totals(standings: list[Standing]) -> dict[str, tuple[int, int]]:
    """Debits and credits by currency."""
    found: dict[str, tuple[int, int]] = {}
    for one in standings:
        debit, credit = found.get(one.currency, (0, 0))
        found[one.currency] = debit + one.debit, credit + one.credit
    return found


def account(session: Session, account_id: str) -> Account:
    """One account.

    Raises
    ------
    NotFoundError
        There is none.
    """
    found = session.get(Account, account_id)
    if found is None:
        raise NotFoundError("the account must exist, got an unknown one; look at the trial balance")
    return found


def statement(session: Session, account_id: str, before: int | None = None) -> list[Movement]:
    """An account's entries below transaction ``before``, newest first, at most ``PAGE``."""
    so_far = sa.func.sum(Entry.cents).over(order_by=(Entry.number, Entry.line))
    inner = (
        sa.select(Entry.number, Entry.line, Entry.cents, so_far.label("balance"))
        .where(Entry.account == account_id).subquery()
    )  # fmt: skip
    query = (
        sa.select(inner.c.number, inner.c.line, Transaction.at, Transaction.kind, Transaction.subject, inner.c.cents,
                  inner.c.balance)
        .join(Transaction, Transaction.number == inner.c.number)
        .order_by(inner.c.number.desc(), inner.c.line.desc()).limit(PAGE)
    )  # fmt: skip
    if before is not None:
        query = query.where(inner.c.number < before)
    return [Movement(*row[:6], int(row[6])) for row in session.execute(query)]


def rows(session: Session) -> Iterator[dict[str, Any]]:
    """Every entry with its transaction and account, in order, in constant memory."""
    at = sa.type_coerce(Transaction.at, sa.String)
    query = (
        sa.select(Entry.number, Entry.line, at, Transaction.key, Transaction.kind, Transaction.subject,
                  Transaction.document, Transaction.reverses, Entry.account, Account.kind, Account.name, Account.owner,
                  Entry.currency, Entry.cents, Transaction.digest)
        .join(Transaction, Transaction.number == Entry.number).join(Account, Account.id == Entry.account)
        .order_by(Entry.number, Entry.line)
    )  # fmt: skip
    for row in session.execute(query.execution_options(yield_per=2000)):
        yield dict(zip(COLUMNS, row, strict=True))


def as_csv(session: Session) -> Iterator[str]:
    """The books as CSV, piece by piece; a text that a spreadsheet would run as a formula is led by an apostrophe."""
    yield _line(COLUMNS)
    for row in rows(session):
        yield _line([_plain(row[name]) for name in COLUMNS])


def as_json(session: Session, notary_key: str, now: datetime) -> Iterator[str]:
    """The books, their heads and the notary's public key as JSON, piece by piece."""
    kept = [head.plain() for head in heads.stored(session)]
    opening = {"format": FORMAT, "public_key": notary_key, "exported_at": stamp(now), "heads": kept}
    yield json.dumps(opening)[:-1] + ', "entries": [\n'
    for number, row in enumerate(rows(session)):
        yield (",\n" if number else "") + json.dumps(row)
    yield "\n]}\n"


def plain(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON values."""
    return {**asdict(verdict), "intact": verdict.intact}


def _line(values: Any) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue()


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t" and value else value
