"""The audit log's tables.

Belongs here: what is stored. Does not belong here: how it is chained (``log``).
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

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
