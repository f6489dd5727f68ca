"""Tables of complaints, objections, incidents, published results, and the report's hand-written parts.

Belongs here: what is stored. Does not belong here: rules.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.database.base import Base, new_id


class Complaint(Base):
    """A complaint (Article 81). ``secret`` is the digest of what the complainant keeps to follow it up."""

    __tablename__ = "complaints"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(unique=True)
    secret: Mapped[str]
    about: Mapped[str]
    words: Mapped[str] = mapped_column(sa.Text)
    contact: Mapped[str]
    state: Mapped[str] = mapped_column(default="received", index=True)
    steps: Mapped[list[Any]]
    lodged_at: Mapped[datetime] = mapped_column(index=True)
    closed_at: Mapped[datetime | None]


class ComplaintNumber(Base):
    """The last number given to a complaint in a year."""

    __tablename__ = "complaint_numbers"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class OptOut(Base):
    """Somebody who has opted out (Article 71), by a keyed pseudonym only; withdrawn when they opted back in."""

    __tablename__ = "opt_outs"

    pseudonym: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    withdrawn_at: Mapped[datetime | None]


class Incident(Base):
    """A personal data breach or another incident (Regulation (EU) 2016/679, Article 33)."""

    __tablename__ = "incidents"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    reported_by: Mapped[str] = mapped_column(sa.ForeignKey("people.id"))
    aware_at: Mapped[datetime]
    notify_by: Mapped[datetime]
    nature: Mapped[str] = mapped_column(sa.Text)
    persons: Mapped[int | None]
    consequences: Mapped[str] = mapped_column(sa.Text)
    measures: Mapped[str] = mapped_column(sa.Text)
    risk: Mapped[str]
    notified_at: Mapped[datetime | None]
    delay_reason: Mapped[str | None] = mapped_column(sa.Text)
    closed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class PublishedResult(Base):
    """A result that a user has made public (Article 61(4)); ``kind``: publication, policy, regulatory or product."""

    __tablename__ = "published_results"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[str] = mapped_column(sa.ForeignKey("requests.id"), index=True)
    kind: Mapped[str]
    title: Mapped[str]
    address: Mapped[str]
    told_at: Mapped[datetime]
