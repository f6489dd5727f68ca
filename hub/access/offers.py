"""Standing offers: uses that holder and body have allowed beforehand, and granting by them.

Belongs here: proposing, approving, withdrawing, matching and granting by rule. Does not belong here: making the data
(``delivery``), the privacy budget (the data side's ledger decides again).

A request fits an offer if every one of its terms lies within the offer's; whatever does not fit goes to the body, so that
an offer can only ever shorten the way to what people have allowed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access import law, permits
from hub.access.form import Form, Kind, completeness
from hub.access.states import State
from hub.access.steps import take
from hub.access.tables import Request, StandingOffer
from hub.audit.log import record
from hub.caller import Caller
from hub.delivery import orders
from hub.delivery.tables import OPEN, Order, OrderKind
from hub.deployment import Deployment
from hub.errors import ForbiddenError, NotFoundError, StateError
from hub.people.roles import Role
from records.errors import ParameterError

if TYPE_CHECKING:
    from hub.catalogue.tables import Dataset

MAX_EPSILON, MAX_ROWS = 10.0, 1_000_000
LONGEST = timedelta(days=366)
# The pipeline's methods with differential privacy, and what they can be written as.
TABLE_SYNTHESIZERS, IMAGE_SYNTHESIZERS = (
    ("auto", "aim", "mst", "star"),
    ("auto", "gaussian", "tilted", "evolution", "embedding", "prior"),
)
TABLE_FORMATS, IMAGE_FORMATS = ("parquet", "csv", "omop", "fhir"), ("dicom", "nifti", "png")
SYNTHESIZERS, FORMATS = tuple(dict.fromkeys(TABLE_SYNTHESIZERS + IMAGE_SYNTHESIZERS)), TABLE_FORMATS + IMAGE_FORMATS
PERMIT_MONTHS = 12


def propose(
    caller: Caller, dataset_id: str, *, synthesizer: str, epsilon: float, max_rows: int, purposes: Sequence[str],
    formats: Sequence[str], valid_until: datetime, columns: Sequence[str] | None = None,
    budget_orders: int | None = None,
) -> StandingOffer:  # fmt: skip
    """The holder allows a use of one of its data sets; the body's head must approve it."""
    from hub.catalogue.service import own

    caller.must_have(Role.HOLDER)
    dataset = own(caller, dataset_id)
    _sound(epsilon, max_rows, purposes, valid_until, budget_orders, caller.now)
    must_make(dataset, synthesizer, formats)
    offer = StandingOffer(
        dataset_id=dataset.id, synthesizer=synthesizer, epsilon=epsilon, max_rows=max_rows,
        columns=list(dict.fromkeys(columns)) if columns else None, purposes=sorted(set(purposes)),
        formats=sorted(set(formats)), budget_orders=budget_orders, valid_until=valid_until, created_at=caller.now,
        holder_approved_by=caller.somebody.id, holder_approved_at=caller.now,
    )  # fmt: skip
    caller.session.add(offer)
    caller.session.flush()
    _audit(caller, offer, "proposed", terms=terms(offer))
    return offer


def formats_of(dataset: "Dataset") -> tuple[str, ...]:
    """What synthetic data of a data set can be written as."""
    return IMAGE_FORMATS if dataset.modality else TABLE_FORMATS


def must_make(dataset: "Dataset", synthesizer: str, formats: Sequence[str]) -> None:
    """Refuse a method or a format that the data set's pipeline does not have: those of images are others than those of tables.

    Raises
    ------
    ParameterError
        It has none of that name.
    """
    methods, forms = IMAGE_SYNTHESIZERS if dataset.modality else TABLE_SYNTHESIZERS, formats_of(dataset)
    if synthesizer not in methods:
        raise ParameterError(f"the synthesizer must be one of {', '.join(methods)}, got another; choose one")
    if not formats or not set(formats) <= set(forms):
        raise ParameterError(f"formats must be among {', '.join(forms)}, got none or others; choose from the list")


