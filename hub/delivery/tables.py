"""The table of orders.

Belongs here: what is stored of an order. Does not belong here: steps (``orders``).
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

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


class OrderKind(StrEnum):
    """What is ordered."""

    SYNTHETIC = "synthetic"
    IMAGES = "images"
    MPC = "mpc"


OPEN = (OrderState.QUEUED, OrderState.LAUNCHED, OrderState.RUNNING)


class Order(Base):
    """One thing made for one person. ``stage`` says in words what is being done now.

    What was bought in the market (``purchase_id``) has no permit and no offer.

    Of images, ``rows`` is their number and ``columns`` what stands beside them.

    A computation (``mpc``) has no offer (an empty id) and no synthesizer; ``question`` is its description, ``job_sha256``
    what the parties agreed on, ``parties`` how each comes along. Answers have 0 rows, those without noise epsilon 0.
    """

    __tablename__ = "orders"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(default=OrderKind.SYNTHETIC, server_default=OrderKind.SYNTHETIC)
    permit_id: Mapped[str] = mapped_column(index=True)
    offer_id: Mapped[str] = mapped_column(index=True)
    purchase_id: Mapped[str | None] = mapped_column(index=True)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    dataset_id: Mapped[str] = mapped_column(index=True)
    use_case: Mapped[str]
    synthesizer: Mapped[str]
    epsilon: Mapped[float]
    rows: Mapped[int]
    columns: Mapped[list[str] | None] = mapped_column(sa.JSON)
    formats: Mapped[list[str]]
    question: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    question_sha256: Mapped[str | None] = mapped_column(index=True)
    job_sha256: Mapped[str | None]
    parties: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
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
