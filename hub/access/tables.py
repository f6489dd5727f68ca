"""Tables of requests, permits and standing offers.

Belongs here: what is stored. Does not belong here: rules.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.database.base import Base, new_id


class Request(Base):
    """A health data access application or request. ``deadline`` is the end of the clock that runs now."""

    __tablename__ = "requests"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    kind: Mapped[str] = mapped_column(index=True)
    dataset_ids: Mapped[list[str]]
    form: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(index=True)
    former: Mapped[str | None]
    clock: Mapped[str | None]
    clock_started: Mapped[datetime | None]
    deadline: Mapped[datetime | None] = mapped_column(index=True)
    prolonged: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None] = mapped_column(index=True)
    complete_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None] = mapped_column(index=True)
    delivered_at: Mapped[datetime | None]
    publish_by: Mapped[datetime | None]
    assessor_id: Mapped[str | None]
    decider_id: Mapped[str | None]
    recommendation: Mapped[str | None]
    criteria: Mapped[list[str]] = mapped_column(default=list)
    justification: Mapped[str] = mapped_column(sa.Text, default="")
    fee: Mapped[dict[str, Any]] = mapped_column(default=dict)
    offer_id: Mapped[str | None] = mapped_column(index=True)
    permit_id: Mapped[str | None] = mapped_column(index=True)
    change: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)


class RequestEvent(Base):
    """One step of a request, for its timeline."""

    __tablename__ = "request_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(sa.ForeignKey("requests.id"), index=True)
    at: Mapped[datetime]
    actor_id: Mapped[str]
    step: Mapped[str]
    state: Mapped[str]
    words: Mapped[str] = mapped_column(sa.Text, default="")


class Permit(Base):
    """A permit; ``odrl`` is the signed agreement in force, ``history`` the agreements it replaced."""

    __tablename__ = "permits"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[str] = mapped_column(sa.ForeignKey("requests.id"), index=True)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    dataset_ids: Mapped[list[str]]
    kind: Mapped[str]
    odrl: Mapped[dict[str, Any]]
    history: Mapped[list[Any]] = mapped_column(default=list)
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime] = mapped_column(index=True)
    extensions: Mapped[int] = mapped_column(default=0)
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None]


class StandingOffer(Base):
    """A use of a data set that its holder and the body have allowed beforehand."""

    __tablename__ = "standing_offers"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[str] = mapped_column(index=True)
    synthesizer: Mapped[str]
    epsilon: Mapped[float]
    max_rows: Mapped[int]
    columns: Mapped[list[str] | None] = mapped_column(sa.JSON)
    purposes: Mapped[list[str]]
    formats: Mapped[list[str]]
    budget_orders: Mapped[int | None]
    valid_until: Mapped[datetime]
    created_at: Mapped[datetime]
    holder_approved_by: Mapped[str | None] = mapped_column(sa.ForeignKey("people.id"))
    holder_approved_at: Mapped[datetime | None]
    body_approved_by: Mapped[str | None] = mapped_column(sa.ForeignKey("people.id"))
    body_approved_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]


class TrustedHolder(Base):
    """A data holder the body has designated by Article 72(2)."""

    __tablename__ = "trusted_holders"

    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), primary_key=True)
    designated_by: Mapped[str]
    designated_at: Mapped[datetime]
