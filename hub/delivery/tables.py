"""The table of orders.

Belongs here: what is stored of an order. Does not belong here: steps (``orders``).
"""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.database.base import Base, new_id


class OrderState(StrEnum):
    """Where an order stands; the last four are final."""

    QUEUED = "queued"
    LAUNCHED = "launched"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


OPEN = (OrderState.QUEUED, OrderState.LAUNCHED, OrderState.RUNNING)


class Order(Base):
    """One synthetic data set made for one person. ``stage`` says in words what is being done now."""

    __tablename__ = "orders"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    permit_id: Mapped[str] = mapped_column(index=True)
    offer_id: Mapped[str] = mapped_column(index=True)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    dataset_id: Mapped[str] = mapped_column(index=True)
    use_case: Mapped[str]
    synthesizer: Mapped[str]
    epsilon: Mapped[float]
    rows: Mapped[int]
    columns: Mapped[list[str] | None] = mapped_column(sa.JSON)
    formats: Mapped[list[str]]
    state: Mapped[str] = mapped_column(default=OrderState.QUEUED, index=True)
    stage: Mapped[str] = mapped_column(default="waiting")
    reason: Mapped[str | None]
    run_id: Mapped[str | None]
    artefact_id: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deadline: Mapped[datetime]

    @property
    def open(self) -> bool:
        """Whether the order may still become ready."""
        return self.state in OPEN
