"""Tables of the market.

Belongs here: what is stored. Does not belong here: rules; money (``hub.money.tables``).
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column

from hub.audit.append_only import protect_rows
from hub.database.base import Base, new_id

KEPT: dict[str, tuple[str, ...]] = {
    "market_messages": ("negotiation_id", "number"), "market_debits": ("purchase_id",), "market_uses": ("id",),
    "market_valuations": ("sha256",),
}  # fmt: skip
"""Tables whose rows the store lets nobody change, with their keys."""


class Goods(Base):
    """A package that passed the gate; its bytes lie encrypted in a file, ``gate`` is the verdict it passed with."""

    __tablename__ = "market_goods"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    title: Mapped[str]
    formats: Mapped[list[str]]
    facts: Mapped[dict[str, Any]]
    report: Mapped[str | None] = mapped_column(sa.Text)
    gate: Mapped[dict[str, Any]]
    size: Mapped[int]
    sha256: Mapped[str]
    wrapped: Mapped[bytes]
    deposited_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None]


class Listing(Base):
    """What a holder offers. ``goods_id`` is empty for services, whose ``service`` says how each is made.

    ``state``: draft (holders are asked to consent), listed, withdrawn. ``words`` is its text, folded, for the search.
    """

    __tablename__ = "market_listings"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    holder_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    dataset_id: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(index=True)
    goods_id: Mapped[str | None] = mapped_column(sa.ForeignKey("market_goods.id"), index=True)
    service: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    title: Mapped[str]
    description: Mapped[str] = mapped_column(sa.Text)
    words: Mapped[str] = mapped_column(sa.Text)
    terms: Mapped[dict[str, Any]]
    price: Mapped[dict[str, Any]]
    split: Mapped[dict[str, Any]]
    frontier: Mapped[list[Any]]
    automatic: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[datetime]
    listed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]


class Consent(Base):
    """A holder who earns by a listing; ``given_at`` is empty until that holder consents."""

    __tablename__ = "market_consents"

    listing_id: Mapped[str] = mapped_column(sa.ForeignKey("market_listings.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), primary_key=True, index=True)
    given_at: Mapped[datetime | None]


class Valuation(Base):
    """A sealed valuation, known by its digest; ``accounts`` gives the person who earns for each holder. Never changed."""

    __tablename__ = "market_valuations"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(index=True)
    document: Mapped[dict[str, Any]]
    accounts: Mapped[dict[str, Any]]
    deposited_at: Mapped[datetime]


class Negotiation(Base):
    """A negotiation of the Dataspace Protocol; ``offer`` is the latest, by ``offered_by`` (consumer or provider)."""

    __tablename__ = "market_negotiations"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    consumer_pid: Mapped[str] = mapped_column(default=new_id, unique=True)
    listing_id: Mapped[str] = mapped_column(sa.ForeignKey("market_listings.id"), index=True)
    buyer_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    holder_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    state: Mapped[str] = mapped_column(index=True)
    terms: Mapped[dict[str, Any]]
    price: Mapped[dict[str, Any]]
    offer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Message(Base):
    """One message of a negotiation, as it was sent."""

    __tablename__ = "market_messages"

    negotiation_id: Mapped[str] = mapped_column(sa.ForeignKey("market_negotiations.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    sender: Mapped[str]
    actor_id: Mapped[str]
    state: Mapped[str]
    document: Mapped[dict[str, Any]]


class Agreement(Base):
    """A signed agreement. It is in force from ``finalized_at`` until ``valid_until``, or until it was ended."""

    __tablename__ = "market_agreements"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    negotiation_id: Mapped[str] = mapped_column(sa.ForeignKey("market_negotiations.id"), unique=True)
    listing_id: Mapped[str] = mapped_column(sa.ForeignKey("market_listings.id"), index=True)
    buyer_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    holder_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    document: Mapped[dict[str, Any]]
    sha256: Mapped[str]
    agreed_at: Mapped[datetime]
    finalized_at: Mapped[datetime | None]
    valid_until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]


class Purchase(Base):
    """Something bought under an agreement. ``state``: invoiced, paid, delivered, refunded, cancelled.

    ``amount`` is what was asked for (months, queries or rho), ``left`` how many orders of a service are paid and unused.
    ``key`` is the buyer's idempotency key, ``shares`` the holders' cents without VAT.
    """

    __tablename__ = "market_purchases"
    __table_args__ = (sa.UniqueConstraint("buyer_id", "key", name="uq_market_purchases_buyer_id"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    agreement_id: Mapped[str] = mapped_column(sa.ForeignKey("market_agreements.id"), index=True)
    listing_id: Mapped[str] = mapped_column(sa.ForeignKey("market_listings.id"), index=True)
    dataset_id: Mapped[str] = mapped_column(index=True)
    buyer_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    key: Mapped[str]
    amount: Mapped[dict[str, Any]]
    cents: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str]
    shares: Mapped[dict[str, Any]]
    invoice_id: Mapped[str | None] = mapped_column(sa.ForeignKey("money_invoices.id"), index=True)
    state: Mapped[str] = mapped_column(index=True)
    left: Mapped[int] = mapped_column(default=0)
    artefact_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
    paid_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]


class Debit(Base):
    """Privacy budget that a purchase took; ``rho`` is an exact decimal; the row is never changed."""

    __tablename__ = "market_debits"

    purchase_id: Mapped[str] = mapped_column(sa.ForeignKey("market_purchases.id"), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(index=True)
    rho: Mapped[str]
    at: Mapped[datetime]


class CohortBudget(Base):
    """What the data side told of a cohort's privacy budget, in rho, and the delta by which it counts."""

    __tablename__ = "market_cohort_budgets"

    dataset_id: Mapped[str] = mapped_column(primary_key=True)
    total_rho: Mapped[float]
    spent_rho: Mapped[float]
    delta: Mapped[float]
    at: Mapped[datetime]