def approve(caller: Caller, offer_id: str) -> StandingOffer:
    """The body's head approves; neither the holder nor anybody twice.

    Raises
    ------
    ForbiddenError, StateError
        The head proposed it; it was withdrawn, has ended or is approved already.
    """
    head = caller.must_have(Role.HEAD)
    offer = _found(caller.session, offer_id)
    if offer.holder_approved_by == head.id:
        raise ForbiddenError(
            "an offer must be approved by another person than its holder, got the same; ask another head"
        )
    if offer.withdrawn_at or offer.body_approved_at or offer.valid_until <= caller.now:
        raise StateError("an offer must be open for approval, got another; reload the page")
    offer.body_approved_by, offer.body_approved_at = head.id, caller.now
    _audit(caller, offer, "approved")
    return offer


def withdraw(caller: Caller, offer_id: str) -> StandingOffer:
    """The holder of the data set or the body ends an offer; what was granted stays."""
    offer = _found(caller.session, offer_id)
    if not (caller.has(Role.HEAD) or (caller.has(Role.HOLDER) and offer.holder_approved_by == caller.somebody.id)):
        raise NotFoundError("the offer must be one of yours, got another; look at your data sets")
    if offer.withdrawn_at:
        raise StateError("an offer must be open to be withdrawn, got one that was withdrawn; nothing was changed")
    offer.withdrawn_at, offer.withdrawn_by = caller.now, caller.somebody.id
    _audit(caller, offer, "withdrawn")
    return offer


def live(session: Session, dataset_id: str, now: datetime) -> list[StandingOffer]:
    """Offers of a data set that are approved and in force, the most rows first."""
    found = sa.select(StandingOffer).where(
        StandingOffer.dataset_id == dataset_id, StandingOffer.holder_approved_at.is_not(None),
        StandingOffer.body_approved_at.is_not(None), StandingOffer.withdrawn_at.is_(None), StandingOffer.valid_until > now,
    )  # fmt: skip
    return list(session.scalars(found.order_by(StandingOffer.epsilon, StandingOffer.max_rows.desc(), StandingOffer.id)))


def of_holder(caller: Caller) -> list[StandingOffer]:
    """Offers the holder has made, newest first."""
    own = sa.select(StandingOffer).where(StandingOffer.holder_approved_by == caller.must_have(Role.HOLDER).id)
    return list(caller.session.scalars(own.order_by(StandingOffer.created_at.desc())))


def unapproved(caller: Caller) -> list[StandingOffer]:
    """Offers that wait for the body's head."""
    waiting = sa.select(StandingOffer).where(
        StandingOffer.body_approved_at.is_(None),
        StandingOffer.withdrawn_at.is_(None),
        StandingOffer.valid_until > caller.now,
    )
    return list(caller.session.scalars(waiting.order_by(StandingOffer.created_at)))


def matching(
    session: Session, dataset_id: str, form: Form, now: datetime, *, lock: bool = False
) -> StandingOffer | None:  # fmt: skip
    """The offer with the least epsilon that allows what a complete form asks for, if any.

    Parameters
    ----------
    lock : bool
        Whether to hold the offers until the end of the transaction, so that two requests cannot take the last order.
    """
    from hub.catalogue.tables import Dataset

    # Whether a public body asks was checked with the form; the offer's purposes are checked here.
    if form.kind != Kind.SYNTHETIC or form.dataset_ids != [dataset_id] or completeness(form, public_body=True):
        return None
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.status != "published" or dataset.use_case is None:
        return None
    for offer in live(session, dataset_id, now):
        if lock:
            session.get(StandingOffer, offer.id, with_for_update=True, populate_existing=True)
        if offer.withdrawn_at is None and _within(offer, form) and _left(session, offer):
            return offer
    return None


def duplicate(session: Session, person_id: str, offer_id: str, form: Form) -> Request | None:
    """The person's request under the same offer for the same rows and columns whose order is still open."""
    open_ones = (
        sa.select(Request)
        .join(Order, Order.permit_id == Request.permit_id)
        .where(Request.person_id == person_id, Request.offer_id == offer_id, Order.state.in_(OPEN))
    )
    wanted = (form.rows, _set(form.columns), _set(form.formats))
    for request in session.scalars(open_ones):
        asked = request.form
        if (asked["rows"], _set(asked["columns"]), _set(asked["formats"])) == wanted:
            return request
    return None


