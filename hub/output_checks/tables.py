"""The table of outputs that wait for a check or were checked.

Belongs here: what is stored. Does not belong here: rules. The content is encrypted: nobody has judged it yet.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.database.base import Base, new_id


class OutputRequest(Base):
    """An output somebody wants to take out of the secure environment. ``state``: waiting, approved, refused."""

    __tablename__ = "output_requests"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    permit_id: Mapped[str] = mapped_column(sa.ForeignKey("permits.id"), index=True)
    dataset_ids: Mapped[list[str]]
    description: Mapped[str] = mapped_column(sa.Text)
    filename: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    state: Mapped[str] = mapped_column(default="waiting", index=True)
    findings: Mapped[list[Any]]
    checker_id: Mapped[str | None]
    reasons: Mapped[str] = mapped_column(sa.Text, default="")
    submitted_at: Mapped[datetime] = mapped_column(index=True)
    decided_at: Mapped[datetime | None]
