"""Delivering what was bought: goods into the buyer's repository, services as orders to the data side.

Belongs here: from a paid purchase to artefacts and orders. Does not belong here: payment (``purchases``), making data (the data side).
"""

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.periods import add_months, end_of
from hub.caller import Caller
from hub.catalogue.service import published
from hub.delivery import orders
from hub.delivery.tables import OPEN, Order, OrderKind, OrderState
from hub.deployment import Deployment
from hub.errors import GoneError, StateError
from hub.market import agreements, goods
from hub.market.cohort_budget import epsilon_of
from hub.market.kinds import Kind
from hub.market.services import Synthesis, read_service
from hub.market.tables import Agreement, Listing, Purchase, Use
from hub.people.roles import Role
from hub.repository import vault
from hub.repository.tables import Artefact
from records.errors import ParameterError


def deliver(caller: Caller, purchase: Purchase, agreement: Agreement, listing: Listing) -> None:
    """Hand over goods, or credit the orders of a service.

    Raises
    ------
    GoneError, ForbiddenError
        The agreement or the goods' release has ended meanwhile.
    """
    if agreement.ended_at is not None or agreement.valid_until <= caller.now:
        raise GoneError("the agreement must be in force, got one that has ended; negotiate anew")
    agreements.genuine(caller, agreement)
    if listing.goods_id is None:
        purchase.left = int(purchase.amount.get("queries", 1))
        return
    made = _handed_over(caller, purchase, agreement, listing)
    purchase.artefact_id, purchase.delivered_at, purchase.state = made.id, caller.now, "delivered"
    caller.session.add(
        Use(purchase_id=purchase.id, dataset_id=purchase.dataset_id, kind="delivery", amount="1", at=caller.now)
    )


def order(caller: Caller, purchase_id: str, *, rows: int, formats: Sequence[str] = ()) -> Order:
    """Place one of the paid orders of a service.

    Raises
    ------
    StateError
        None is left; the service has ended.
    ParameterError
        More rows or other formats than the service makes.
    """
    from hub.market.purchases import mine_one

    caller.must_have(Role.DEVELOPER)
    mine_one(caller, purchase_id)
    purchase = caller.session.get_one(Purchase, purchase_id, with_for_update=True, populate_existing=True)
    agreements.must_allow(caller, purchase.agreement_id, purchase.buyer_id)
    listing = caller.session.get_one(Listing, purchase.listing_id)
    if listing.kind != Kind.SYNTHESIS or purchase.state not in ("paid", "delivered") or purchase.left < 1:
        raise StateError("a paid order must be left, got none; buy another")
    service = read_service(listing.service or {})
    _sound(service, rows, formats)
    dataset = published(caller.session, listing.dataset_id)
    if dataset.use_case is None:
        raise StateError("a service must be connected to its data, got no connection; ask the operator")
    epsilon = epsilon_of(service, purchase.amount)
    made = Order(
        kind=orders.kind_of(dataset), permit_id="", offer_id="", purchase_id=purchase.id, person_id=purchase.buyer_id, dataset_id=dataset.id,
        use_case=dataset.use_case, synthesizer=service.synthesizer, epsilon=epsilon, rows=rows, columns=None,
        formats=sorted(set(formats)) or list(service.formats), created_at=caller.now, updated_at=caller.now,
        deadline=caller.now + orders.TIME_LIMIT,
    )  # fmt: skip
    purchase.left -= 1
    caller.session.add(
        Use(purchase_id=purchase.id, dataset_id=purchase.dataset_id, kind="order", amount="1", at=caller.now)
    )
    return orders.queue(caller, made, rows=rows, epsilon=epsilon, purchase=purchase.id)


def agreement_of(session: Session, order: Order) -> str | None:
    """The agreement that an order was bought under."""
    if order.purchase_id is None:
        return None
    return session.get_one(Purchase, order.purchase_id).agreement_id


