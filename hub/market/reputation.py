"""What is known of a holder, from facts alone: label, delivery days, failed checks, disputes. Nobody rates anybody.

Belongs here: counting these facts. Does not belong here: ranking, sanctions.
"""

from dataclasses import dataclass
from statistics import median

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.catalogue.record import DatasetRecord
from hub.catalogue.tables import Dataset
from hub.delivery.tables import Order, OrderState
from hub.market.tables import Agreement, Dispute, Goods, Purchase

LETTERS = 6


@dataclass(frozen=True)
class Facts:
    """``label`` is the share of the letters of Article 78(3) that are filled in, over the holder's data sets; ``days`` the median
    from payment to delivery; ``failed`` orders that the checks refused, and releases that were revoked."""

    label: float | None
    sold: int
    days: float | None
    failed: int
    disputes: int
    lost: int


def of_holder(session: Session, holder_id: str) -> Facts:
    """The facts of one holder."""
    mine = sa.select(Agreement.id).where(Agreement.holder_id == holder_id)
    bought = list(
        session.scalars(sa.select(Purchase).where(Purchase.agreement_id.in_(mine), Purchase.paid_at.is_not(None)))
    )
    days = [
        (one.delivered_at - one.paid_at).total_seconds() / 86400 for one in bought if one.delivered_at and one.paid_at
    ]
    states = list(session.scalars(sa.select(Dispute.state).where(Dispute.purchase_id.in_([one.id for one in bought]))))
    return Facts(
        label=_label(session, holder_id), sold=len(bought), days=round(median(days), 1) if days else None,
        failed=_failed(session, holder_id, [one.id for one in bought]), disputes=len(states), lost=states.count("refunded"),
    )  # fmt: skip


def _label(session: Session, holder_id: str) -> float | None:
    shown = sa.select(Dataset.record).where(Dataset.holder_id == holder_id, Dataset.status == "published")
    labels = [DatasetRecord.model_validate(one).label for one in session.scalars(shown)]
    shares = [sum(bool(facts) for facts in one.letters().values()) / LETTERS if one else 0.0 for one in labels]
    return sum(shares) / len(shares) if shares else None


def _failed(session: Session, holder_id: str, purchases: list[str]) -> int:
    orders = sa.select(sa.func.count()).where(Order.purchase_id.in_(purchases), Order.state == OrderState.FAILED)
    datasets = sa.select(Dataset.id).where(Dataset.holder_id == holder_id)
    revoked = sa.select(sa.func.count()).where(Goods.dataset_id.in_(datasets), Goods.revoked_at.is_not(None))
    return int(session.scalar(orders) or 0) + int(session.scalar(revoked) or 0)
