"""A request as plain values: for the REST API, and what pages show besides.

Belongs here: reading, for people who may see the request. Does not belong here: sight itself (``steps.visible``).
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.form import completeness
from hub.access.law import CLOCKS
from hub.access.service import EDITABLE, read_form
from hub.access.states import NEXT, State
from hub.access.steps import events
from hub.access.tables import Request
from hub.caller import Caller
from hub.delivery import orders
from hub.delivery.tables import Order

BY_ITSELF = "hub"


def next_actor(request: Request) -> str | None:
    """Who acts next; ``hub`` where a rule does."""
    if request.offer_id is not None and request.state == State.GRANTED:
        return BY_ITSELF
    return NEXT[State(request.state)]


def clock(request: Request) -> dict[str, Any] | None:
    """The running clock with its article and end."""
    if request.clock is None or request.deadline is None:
        return None
    running = CLOCKS[request.clock]
    return {
        "name": running.name, "article": running.article, "words": running.words, "prolonged": request.prolonged,
        "deadline": request.deadline.isoformat(),
    }  # fmt: skip


def orders_of(session: Session, request: Request) -> list[Order]:
    """Orders under the request's permit, newest first."""
    if request.permit_id is None:
        return []
    under = sa.select(Order).where(Order.permit_id == request.permit_id, Order.person_id == request.person_id)
    return list(session.scalars(under.order_by(Order.created_at.desc())))


def summary(request: Request) -> dict[str, Any]:
    """A request in a list."""
    return {
        "id": request.id, "kind": request.kind, "state": request.state, "dataset_ids": request.dataset_ids,
        "next_actor": next_actor(request), "clock": clock(request), "created_at": request.created_at.isoformat(),
        "updated_at": request.updated_at.isoformat(), "permit_id": request.permit_id, "offer_id": request.offer_id,
    }  # fmt: skip


def facts(caller: Caller, request: Request) -> dict[str, Any]:
    """Everything of a request that its applicant sees, its orders included."""
    found = orders_of(caller.session, request)
    form = read_form(request.form)
    missing = completeness(form, public_body=caller.somebody.public_body) if request.state in EDITABLE else []
    return summary(request) | {
        "form": request.form, "fee": request.fee, "justification": request.justification,
        "publish_by": request.publish_by.isoformat() if request.publish_by else None,
        "missing": [{"field": one.field, "article": one.article, "words": one.words} for one in missing],
        "order": orders.facts(found[0]) if found else None, "order_ids": [order.id for order in found],
        "artefact_ids": [order.artefact_id for order in found if order.artefact_id],
        "timeline": [
            {"at": event.at.isoformat(), "step": event.step, "state": event.state, "words": event.words}
            for event in events(caller.session, request.id)
        ],
    }  # fmt: skip