def expires_at(session: Session, order: Order, now: datetime) -> datetime:
    """How long what was made by a bought order is kept."""
    purchase = session.get_one(Purchase, order.purchase_id or "")
    return session.get_one(Agreement, purchase.agreement_id).valid_until


def ready(session: Session, hub: Deployment, order: Order, artefact_id: str, now: datetime) -> None:
    """An order of a service is done."""
    from hub.market import computing

    purchase = session.get_one(Purchase, order.purchase_id or "", with_for_update=True, populate_existing=True)
    purchase.artefact_id, purchase.delivered_at, purchase.state = artefact_id, purchase.delivered_at or now, "delivered"
    session.add(Use(purchase_id=purchase.id, dataset_id=purchase.dataset_id, kind="delivery", amount="1", at=now))
    computing.ready(session, hub, purchase, now)


def not_made(session: Session, order: Order) -> None:
    """An order failed or was cancelled: the buyer may order again, unless the order is used up (``used``)."""
    purchase = session.get(Purchase, order.purchase_id or "", with_for_update=True, populate_existing=True)
    if purchase is None or purchase.state not in ("paid", "delivered"):
        return
    if session.scalar(sa.select(Order.id).where(Order.id == order.id, used())) is None:
        purchase.left += 1


def used() -> sa.ColumnElement[bool]:
    """Orders of computations that the buyer cancelled after their run began: hospitals may have debited their budgets."""
    return sa.and_(Order.kind == OrderKind.MPC, Order.state == OrderState.CANCELLED, Order.run_id.is_not(None))


def cancel_orders(caller: Caller, purchase: Purchase, reason: str) -> None:
    """End the orders of a purchase that are still worked on."""
    waiting = sa.select(Order.id).where(Order.purchase_id == purchase.id, Order.state.in_(OPEN))
    for order_id in caller.session.scalars(waiting).all():
        orders.withdraw(caller.session, order_id, reason, caller.now)


def destroy(caller: Caller, purchase: Purchase, reason: str) -> None:
    """Destroy what was delivered."""
    made = sa.select(Order.artefact_id).where(Order.purchase_id == purchase.id, Order.artefact_id.is_not(None))
    for one in {purchase.artefact_id, *caller.session.scalars(made)} - {None}:
        if (artefact := caller.session.get(Artefact, one)) is not None:
            vault.destroy(caller.session, artefact, reason=reason, now=caller.now, actor="system")


def _handed_over(caller: Caller, purchase: Purchase, agreement: Agreement, listing: Listing) -> Artefact:
    found = goods.sound(caller.session, listing.goods_id or "")
    months = purchase.amount.get("months")
    until = (
        min(agreement.valid_until, end_of(add_months(caller.now.date(), months))) if months else agreement.valid_until
    )
    sent = vault.Consignment(purchase.id, purchase.buyer_id, "", found.dataset_id, found.formats)
    with tempfile.NamedTemporaryFile() as package:
        for frame in goods.read(caller.hub, found):
            package.write(frame)
        package.flush()
        return vault.deposit(
            caller.session, caller.hub, package=Path(package.name), order=sent, title=found.title,
            facts=found.facts | {"report": found.report}, expires_at=until, now=caller.now,
            agreement_id=agreement.id,
        )  # fmt: skip


def _sound(service: Synthesis, rows: int, formats: Sequence[str]) -> None:
    if not 1 <= rows <= service.max_rows:
        raise ParameterError(f"rows must be 1 to {service.max_rows}, got another; choose fewer")
    if not set(formats) <= set(service.formats):
        raise ParameterError(
            f"formats must be among {', '.join(service.formats)}, got none or others; choose from the list"
        )


def orders_of(session: Session, purchase: Purchase) -> list[Order]:
    """Orders placed under a purchase, newest first."""
    placed = sa.select(Order).where(Order.purchase_id == purchase.id)
    return list(session.scalars(placed.order_by(Order.created_at.desc())))
