"""Which purchases hold privacy budget: those that may still be worked off, and those that something was made of.

Belongs here: the two conditions. Does not belong here: adding up (``budget``, ``cohort_budget``).

What an agreement reserved and nobody spent is free again when it is over.
"""

from datetime import datetime

import sqlalchemy as sa

from hub.delivery.tables import OPEN, Order
from hub.market.tables import Agreement, Purchase

LIVE = ("invoiced", "paid", "delivered")


def in_force(now: datetime) -> sa.ColumnElement[bool]:
    """Purchases that were not taken back and whose agreement is not over."""
    lasting = sa.select(Agreement.id).where(Agreement.ended_at.is_(None), Agreement.valid_until > now)
    return sa.and_(Purchase.state.in_(LIVE), Purchase.agreement_id.in_(lasting))


def worked_on() -> sa.ColumnElement[bool]:
    """Purchases of which an order is open."""
    return Purchase.id.in_(_ordered(Order.state.in_(OPEN)))


def begun() -> sa.ColumnElement[bool]:
    """Purchases of which an order's run has begun: whatever became of it, its noisy answers may have been seen."""
    return Purchase.id.in_(_ordered(Order.run_id.is_not(None)))


def _ordered(which: sa.ColumnElement[bool]) -> sa.Select[str | None]:
    return sa.select(Order.purchase_id).where(which, Order.purchase_id.is_not(None))
