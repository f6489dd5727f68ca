"""The check of the books: is every row as it was booked, and if not, which?

Belongs here: the walk over all rows. Does not belong here: reports (``books``).

What is found: every change, removal, addition or exchange of an account, entry, transaction, invoice or payout, a transaction
that does not balance, a gap in invoice numbers, a cut end behind a head, and a rewrite of everything if a head was signed before
it: those in the store, and any that somebody kept elsewhere. What no check can find: transactions cut off or rewritten before any
head over them was signed.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.merkle import Frontier
from hub.money import documents
from hub.money.accounts import account_id
from hub.money.chain import GENESIS, entry_digest, transaction_digest
from hub.money.heads import stored
from hub.money.notary import BooksHead, Notary
from hub.money.tables import Account, Entry, Transaction

BATCH = 5000
MOST = 100  # faults told; a rewritten store has one in every row
COLUMNS = (
    Transaction.number, sa.type_coerce(Transaction.at, sa.String), Transaction.key, Transaction.kind, Transaction.subject,
    Transaction.document, Transaction.reverses, Transaction.lines, Transaction.former, Transaction.digest,
)  # fmt: skip
ROW = (Entry.number, Entry.line, Entry.account, Entry.currency, Entry.cents, Entry.digest)
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: in transaction ``number`` (to ``until``), in ``line`` of it, or at ``row`` of another table."""

    reason: str
    number: int | None = None
    line: int | None = None
    until: int | None = None
    row: str = ""


@dataclass
class Verdict:
    """What was looked at and what is wrong."""

    transactions: int = 0
    entries: int = 0
    documents: int = 0
    heads: int = 0
    root: str = ""
    faults: list[Fault] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def add(
        self, reason: str, number: int | None = None, line: int | None = None, until: int | None = None, row: str = ""
    ) -> None:
        """Note a fault, up to ``MOST``."""
        if len(self.faults) < MOST:
            self.faults.append(Fault(reason, number, line, until, row))


def check(session: Session, notary: Notary, kept: Sequence[BooksHead] = ()) -> Verdict:
    """Look at every row, and at all heads, stored and ``kept`` ones alike."""
    verdict = Verdict()
    walk = _Walk(verdict, _accounts(session, verdict), sorted([*stored(session), *kept], key=lambda head: head.size))
    for head in walk.heads:
        if not notary.genuine(head):
            verdict.add("a head is not signed by this notary", row=f"head:{head.size}")
    for row, entries in _rows(session, verdict):
        walk.step(row, entries)
    walk.end()
    verdict.documents = documents.compare(session, walk.documents, verdict.add)
    return verdict


