"""The audit log's tables.

Belongs here: what is stored, and that the store itself refuses changes. Does not belong here: how it is chained (``log``).
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column

from hub.audit.append_only import protect
from hub.database.base import Base


class Entry(Base):
    """One event. ``digest`` covers every other column and the former entry's digest."""

    __tablename__ = "audit_entries"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(index=True)
    action: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]]
    former: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)


class SignedHead(Base):
    """The Merkle root over the first ``size`` entries, signed. ``peaks`` let the next head continue from here."""

    __tablename__ = "audit_heads"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[str]
    at: Mapped[datetime]
    signature: Mapped[str]
    peaks: Mapped[list[str]]


def _protected(table: sa.Table, connection: sa.Connection, **_: Any) -> None:
    protect(connection, table.name)


for _table in (Entry.__table__, SignedHead.__table__):
    event.listen(_table, "after_create", _protected)
