"""The steps of an order, each by compare-and-set, so that races end in one state.

Belongs here: placing, launching, progress, handing over, failing, cancelling. Does not belong here: running anything.

An order is launched once: only the worker whose update finds it queued may start a run. What a run hands over after its
order was cancelled, revoked or timed out is refused, so that nothing is delivered that nobody may have.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.log import record
from hub.caller import Caller
from hub.delivery.tables import OPEN, Order, OrderKind, OrderState
from hub.deployment import Deployment
from hub.errors import NotFoundError, StateError

if TYPE_CHECKING:
    from hub.access.tables import Permit, StandingOffer
    from hub.catalogue.tables import Dataset
    from hub.repository.tables import Artefact

TIME_LIMIT, KEPT = timedelta(minutes=30), timedelta(days=14)
STAGES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (OrderKind.SYNTHETIC, OrderKind.IMAGES),
        ("waiting", "starting", "learning", "measuring", "checking", "packing", "done"),
    ),
    OrderKind.MPC: ("waiting", "starting", "asking", "computing", "checking", "packing", "done"),
}
FIRST_STAGE = 2  # of a run that has begun


def place(
    caller: Caller, *, permit: "Permit", offer: "StandingOffer", rows: int, columns: Sequence[str] | None,
    formats: Sequence[str],
) -> Order:  # fmt: skip
    """Queue an order under a permit; the access room has checked the offer."""
    from hub.catalogue.service import published

    dataset = published(caller.session, offer.dataset_id)
    if dataset.use_case is None:
        raise StateError(f"{dataset.id} must be connected to its data, got no connection; ask the data holder")
    order = Order(
        kind=kind_of(dataset), permit_id=permit.id, offer_id=offer.id, person_id=permit.person_id, dataset_id=dataset.id,
        use_case=dataset.use_case, synthesizer=offer.synthesizer, epsilon=offer.epsilon, rows=rows,
        columns=list(columns) if columns else None, formats=list(formats), created_at=caller.now, updated_at=caller.now,
        deadline=caller.now + TIME_LIMIT,
    )  # fmt: skip
    return queue(caller, order, rows=rows, epsilon=offer.epsilon)


def kind_of(dataset: "Dataset") -> OrderKind:
    """What is ordered of a data set that can be synthesised: rows of a table, or images."""
    return OrderKind.IMAGES if dataset.modality else OrderKind.SYNTHETIC


def queue(caller: Caller, order: Order, **detail: Any) -> Order:
    """Put an order into the queue."""
    caller.session.add(order)
    caller.session.flush()
    _audit(caller.session, order, "placed", caller.now, actor=order.person_id, **detail)
    return order


def mine(caller: Caller, order_id: str) -> Order:
    """One's own order.

    Raises
    ------
    NotFoundError
        There is none, or it is another person's.
    """
    order = caller.session.get(Order, order_id)
    if order is None or order.person_id != caller.somebody.id:
        raise NotFoundError("the order must be one of yours, got another; look at your requests")
    return order


def facts(order: Order) -> dict[str, Any]:
    """An order as plain values, for its owner."""
    computed = {
        "question": order.question, "question_sha256": order.question_sha256, "job_sha256": order.job_sha256,
        "parties": order.parties or {},
    }  # fmt: skip
    return (computed if order.kind == OrderKind.MPC else {}) | {
        "id": order.id, "kind": order.kind, "permit_id": order.permit_id, "state": order.state, "stage": order.stage, "reason": order.reason, "rows": order.rows,
        "epsilon": order.epsilon, "artefact_id": order.artefact_id, "created_at": order.created_at.isoformat(),
        "updated_at": order.updated_at.isoformat(),
    }  # fmt: skip


def waiting(session: Session) -> list[Order]:
    """Orders that no run has begun, oldest first; a launch that was lost is asked for again."""
    asked = Order.state.in_((OrderState.QUEUED, OrderState.LAUNCHED))
    return list(session.scalars(sa.select(Order).where(asked).order_by(Order.created_at)))


def launch(session: Session, order_id: str, now: datetime) -> bool:
    """Claim an order for a run; true for one caller only."""
    return _moved(session, order_id, (OrderState.QUEUED,), OrderState.LAUNCHED, now, stage="starting")


def begin(session: Session, order_id: str, run_id: str, now: datetime) -> Order:
    """The order of a run that has started.

    Raises
    ------
    StateError
        The order was cancelled or has failed meanwhile, or another run works on it.
    """
    claimable = (OrderState.QUEUED, OrderState.LAUNCHED)
    order = session.get(Order, order_id)
    if order is not None and order.state == OrderState.RUNNING and order.run_id == run_id:
        return order
    stage = STAGES[order.kind][FIRST_STAGE] if order else ""
    if not _moved(session, order_id, claimable, OrderState.RUNNING, now, run_id=run_id, stage=stage):
        state = order.state if order else "unknown"
        raise StateError(f"the order must be waiting for its run, got {state}; nothing was made")
    order = session.get_one(Order, order_id, populate_existing=True)
    _audit(session, order, "begun", now)
    return order


def progress(session: Session, order_id: str, stage: str, now: datetime, **news: Any) -> bool:
    """Say what is being done; false if the order is no longer wanted, and the run should stop.

    ``news`` of a computation are its ``job_sha256`` and its ``parties``.
    """
    return _moved(session, order_id, (OrderState.RUNNING,), OrderState.RUNNING, now, stage=stage, **news)


def hand_over(
    session: Session, hub: Deployment, order_id: str, *, package: Path, title: str, shown: dict[str, Any], now: datetime
) -> "Artefact":  # fmt: skip
    """Put a finished package into the temporary repository.

    Raises
    ------
    StateError
        The order is no longer wanted; nothing is stored.
    """
    from hub.access.offers import delivered
    from hub.market import fulfilment
    from hub.repository.vault import deposit

    order = session.get(Order, order_id, populate_existing=True)
    if order is None or order.state != OrderState.RUNNING:
        raise StateError(f"the order must be running, got {order.state if order else 'unknown'}; nothing was stored")
    until = fulfilment.expires_at(session, order, now) if order.purchase_id else now + KEPT
    made = deposit(session, hub, package=package, order=order, title=title, facts=shown, expires_at=until, now=now,
                   agreement_id=fulfilment.agreement_of(session, order))  # fmt: skip
    changes: dict[str, Any] = {"artefact_id": made.id, "stage": "done"}
    if not _moved(session, order_id, (OrderState.RUNNING,), OrderState.READY, now, **changes):
        # It ended while its package was stored; its purchase may have been credited.
        raise StateError("the order must be running, got one that has ended; nothing was stored")
    _audit(session, order, "ready", now, artefact=made.id)
    if order.purchase_id:
        fulfilment.ready(session, hub, order, made.id, now)
    delivered(session, hub, order, now)
    return made


def fail(session: Session, order_id: str, reason: str, now: datetime) -> bool:
    """End an order with a reason the applicant reads; an order that has ended stays as it is."""
    return _ended(session, order_id, OrderState.FAILED, reason, now)


def cancel(caller: Caller, order_id: str) -> Order:
    """Cancel one's own order.

    Raises
    ------
    StateError
        It has ended already.
    """
    order = mine(caller, order_id)
    if not _ended(caller.session, order_id, OrderState.CANCELLED, "cancelled by the applicant", caller.now):
        raise StateError(f"an order must be open to be cancelled, got {order.state}; nothing was changed")
    caller.session.refresh(order)
    return order


def withdraw(session: Session, order_id: str, reason: str, now: datetime) -> None:
    """End an open order by rule; one that has ended stays as it is."""
    _ended(session, order_id, OrderState.CANCELLED, reason, now)


def overdue(session: Session, now: datetime) -> list[str]:
    """Fail orders past their deadline; returns their ids."""
    late = session.scalars(sa.select(Order).where(Order.state.in_(OPEN), Order.deadline <= now)).all()
    return [order.id for order in late if fail(session, order.id, _too_late(order), now)]


def unwanted(session: Session, now: datetime) -> list[str]:
    """Orders that ended lately without their run; the data side stops what still runs for them."""
    ended = Order.state.in_((OrderState.CANCELLED, OrderState.FAILED)) & (Order.updated_at > now - TIME_LIMIT)
    return list(session.scalars(sa.select(Order.id).where(ended)))


def revoke_permit(session: Session, permit_id: str, now: datetime) -> None:
    """Kill what a revoked permit has brought about: open orders end, artefacts are destroyed."""
    from hub.repository.tables import Artefact
    from hub.repository.vault import destroy

    for order_id in session.scalars(sa.select(Order.id).where(Order.permit_id == permit_id, Order.state.in_(OPEN))):
        _ended(session, order_id, OrderState.CANCELLED, "the permit was revoked", now)
    live = sa.select(Artefact).where(Artefact.permit_id == permit_id, Artefact.destroyed_at.is_(None))
    for artefact in session.scalars(live):
        destroy(session, artefact, reason="the permit was revoked", now=now, actor="system")


def _too_late(order: Order) -> str:
    minutes = int((order.deadline - order.created_at).total_seconds() // 60)
    return f"an order must be done within {minutes} minutes, got no result; ask again, or ask the operator"


def _ended(session: Session, order_id: str, state: OrderState, reason: str, now: datetime) -> bool:
    if not _moved(session, order_id, OPEN, state, now, reason=reason):
        return False
    order = session.get_one(Order, order_id, populate_existing=True)
    if order.purchase_id:
        from hub.market.fulfilment import not_made

        not_made(session, order)
    _audit(session, order, state.value, now, reason=reason)
    return True


def _moved(
    session: Session, order_id: str, come_from: Sequence[OrderState], state: OrderState, now: datetime, **changes: Any
) -> bool:
    changed = session.execute(
        sa.update(Order)
        .where(Order.id == order_id, Order.state.in_(come_from))
        .values(state=state, updated_at=now, **changes)
        .execution_options(synchronize_session="fetch")
    )
    return changed.rowcount == 1  # type: ignore[attr-defined]


def _audit(session: Session, order: Order, verb: str, now: datetime, actor: str = "system", **detail: Any) -> None:
    record(session, now=now, actor=actor, action=f"order.{verb}", subject=f"order:{order.id}", **detail)