class _Walk:
    """One pass over the chain."""

    def __init__(self, verdict: Verdict, accounts: dict[str, str], heads: Sequence[BooksHead]) -> None:
        self.verdict, self.accounts, self.heads = verdict, accounts, heads
        self.frontier, self.former, self.expected, self.agreed = Frontier(), GENESIS, 1, 0
        self.documents: dict[str, tuple[int, str]] = {}
        self.waiting = iter(heads)
        self.head = next(self.waiting, None)

    def step(self, row: Row, entries: list[Row]) -> None:
        """Look at one transaction, the next in order."""
        number, former, digest, faults = row[0], row[8], row[9], len(self.verdict.faults)
        self._follows(number)
        sums = self._entries(row, entries)
        if any(sums.values()):
            self.verdict.add("the transaction does not add up to 0", number)
        if transaction_digest(row[:9], [entry[5] for entry in entries]) != digest:
            if len(self.verdict.faults) == faults:  # else a line of it was already named
                self.verdict.add("the transaction was changed", number)
        elif former != self.former and len(self.verdict.faults) == faults:
            # It fits itself, so what it was built on is another: the one before was replaced.
            self.verdict.add("the transaction was replaced: the next one was built on another", max(number - 1, 1))
        if row[5]:
            self.documents[row[5]] = (number, row[4])
        self.former = digest
        self._grow(number, digest)

    def end(self) -> None:
        """Look whether signed transactions are missing at the end."""
        verdict = self.verdict
        verdict.transactions, verdict.root = self.frontier.size, self.frontier.root.hex()
        if self.head is not None and self.heads[-1].size >= self.expected:
            verdict.add("signed transactions were cut off", self.expected, until=self.heads[-1].size)

    def _follows(self, number: int) -> None:
        if number > self.expected:
            self.verdict.add("transactions are missing", self.expected, until=number - 1)
        elif number < self.expected:
            self.verdict.add("a transaction was added", number)
        self.expected = max(self.expected, number + 1)

    def _entries(self, row: Row, entries: list[Row]) -> dict[str, int]:
        """Look at the entries; their sums by currency."""
        add, number, sums = self.verdict.add, row[0], defaultdict(int)
        for expected, (_, line, account, currency, cents, digest) in enumerate(entries, start=1):
            if entry_digest(number, line, account, currency, cents) != digest:
                add("the entry was changed", number, line)
            elif self.accounts.get(account) != currency:
                add("the entry's account is missing or of another currency", number, line)
            elif line != expected:
                add("an entry is missing or was added", number, expected)
                break
            sums[currency] += cents if isinstance(cents, int) else 0
        if len(entries) != row[7] and (not entries or entries[-1][1] == len(entries)):
            add("an entry is missing or was added", number, min(len(entries) + 1, row[7] + 1))
        self.verdict.entries += len(entries)
        return sums

    def _grow(self, number: int, digest: str) -> None:
        try:
            self.frontier.append(bytes.fromhex(digest))
        except ValueError:
            self.frontier.append(b"")
        while self.head is not None and self.head.size <= number:
            if self.head.size == number:
                self._agree(self.head)
            self.head = next(self.waiting, None)

    def _agree(self, head: BooksHead) -> None:
        if self.frontier.root.hex() == head.root:
            self.verdict.heads, self.agreed = self.verdict.heads + 1, head.size
        elif self.verdict.intact:  # what is wrong before a head makes all later heads disagree
            self.verdict.add("the books were rewritten: they differ from a head", self.agreed + 1, until=head.size)


def _accounts(session: Session, verdict: Verdict) -> dict[str, str]:
    """Ids of accounts to their currency."""
    found = {}
    columns = (Account.id, Account.kind, Account.name, Account.owner, Account.currency)
    for one, kind, name, owner, currency in session.execute(sa.select(*columns)):
        if account_id(kind, name, owner, currency) != one:
            verdict.add("the account was changed", row=f"account:{one}")
        found[one] = currency
    return found


def _rows(session: Session, verdict: Verdict) -> Iterator[tuple[Row, list[Row]]]:
    """Transactions with their entries, in order; entries without a transaction are noted."""
    after = None
    while True:
        rows = _after(session, COLUMNS, Transaction.number, after)
        last = rows[-1][0] if rows else None
        entries: dict[int, list[Row]] = defaultdict(list)
        for entry in _entries_between(session, after, last):
            entries[entry[0]].append(entry)
        for row in rows:
            yield row, entries.pop(row[0], [])
        for number, orphans in entries.items():
            verdict.add("entries have no transaction", number, orphans[0][1])
        if last is None:
            return
        after = last


def _after(session: Session, columns: Sequence[Any], key: Any, after: int | None) -> list[Row]:
    query = sa.select(*columns).order_by(key).limit(BATCH)
    return _plain(session, query if after is None else query.where(key > after))


def _entries_between(session: Session, after: int | None, last: int | None) -> list[Row]:
    query = sa.select(*ROW).order_by(Entry.number, Entry.line)
    if after is not None:
        query = query.where(Entry.number > after)
    return _plain(session, query if last is None else query.where(Entry.number <= last))


def _plain(session: Session, query: Any) -> list[Row]:
    return [tuple(row) for row in session.connection().execute(query)]  # no objects: there may be millions
