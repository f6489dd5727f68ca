"""Posting: transactions that balance, in one order, each booked once.

Belongs here: appending, reversing and balances. Does not belong here: what is posted when (``invoices``, ``payouts``), digests
(``chain``), the check (``check``).

References
----------
Pacioli (1494), Summa de arithmetica, tractatus XI (double entry). A key is what HTTP calls an idempotency key: the same step sent
twice is booked once.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.errors import NotFoundError, StateError
from hub.money.accounts import Kind, Place
from hub.money.chain import GENESIS, entry_digest, transaction_digest
from hub.money.currency import whole
from hub.money.tables import Account, Entry, Transaction
from records.errors import ParameterError

APPEND_LOCK = 7_204_121  # any number that no other program locks
LONGEST = 200
BATCH = 500
NEWEST = sa.select(Transaction.number, Transaction.digest).order_by(Transaction.number.desc()).limit(1)


@dataclass(frozen=True)
class Posting:
    """A transaction to be: ``key`` names the step, ``subject`` the object as ``<kind>:<id>``, ``document`` its digest."""

    key: str
    kind: str
    subject: str
    entries: tuple[tuple[Place, int], ...]
    document: str = ""
    reverses: int | None = None

    def __post_init__(self) -> None:
        sums: Counter[str] = Counter()
        for place, cents in self.entries:
            sums[place.currency] += whole(cents)
        if any(sums.values()):
            raise ParameterError(
                "a transaction must add up to 0 in each currency, got another sum; look at its entries"
            )
        if len(self.lines) < 2:
            raise ParameterError("a transaction must have at least two entries, got fewer; post some amount")
        if not all(0 < len(text) <= LONGEST for text in (self.key, self.kind, self.subject)):
            raise ParameterError(f"key, kind and subject must have 1 to {LONGEST} characters, got others; name them")

    @property
    def lines(self) -> list[tuple[Place, int]]:
        """The entries that move something."""
        return [(place, cents) for place, cents in self.entries if cents]


def lock(session: Session) -> None:
    """Wait for the right to append, before balances are read that the step relies on."""
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        # SQLite has one writer anyway, from the first statement of a writing session on.
        session.execute(sa.text(f"SELECT pg_advisory_xact_lock({APPEND_LOCK})"))


def post(session: Session, posting: Posting, *, now: datetime) -> int:
    """Book one transaction; returns its number, or that of the first one with the same key.

    Raises
    ------
    StateError
        The key was used for something else.
    """
    return post_many(session, [posting], now=now)[0]


def post_many(session: Session, postings: Sequence[Posting], *, now: datetime) -> list[int]:
    """Book transactions in order."""
    lock(session)
    known = _known(session, postings)
    newest = session.execute(NEWEST).first()
    number, former = (0, GENESIS) if newest is None else (newest.number, newest.digest)
    stamp, found, rows, entries = _stamp(now), [], [], []
    for posting in postings:
        if (before := known.get(posting.key)) is not None:
            found.append(_once(session, posting, before))
            continue
        number += 1
        lines = _lines(number, posting)
        row = (number, stamp, posting.key, posting.kind, posting.subject, posting.document, posting.reverses,
               len(lines), former)  # fmt: skip
        former = transaction_digest(row, [line["digest"] for line in lines])
        rows.append(dict(zip(COLUMNS, row, strict=True)) | {"at": now, "digest": former})
        entries += lines
        found.append(number)
        known[posting.key] = (number, posting)
    _write(session, postings, rows, entries)
    return found


def reverse(session: Session, number: int, *, key: str, kind: str, now: datetime, document: str = "") -> int:
    """Take a transaction back, once, by its opposite.

    Raises
    ------
    NotFoundError, StateError
        There is no such transaction; or it was taken back under another key.
    """
    lock(session)
    original = session.get(Transaction, number)
    if original is None:
        raise NotFoundError("a transaction must exist to be taken back, got an unknown number; look at the statement")
    taken = session.scalar(sa.select(Transaction.key).where(Transaction.reverses == number))
    if taken is not None and taken != key:
        raise StateError("a transaction must be taken back once, got a second time; nothing was changed")
    opposite = tuple((place, -cents) for place, cents in entries_of(session, number))
    return post(session, Posting(key, kind, original.subject, opposite, document, number), now=now)


def entries_of(session: Session, number: int) -> list[tuple[Place, int]]:
    """The entries of a transaction."""
    query = (
        sa.select(Account.kind, Account.name, Account.owner, Account.currency, Entry.cents)
        .join(Entry, Entry.account == Account.id).where(Entry.number == number).order_by(Entry.line)
    )  # fmt: skip
    return [(Place(Kind(kind), name, owner, code), cents) for kind, name, owner, code, cents in session.execute(query)]


def balance(session: Session, place: Place) -> int:
    """Debits less credits."""
    return int(session.scalar(sa.select(sa.func.sum(Entry.cents)).where(Entry.account == place.id)) or 0)


def moved(session: Session, place: Place, subject: str) -> int:
    """Debits less credits on ``place`` by transactions on ``subject``."""
    query = sa.select(sa.func.sum(Entry.cents)).join(Transaction, Transaction.number == Entry.number)
    return int(session.scalar(query.where(Transaction.subject == subject, Entry.account == place.id)) or 0)


COLUMNS = ("number", "at", "key", "kind", "subject", "document", "reverses", "lines", "former")


def _lines(number: int, posting: Posting) -> list[dict[str, Any]]:
    return [
        {"number": number, "line": line, "account": place.id, "currency": place.currency, "cents": cents,
         "digest": entry_digest(number, line, place.id, place.currency, cents)}
        for line, (place, cents) in enumerate(posting.lines, start=1)
    ]  # fmt: skip


def _write(
    session: Session, postings: Sequence[Posting], rows: list[dict[str, Any]], entries: list[dict[str, Any]]
) -> None:
    if not rows:
        return
    connection = session.connection()
    _open(connection, {place.id: place for posting in postings for place, _ in posting.lines})
    # The row of a transaction closes it: the store then looks whether its entries are complete and balanced.
    connection.execute(sa.insert(Entry.__table__), entries)  # type: ignore[arg-type]
    connection.execute(sa.insert(Transaction.__table__), rows)  # type: ignore[arg-type]


def _open(connection: sa.Connection, places: dict[str, Place]) -> None:
    there: set[str] = set()
    for part in _parts(list(places)):
        there |= set(connection.execute(sa.select(Account.id).where(Account.id.in_(part))).scalars())
    missing = [
        {"id": one, "kind": place.kind.value, "name": place.name, "owner": place.owner, "currency": place.currency}
        for one, place in places.items()
        if one not in there
    ]
    if missing:
        connection.execute(sa.insert(Account.__table__), missing)  # type: ignore[arg-type]


def _known(session: Session, postings: Sequence[Posting]) -> dict[str, tuple[int, Posting | None]]:
    """Keys that were used: the number, and what was posted if it was in the same batch."""
    known: dict[str, tuple[int, Posting | None]] = {}
    for part in _parts([posting.key for posting in postings]):
        query = sa.select(Transaction.key, Transaction.number).where(Transaction.key.in_(part))
        known |= {key: (number, None) for key, number in session.execute(query)}
    return known


def _once(session: Session, posting: Posting, before: tuple[int, Posting | None]) -> int:
    number, same = before
    if same is None:
        row = session.get_one(Transaction, number)
        same = Posting(row.key, row.kind, row.subject, tuple(entries_of(session, number)), row.document, row.reverses)
    told = [(one.kind, one.subject, one.lines, one.document, one.reverses) for one in (posting, same)]
    if told[0] != told[1]:
        raise StateError("a key must name one step, got a key that was used for another; choose a new one")
    return number


def _parts(values: list[str]) -> Iterable[list[str]]:
    return (values[at : at + BATCH] for at in range(0, len(values), BATCH))


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
