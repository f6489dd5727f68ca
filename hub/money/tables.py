"""Tables of the books. What is booked is never changed: triggers refuse it, and the chain tells of it.

Belongs here: what is stored, and what the store itself refuses. Does not belong here: the order of entries (``ledger``), the
check (``check``).

Entries are written before their transaction, whose row closes them: the store refuses it unless all its entries are there and
add up to zero in each currency, and refuses entries of a transaction that is closed. A foreign key that is looked at when the
store commits refuses entries that were never closed.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column

from hub.database.base import Base, new_id
from hub.money.guards import guard


class Account(Base):
    """One account in one currency. ``id`` is the digest of the other columns, so that entries bind them."""

    __tablename__ = "money_accounts"
    __table_args__ = (sa.UniqueConstraint("id", "currency", name="uq_money_accounts_id_currency"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    owner: Mapped[str] = mapped_column(index=True)
    currency: Mapped[str]


class Entry(Base):
    """``cents`` on one account, of transaction ``number``: above zero is debit, below is credit."""

    __tablename__ = "money_entries"
    __table_args__ = (
        sa.ForeignKeyConstraint(["account", "currency"], ["money_accounts.id", "money_accounts.currency"],
                                name="fk_money_entries_account_money_accounts"),
        sa.CheckConstraint("cents <> 0", name="ck_money_entries_some"),
        sa.Index("ix_money_entries_account", "account", "cents"),
    )  # fmt: skip

    number: Mapped[int] = mapped_column(
        sa.ForeignKey("money_transactions.number", deferrable=True, initially="DEFERRED"), primary_key=True,
        autoincrement=False,
    )  # fmt: skip
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account: Mapped[str]
    currency: Mapped[str]
    cents: Mapped[int] = mapped_column(sa.BigInteger)
    digest: Mapped[str]


class Transaction(Base):
    """Entries that belong together. ``digest`` covers every other column, the entries' digests and the former digest."""

    __tablename__ = "money_transactions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    document: Mapped[str]
    reverses: Mapped[int | None] = mapped_column(sa.ForeignKey("money_transactions.number"), unique=True)
    lines: Mapped[int]
    former: Mapped[str]
    digest: Mapped[str]


class Head(Base):
    """The Merkle root over the first ``size`` transactions, attested by a notary."""

    __tablename__ = "money_heads"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[str]
    at: Mapped[datetime]
    signature: Mapped[str]
    peaks: Mapped[list[str]]


class Invoice(Base):
    """An invoice or a credit note as it was issued; ``document`` is the whole of it, ``sha256`` is in the books."""

    __tablename__ = "money_invoices"
    __table_args__ = (
        sa.UniqueConstraint("issuer", "year", "sequence", name="uq_money_invoices_issuer"),
        sa.CheckConstraint("sequence >= 1", name="ck_money_invoices_sequence"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    issuer: Mapped[str]
    year: Mapped[int]
    sequence: Mapped[int]
    number: Mapped[str]
    payer: Mapped[str] = mapped_column(index=True)
    payees: Mapped[list[str]]
    credits: Mapped[str | None] = mapped_column(sa.ForeignKey("money_invoices.id"), index=True)
    reference: Mapped[str | None] = mapped_column(unique=True)
    currency: Mapped[str]
    gross: Mapped[int] = mapped_column(sa.BigInteger)
    issued_on: Mapped[date]
    document: Mapped[dict[str, Any]]
    sha256: Mapped[str]


class Payout(Base):
    """An order to pay somebody, as it was given to the bank; whether it was carried out is in the books."""

    __tablename__ = "money_payouts"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    file: Mapped[str] = mapped_column(index=True)
    party: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    iban: Mapped[str]
    bic: Mapped[str]
    currency: Mapped[str]
    cents: Mapped[int] = mapped_column(sa.BigInteger)
    at: Mapped[datetime]


class Party(Base):
    """Who invoices and is paid: a person's details, or those of the hub itself (``hub``). These may change."""

    __tablename__ = "money_parties"

    id: Mapped[str] = mapped_column(primary_key=True)
    details: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]


def _guarded(table: sa.Table, connection: sa.Connection, **_: Any) -> None:
    guard(connection, table.name)


for _table in (Account, Entry, Transaction, Head, Invoice, Payout):
    event.listen(_table.__table__, "after_create", _guarded)
