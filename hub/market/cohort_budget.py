"""What the data side has left of a cohort's privacy budget, as it tells the hub, and what purchases have reserved of it.

Belongs here: taking in its figures, and refusing a purchase that the data side would refuse. Does not belong here: the ledger itself
(``hub.budget``), which decides again before it looks at the data; what the holder put into the market (``budget``).

A question that was answered costs nothing again: the data side draws new rows from the same noisy answers. Computations are not reserved:
their epsilon is chosen with the question, and a refusal refunds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.delivery.tables import Order, OrderState
from hub.market import reserving
from hub.market.kinds import Kind
from hub.market.services import Synthesis, read_service
from hub.market.tables import CohortBudget, Listing, Purchase
from records.accounting import epsilon_to_rho, rho_to_epsilon
from records.errors import BudgetError

SLACK = 1e-9
DIGITS = 9  # by which two epsilons are one question
Question = tuple[str, float]


@dataclass(frozen=True)
class Standing:
    """Rho in all, spent by releases, and reserved by purchases that were not worked off; ``delta`` is the data side's."""

    total: float
    spent: float
    reserved: float
    delta: float
    at: datetime

    @property
    def left(self) -> float:
        """What may still be bought."""
        return max(0.0, self.total - self.spent - self.reserved)


def known(session: Session) -> dict[str, tuple[float, float, float]]:
    """Total, spent and delta of each data set, as they were told last."""
    every = session.scalars(sa.select(CohortBudget))
    return {one.dataset_id: (one.total_rho, one.spent_rho, one.delta) for one in every}


def tell(
    session: Session, dataset_id: str, *, total_rho: float, spent_rho: float, delta: float, now: datetime
) -> None:  # fmt: skip
    """Take in what the data side tells."""
    session.merge(CohortBudget(dataset_id=dataset_id, total_rho=total_rho, spent_rho=spent_rho, delta=delta, at=now))
    session.flush()


def standing(session: Session, dataset_id: str, now: datetime) -> Standing | None:
    """How the cohort's budget stands; ``None`` if the data side has told nothing."""
    found = session.get(CohortBudget, dataset_id, populate_existing=True)
    if found is None:
        return None
    unanswered = _waiting(session, dataset_id, now) - _answered(session, dataset_id)
    reserved = sum(epsilon_to_rho(epsilon, found.delta) for _, epsilon in unanswered)
    return Standing(found.total_rho, found.spent_rho, reserved, found.delta, found.at)


def must_fit(session: Session, listing: Listing, amount: Mapping[str, Any], now: datetime) -> None:
    """Refuse a purchase whose orders the data side would refuse; the caller holds the data set's lock.

    Raises
    ------
    BudgetError
        Less is left there.
    """
    if listing.kind != Kind.SYNTHESIS or (found := standing(session, listing.dataset_id, now)) is None:
        return
    question = _question(read_service(listing.service), amount)
    if question in _waiting(session, listing.dataset_id, now) | _answered(session, listing.dataset_id):
        return
    if epsilon_to_rho(question[1], found.delta) > found.left + SLACK:
        raise BudgetError("a purchase must fit what the data side has left of its budget, got more; buy less")


def epsilon_of(service: Synthesis, amount: Mapping[str, Any]) -> float:
    """The epsilon of each order of a purchase."""
    return rho_to_epsilon(float(amount["rho"]), service.delta) if "rho" in amount else service.epsilon


def _waiting(session: Session, dataset_id: str, now: datetime) -> set[Question]:
    """Questions of purchases under which orders may still be placed or are worked on."""
    orderable = sa.and_(reserving.in_force(now), sa.or_(Purchase.state == "invoiced", Purchase.left > 0))
    query = (
        sa.select(Listing.service, Purchase.amount).join(Listing, Listing.id == Purchase.listing_id)
        .where(Purchase.dataset_id == dataset_id, Listing.kind == Kind.SYNTHESIS)
        .where(sa.or_(orderable, reserving.worked_on()))
    )  # fmt: skip
    return {_question(read_service(service), amount) for service, amount in session.execute(query)}


def _question(service: Synthesis, amount: Mapping[str, Any]) -> Question:
    return service.synthesizer, round(epsilon_of(service, amount), DIGITS)


def _answered(session: Session, dataset_id: str) -> set[Question]:
    """Questions whose noisy answers the data side keeps."""
    done = sa.select(Order.synthesizer, Order.epsilon).where(
        Order.dataset_id == dataset_id, Order.state == OrderState.READY, Order.question.is_(None)
    )
    return {(name, round(epsilon, DIGITS)) for name, epsilon in session.execute(done)}