def place_under(caller: Caller, request: Request, offer: StandingOffer, form: Form) -> Order:
    """Grant a submitted request by the rule of the offer, issue its permit and place the order."""
    rule = f"standing offer {offer.id}"
    take(caller, request, "grant_by_offer", by_rule=True, words=f"By the {rule}.", rule=rule, offer=offer.id,
         terms=terms(offer))  # fmt: skip
    request.offer_id, request.complete_at, request.decided_at = offer.id, caller.now, caller.now
    request.publish_by = law.PUBLICATION.end(caller.now, caller.hub.holidays)
    permit = permits.issue(caller, request, months=form.months or PERMIT_MONTHS)
    assert form.rows is not None  # a complete form for synthetic data has rows
    columns = form.columns or offer.columns
    return orders.place(caller, permit=permit, offer=offer, rows=form.rows, columns=columns, formats=form.formats)


def delivered(session: Session, hub: Deployment, order: Order, now: datetime) -> None:
    """An order that the hub works off is ready: its request is delivered, and the clock of the results starts (Article 61(4))."""
    request = session.scalar(sa.select(Request).where(Request.permit_id == order.permit_id).with_for_update())
    if request is None or (request.offer_id is None and order.kind != OrderKind.MPC):
        return
    request.delivered_at = now  # the last output counts
    if request.state in (State.GRANTED, State.RECEIVED):
        step = "deliver_by_run" if order.kind == OrderKind.MPC else "deliver_by_offer"
        take(Caller(session, now, hub), request, step, by_rule=True, order=order.id)


def terms(offer: StandingOffer) -> dict[str, Any]:
    """What an offer allows, as plain values."""
    return {
        "synthesizer": offer.synthesizer, "epsilon": offer.epsilon, "max_rows": offer.max_rows, "columns": offer.columns,
        "purposes": offer.purposes, "formats": offer.formats, "budget_orders": offer.budget_orders,
        "valid_until": offer.valid_until.isoformat(),
    }  # fmt: skip


def _within(offer: StandingOffer, form: Form) -> bool:
    columns = offer.columns is None or form.columns is None or set(form.columns) <= set(offer.columns)
    return (
        columns
        and form.rows is not None
        and form.rows <= offer.max_rows
        and set(form.purposes) <= set(offer.purposes)
        and set(form.formats) <= set(offer.formats)
        and form.data_format == "anonymised"
        and not form.opt_out_exception
    )


def _left(session: Session, offer: StandingOffer) -> bool:
    if offer.budget_orders is None:
        return True
    used = session.scalar(sa.select(sa.func.count()).select_from(Order).where(Order.offer_id == offer.id))
    return (used or 0) < offer.budget_orders


def _found(session: Session, offer_id: str) -> StandingOffer:
    offer = session.get(StandingOffer, offer_id, with_for_update=True)
    if offer is None:
        raise NotFoundError("the offer must exist, got an unknown one; look at the list")
    return offer


def _sound(
    epsilon: float, max_rows: int, purposes: Sequence[str], valid_until: datetime, budget_orders: int | None, now: datetime
) -> None:  # fmt: skip
    if not 0 < epsilon <= MAX_EPSILON:
        raise ParameterError(f"epsilon must be above 0 and at most {MAX_EPSILON:g}, got another; choose less")
    if not 1 <= max_rows <= MAX_ROWS:
        raise ParameterError(f"rows must be 1 to {MAX_ROWS}, got another; choose fewer")
    if not purposes or not set(purposes) <= set(law.PURPOSES):
        raise ParameterError("purposes must be letters of Article 53(1), got none or others; choose from the list")
    if not now < valid_until <= now + LONGEST:
        raise ParameterError("an offer must end within a year from now, got another day; choose an earlier one")
    if budget_orders is not None and budget_orders < 1:
        raise ParameterError("the number of orders must be at least 1, got less; leave it empty for no limit")


def _set(values: Sequence[str] | None) -> frozenset[str] | None:
    return frozenset(values) if values else None


def _audit(caller: Caller, offer: StandingOffer, verb: str, **detail: Any) -> None:
    record(
        caller.session, now=caller.now, actor=caller.somebody.id, action=f"offer.{verb}", subject=f"offer:{offer.id}",
        dataset=offer.dataset_id, **detail,
    )  # fmt: skip
