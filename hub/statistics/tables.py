"""Tables of prepared statistics and of questions.

Belongs here: what is stored. Does not belong here: rules.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.database.base import Base, new_id


class PreparedTable(Base):
    """A released table of counts. ``kind``: ``dp`` (noise, ``epsilon`` and ``rho`` say how much) or ``exact-suppressed``.

    ``cells`` holds ``[labels, count]``; a count of ``None`` is suppressed.
    """

    __tablename__ = "prepared_tables"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[str] = mapped_column(sa.ForeignKey("datasets.id"), index=True)
    title: Mapped[str]
    variables: Mapped[list[str]]
    cells: Mapped[list[Any]]
    kind: Mapped[str]
    epsilon: Mapped[float | None]
    rho: Mapped[float | None]
    deposited_by: Mapped[str]
    created_at: Mapped[datetime]


class Question(Base):
    """Somebody asks for a table that is not prepared yet. ``state``: queued, answered, refused."""

    __tablename__ = "questions"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[str] = mapped_column(sa.ForeignKey("datasets.id"), index=True)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    permit_id: Mapped[str] = mapped_column(sa.ForeignKey("permits.id"))
    variables: Mapped[list[str]]
    rho: Mapped[float]
    state: Mapped[str] = mapped_column(default="queued", index=True)
    table_id: Mapped[str | None] = mapped_column(sa.ForeignKey("prepared_tables.id"))
    reason: Mapped[str | None]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
