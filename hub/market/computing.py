"""Computations of several hospitals that were bought: ordered, allowed, refused and refunded, paid out.

Belongs here: an order of a computation under a purchase, and what its end means for the money. Does not belong here: what may be
described (``hub.computations``), whether a hospital takes part, which its own party decides.

What holders earn by a computation stays held until its first answer is there. If a hospital refuses before that, the purchase is
credited; afterwards an order that was refused may be placed again, as another question. An order that its buyer cancelled after its run
began is used up, and its purchase is not credited by itself: nobody empties the hospitals' budgets for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.caller import Caller
from hub.catalogue.record import Variable
from hub.catalogue.service import published
from hub.catalogue.tables import Dataset
from hub.computations import service as computations
from hub.computations.checks import DescriptionError, Terms, must_fit, typed
from hub.computations.description import Description
from hub.delivery import orders
from hub.delivery.tables import OPEN, Order
from hub.deployment import Deployment
from hub.errors import GoneError, StateError
from hub.market import agreements, fulfilment, purchases
from hub.market.kinds import Kind
from hub.market.services import Compute, read_compute
from hub.market.tables import Agreement, Dispute, Listing, Negotiation, Purchase, Use
from hub.market.terms import read_terms
from hub.people.roles import Role
from hub.people.tables import Person

REFUSED = "a hospital refused the computation"
UNANSWERED = "no computation that was ordered was answered"
NONE_LEFT = "a paid order must be left, got none; buy another"


@dataclass(frozen=True)
class Bought:
    """A paid computation service of the caller: what may be ordered under it."""

    purchase: Purchase
    service: Compute
    dataset: Dataset
    terms: Terms

    @property
    def variables(self) -> list[Variable]:
        """Variables that may be computed on."""
        return self.terms.variables(computations.variables(self.dataset))


def bought(caller: Caller, purchase_id: str) -> Bought:
    """One's own purchase of computations, of which an order is left.

    Raises
    ------
    NotFoundError, ForbiddenError, GoneError
        There is none; its agreement has ended.
    StateError
        It is another service, or no paid order is left.
    ParameterError
        It is of images.
    """
    found = _in_force(caller, purchase_id)
    _must_have_left(found.purchase)
    return found


def order(caller: Caller, purchase_id: str, wanted: Description) -> Order:
    """Place one of the paid orders; the same question that is worked on or can be downloaded is not asked and paid twice.

    Raises
    ------
    StateError
        No paid order is left, or the data set is not connected.
    DescriptionError
        The description fits neither the service nor the data.
    """
    found = _in_force(caller, purchase_id)
    wanted = typed(wanted, found.variables)
    if wanted.kind == computations.SYNTHESIS and not wanted.columns:
        wanted = wanted.model_copy(update={"columns": [v.name for v in found.variables]})
    _must_be_offered(found.service, wanted)
    must_fit(wanted, found.variables, found.terms)
    if (same := computations.same_as(caller, Order.purchase_id == purchase_id, wanted)) is not None:
        return same
    _must_have_left(found.purchase)
    return _placed(caller, found, wanted)


def _in_force(caller: Caller, purchase_id: str) -> Bought:
    caller.must_have(Role.DEVELOPER)
    purchases.mine_one(caller, purchase_id)
    purchase = caller.session.get_one(Purchase, purchase_id, with_for_update=True, populate_existing=True)
    agreement = agreements.must_allow(caller, purchase.agreement_id, purchase.buyer_id)
    listing = caller.session.get_one(Listing, purchase.listing_id)
    if listing.kind != Kind.COMPUTATION or purchase.state not in ("paid", "delivered"):
        raise StateError(NONE_LEFT)
    service, dataset = read_compute(listing.service or {}), published(caller.session, listing.dataset_id)
    computations.must_be_table(dataset)
    agreed = caller.session.get_one(Negotiation, agreement.negotiation_id)
    columns = frozenset(service.columns) if service.columns else None
    terms = Terms((dataset.id,), read_terms(agreed.terms).purposes, columns, service.epsilon, service.epsilon)
    return Bought(purchase, service, dataset, terms)


def _must_have_left(purchase: Purchase) -> None:
    if purchase.left < 1:
        raise StateError(NONE_LEFT)


def _placed(caller: Caller, found: Bought, wanted: Description) -> Order:
    purchase, dataset = found.purchase, found.dataset
    if dataset.use_case is None:
        raise StateError("a service must be connected to its data, got no connection; ask the operator")
    purchase.left -= 1
    caller.session.add(Use(purchase_id=purchase.id, dataset_id=dataset.id, kind="order", amount="1", at=caller.now))
    until = caller.session.get_one(Agreement, purchase.agreement_id).valid_until
    made = computations.described_order(
        wanted, use_case=dataset.use_case, person_id=purchase.buyer_id, now=caller.now, until=until
    )
    made.purchase_id = purchase.id
    return orders.queue(
        caller, made, computation=wanted.kind, sha256=made.question_sha256, epsilon=made.epsilon, purchase=purchase.id
    )  # fmt: skip


def must_still_allow(session: Session, hub: Deployment, order: Order, now: datetime) -> None:
    """Refuse an order whose purchase or agreement has ended since; its run asks this first."""
    purchase = session.get_one(Purchase, order.purchase_id or "")
    if purchase.state not in ("paid", "delivered"):
        raise GoneError("the agreement must be in force, got one that has ended; negotiate anew")
    caller = Caller(session, now, hub, session.get_one(Person, order.person_id))
    agreements.must_allow(caller, purchase.agreement_id, order.person_id)


def refused(session: Session, hub: Deployment, order_id: str, words: str, now: datetime) -> None:
    """A hospital refused: the order ends; the purchase is credited if nothing was delivered, nothing else is worked on or was used up."""
    if not orders.fail(session, order_id, words, now):
        return
    order = session.get_one(Order, order_id)
    purchase = session.get(Purchase, order.purchase_id or "", with_for_update=True, populate_existing=True)
    if purchase is None or purchase.state != "paid" or purchase.delivered_at is not None:
        return
    kept = sa.or_(Order.state.in_(OPEN), fulfilment.used())
    others = sa.select(Order.id).where(Order.purchase_id == purchase.id, kept)
    if session.scalar(others.limit(1)) is None:
        purchases.cancel(Caller(session, now, hub), purchase, REFUSED)


def ready(session: Session, hub: Deployment, purchase: Purchase, now: datetime) -> None:
    """The first answer is there: who earns by it may be paid."""
    if session.get_one(Listing, purchase.listing_id).kind == Kind.COMPUTATION:
        _released(Caller(session, now, hub), purchase)


def release_unused(caller: Caller) -> None:
    """When an agreement is over, what was paid and never asked for, or used up, is earned; what was asked in vain is credited."""
    over = (
        sa.select(Purchase).join(Agreement, Agreement.id == Purchase.agreement_id)
        .join(Listing, Listing.id == Purchase.listing_id)
        .where(Listing.kind == Kind.COMPUTATION, Purchase.state == "paid", Agreement.valid_until <= caller.now)
    )  # fmt: skip
    locked = over.with_for_update(of=Purchase).execution_options(populate_existing=True)
    for one in caller.session.scalars(locked).all():
        if _in_vain(caller.session, one):
            purchases.cancel(caller, one, UNANSWERED)
        else:
            _released(caller, one)


def _in_vain(session: Session, purchase: Purchase) -> bool:
    """Whether orders were placed and none was answered or used up; what was ever disputed, an arbiter decides on."""
    ever = sa.select(Dispute.id).where(Dispute.purchase_id == purchase.id).limit(1)
    if purchase.delivered_at is not None or session.scalar(ever) is not None:
        return False
    outcomes = session.scalars(sa.select(fulfilment.used()).where(Order.purchase_id == purchase.id)).all()
    return bool(outcomes) and not any(outcomes)


def _released(caller: Caller, purchase: Purchase) -> None:
    if purchase.invoice_id and not purchases.disputed(caller.session, purchase.id):
        purchases.release(caller, purchase, f"purchase:{purchase.id}:paid")


def _must_be_offered(service: Compute, wanted: Description) -> None:
    wrong: Mapping[str, str] = {
        **({"kind": "must be one that the service offers"} if wanted.kind not in service.kinds else {}),
        **({"epsilon": "must be at most what the service allows"} if (wanted.epsilon or 0) > service.epsilon else {}),
        **(
            {"minimum_count": f"must be at least {service.minimum_count}"}
            if wanted.minimum_count < service.minimum_count
            else {}
        ),
    }
    if wrong:
        raise DescriptionError(wrong)
