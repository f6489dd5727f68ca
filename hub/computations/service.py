"""Ordering a computation under a permit, once.

Belongs here: what the permit leaves, placing, repeating. Does not belong here: the life of an order (``delivery.orders``).

The same question that is being computed, or whose answer can still be downloaded, is not asked again: a second answer would tell
more than the first and cost the hospitals' budgets. The epsilon of an order counts from the moment its run begins, whatever
becomes of it: noise may have been seen.

References
----------
Regulation (EU) 2025/327, Articles 61(1), 68(10), 73(1).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access import odrl
from hub.access.form import Kind
from hub.access.permits import held_by
from hub.access.tables import Permit, Request
from hub.access.uses import must_allow
from hub.caller import Caller
from hub.catalogue.record import DatasetRecord, Variable
from hub.catalogue.service import published
from hub.catalogue.tables import Dataset
from hub.computations.checks import Terms, must_fit, typed
from hub.computations.description import Description
from hub.delivery import orders
from hub.delivery.tables import OPEN, Order, OrderKind, OrderState
from hub.deployment import Deployment
from hub.errors import ForbiddenError, StateError
from hub.people.roles import Role
from hub.people.tables import Person
from hub.repository.tables import Artefact
from records.errors import ParameterError

EXECUTE = odrl.ACTIONS[Kind.MPC]
TIME_LIMIT = timedelta(hours=2)  # a hospital may ask a person first
SYNTHESIS, SYNTHESIZER = "synthesis", "aim"


def permit_of(caller: Caller, permit_id: str) -> Permit:
    """One's own permit for computations, in force.

    Raises
    ------
    NotFoundError, ForbiddenError, GoneError
        There is none or it is another person's; it is of another kind; it was revoked or is over.
    """
    permit = held_by(caller.session, permit_id, caller.must_have(Role.DEVELOPER).id)
    if permit.kind != Kind.MPC:
        raise ForbiddenError("a permit must be for multi-party computation, got another; apply for one")
    return must_allow(caller, permit.id, person_id=permit.person_id, action=EXECUTE, dataset_ids=permit.dataset_ids)


def terms(caller: Caller, permit: Permit) -> Terms:
    """What the signed agreement allows, and what earlier orders have left of it."""
    columns, epsilon = odrl.limit(permit.odrl, odrl.COLUMN), float(odrl.limit(permit.odrl, odrl.EPSILON) or 0)
    purposes = caller.session.get_one(Request, permit.request_id).form.get("purposes") or []
    return Terms(
        tuple(permit.dataset_ids), tuple(purposes), None if columns is None else frozenset(columns), epsilon,
        max(0.0, epsilon - _spent(caller.session, permit.id)),
    )  # fmt: skip


def variables(dataset: Dataset) -> list[Variable]:
    """Variables of a data set."""
    return list(DatasetRecord.model_validate(dataset.record).variables)


def must_be_table(dataset: Dataset) -> None:
    """Refuse a data set of images: parties compute on tables, and would answer of another data set.

    Raises
    ------
    ParameterError
        It is one of images.
    """
    if dataset.modality:
        raise ParameterError(
            "a computation must be of a data set of tables, got one of images; choose another data set"
        )


def place(caller: Caller, permit_id: str, wanted: Description) -> Order:
    """Order a computation; one that is being computed, or lies ready, is returned instead.

    Raises
    ------
    NotFoundError, ForbiddenError, GoneError
        The permit does not allow it now.
    DescriptionError, ParameterError
        The description does not fit, or the data set is one of images.
    StateError
        The data set is not connected to a federation.
    """
    # Two orders at once must not both take the last epsilon, nor ask the same twice.
    caller.session.execute(sa.select(Permit.id).where(Permit.id == permit_id).with_for_update())
    permit = permit_of(caller, permit_id)
    left = terms(caller, permit)
    known = _known(caller, permit, wanted)
    wanted = typed(wanted, known)
    if wanted.kind == SYNTHESIS and not wanted.columns:
        wanted = wanted.model_copy(update={"columns": [v.name for v in left.variables(known)]})
    if (same := same_as(caller, Order.permit_id == permit.id, wanted)) is not None:
        return same
    must_fit(wanted, known, left)
    dataset = published(caller.session, wanted.dataset_id)
    must_be_table(dataset)
    if dataset.use_case is None:
        raise StateError(f"{dataset.id} must be connected to a federation, got no connection; ask the data holder")
    must_allow(
        caller, permit.id, person_id=permit.person_id, action=EXECUTE, dataset_ids=[dataset.id], columns=wanted.touched,
        epsilon=left.epsilon - left.epsilon_left + (wanted.epsilon or 0.0),
    )  # fmt: skip
    made = described_order(
        wanted, use_case=dataset.use_case, person_id=permit.person_id, now=caller.now, until=permit.valid_until
    )
    made.permit_id = permit.id
    return orders.queue(
        caller, made, computation=wanted.kind, sha256=made.question_sha256, epsilon=made.epsilon, dataset=dataset.id
    )  # fmt: skip


def same_as(caller: Caller, under: sa.ColumnElement[bool], wanted: Description) -> Order | None:
    """The first order of the same question among those ``under`` names that is worked on or can still be downloaded."""
    alive = sa.and_(
        Order.state == OrderState.READY, Artefact.destroyed_at.is_(None), Artefact.expires_at > caller.now,
        Artefact.downloads_left > 0,
    )  # fmt: skip
    found = (
        sa.select(Order)
        .outerjoin(Artefact, Artefact.order_id == Order.id)
        .where(under, Order.kind == OrderKind.MPC, Order.question_sha256 == wanted.sha256)
        .where(sa.or_(Order.state.in_(OPEN), alive))
    )
    return caller.session.scalars(found.order_by(Order.created_at)).first()


def described_order(wanted: Description, *, use_case: str, person_id: str, now: datetime, until: datetime) -> Order:
    """An order of a computation, not placed yet and under nothing yet; it must be done before ``until``."""
    table = wanted.kind == SYNTHESIS
    return Order(
        kind=OrderKind.MPC, permit_id="", offer_id="", person_id=person_id, dataset_id=wanted.dataset_id, use_case=use_case,
        synthesizer=SYNTHESIZER if table else "", epsilon=wanted.epsilon or 0.0, rows=wanted.rows or 0,
        columns=wanted.columns or None, formats=["parquet", "csv"] if table else ["json"], question=wanted.plain,
        question_sha256=wanted.sha256, created_at=now, updated_at=now, deadline=min(now + TIME_LIMIT, until),
    )  # fmt: skip


def must_still_allow(session: Session, hub: Deployment, order: Order, now: datetime) -> None:
    """Refuse an order whose permit or purchase has ended, or was changed, since it was placed; its run asks this first."""
    if order.purchase_id is not None:
        from hub.market import computing

        computing.must_still_allow(session, hub, order, now)
        return
    caller = Caller(session, now, hub, session.get_one(Person, order.person_id))
    wanted = Description.model_validate(order.question)
    must_allow(
        caller, order.permit_id, person_id=order.person_id, action=EXECUTE, dataset_ids=[order.dataset_id],
        columns=wanted.touched, epsilon=_spent(session, order.permit_id),
    )  # fmt: skip


def mine(caller: Caller, permit_id: str | None = None) -> list[Order]:
    """One's own computations, newest first."""
    own = sa.select(Order).where(Order.person_id == caller.somebody.id, Order.kind == OrderKind.MPC)
    if permit_id is not None:
        own = own.where(Order.permit_id == permit_id)
    return list(caller.session.scalars(own.order_by(Order.created_at.desc(), Order.id)))


def _known(caller: Caller, permit: Permit, wanted: Description) -> Sequence[Variable]:
    """Variables of the data set; none of one that the permit does not name, so that its existence is not told."""
    if wanted.dataset_id not in permit.dataset_ids:
        return []
    return variables(published(caller.session, wanted.dataset_id))


def _spent(session: Session, permit_id: str) -> float:
    counted = sa.or_(Order.state.in_(OPEN), Order.run_id.is_not(None))
    under = sa.select(sa.func.coalesce(sa.func.sum(Order.epsilon), 0.0)).where(Order.permit_id == permit_id, counted)
    return float(session.scalar(under) or 0.0)