class Use(Base):
    """One metered use: a purchase, a delivery, an order of a service."""

    __tablename__ = "market_uses"

    id: Mapped[int] = mapped_column(primary_key=True)
    purchase_id: Mapped[str] = mapped_column(sa.ForeignKey("market_purchases.id"), index=True)
    dataset_id: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    amount: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


class Dispute(Base):
    """A buyer's complaint about a purchase. ``state``: open, released, refunded. ``held`` is what was held, by holder."""

    __tablename__ = "market_disputes"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    purchase_id: Mapped[str] = mapped_column(sa.ForeignKey("market_purchases.id"), index=True)
    buyer_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    words: Mapped[str] = mapped_column(sa.Text)
    answer: Mapped[str] = mapped_column(sa.Text, default="")
    held: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(index=True)
    opened_at: Mapped[datetime]
    arbiter_id: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str] = mapped_column(sa.Text, default="")
    credit_note_id: Mapped[str | None]


class Sanction(Base):
    """An exclusion by Article 63. ``state``: notified (views may be stated), imposed, lifted, dropped."""

    __tablename__ = "market_sanctions"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    article: Mapped[str]
    finding: Mapped[str] = mapped_column(sa.Text)
    views: Mapped[str] = mapped_column(sa.Text, default="")
    views_until: Mapped[datetime]
    state: Mapped[str] = mapped_column(index=True)
    by_id: Mapped[str]
    notified_at: Mapped[datetime]
    imposed_at: Mapped[datetime | None]
    until: Mapped[datetime | None]
    reasons: Mapped[str] = mapped_column(sa.Text, default="")
    lifted_at: Mapped[datetime | None]


class AccessFee(Base):
    """The fee of one request for real data: the accepted estimate, and the one invoice that kept to it."""

    __tablename__ = "market_access_fees"

    request_id: Mapped[str] = mapped_column(sa.ForeignKey("requests.id"), primary_key=True)
    estimate: Mapped[dict[str, Any]]
    accepted_at: Mapped[datetime]
    charges: Mapped[list[Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    invoice_id: Mapped[str | None] = mapped_column(sa.ForeignKey("money_invoices.id"))
    invoiced_at: Mapped[datetime | None]


def _kept(table: sa.Table, connection: sa.Connection, **_: Any) -> None:
    protect_rows(connection, table.name, KEPT[table.name])


for _table in (Message, Debit, Use, Valuation):
    event.listen(_table.__table__, "after_create", _kept)
