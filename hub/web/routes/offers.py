"""Standing offers: the holder's page, approval by the head, and the list of a data set.

Belongs here: pages and operations on offers. Does not belong here: their rules (``access.offers``).
"""

import math
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Form, Request
from fastapi.responses import Response

from hub.access import law, offers
from hub.caller import Caller
from hub.catalogue.service import published
from hub.catalogue.tables import Dataset
from hub.people.roles import Role
from hub.web.access import PUBLIC, PageCaller, Routes
from hub.web.pages import redirect, render
from records.errors import ParameterError

HOLDER, HEAD = frozenset({Role.HOLDER}), frozenset({Role.HEAD})
routes = Routes("access")
Text = Annotated[str, Form(max_length=2000)]
Several = Annotated[list[str] | None, Form()]


@routes.page("/holder/offers", roles=HOLDER)
def of_holder(request: Request, caller: PageCaller) -> Response:
    """The holder's offers and a form for another."""
    return _offers(request, caller, {}, "")


@routes.form("/holder/offers", roles=HOLDER)
def propose(
    request: Request, caller: PageCaller, dataset_id: Text = "", synthesizer: Text = offers.SYNTHESIZERS[0], epsilon: Text = "",
    max_rows: Text = "", columns: Text = "", purposes: Several = None, formats: Several = None, valid_until: Text = "",
    budget_orders: Text = "",
) -> Response:  # fmt: skip
    """Propose an offer; the body's head must approve it."""
    sent = {
        "dataset_id": dataset_id, "synthesizer": synthesizer, "epsilon": epsilon, "max_rows": max_rows, "columns": columns,
        "purposes": purposes or [], "formats": formats or [], "valid_until": valid_until, "budget_orders": budget_orders,
    }  # fmt: skip
    try:
        offers.propose(
            caller, dataset_id, synthesizer=synthesizer, epsilon=_number(epsilon, "epsilon"),
            max_rows=int(_number(max_rows, "rows")), purposes=purposes or [], formats=formats or [],
            valid_until=_last_moment(valid_until), columns=[c.strip() for c in columns.splitlines() if c.strip()],
            budget_orders=int(_number(budget_orders, "orders")) if budget_orders.strip() else None,
        )  # fmt: skip
    except ParameterError as error:
        return _offers(request, caller, sent, str(error))
    return redirect(request, "/holder/offers", "The offer is proposed; the access body must approve it.")


@routes.form("/holder/offers/{offer_id}/withdraw", roles=HOLDER)
def withdraw(request: Request, caller: PageCaller, offer_id: str) -> Response:
    """The holder ends an offer."""
    offers.withdraw(caller, offer_id)
    return redirect(request, "/holder/offers", "The offer is withdrawn.")


@routes.form("/inbox/offers/{offer_id}/approve", roles=HEAD)
def approve(request: Request, caller: PageCaller, offer_id: str) -> Response:
    """The body's head approves an offer."""
    offers.approve(caller, offer_id)
    return redirect(request, "/inbox", "The offer is approved.")


@routes.form("/inbox/offers/{offer_id}/withdraw", roles=HEAD)
def end(request: Request, caller: PageCaller, offer_id: str) -> Response:
    """The body ends or declines an offer."""
    offers.withdraw(caller, offer_id)
    return redirect(request, "/inbox", "The offer is withdrawn.")


@routes.call("GET", "/datasets/{dataset_id}/offers", roles=PUBLIC)
def of_dataset(caller: PageCaller, dataset_id: str) -> list[dict[str, Any]]:
    """Uses of a data set that are allowed beforehand."""
    published(caller.session, dataset_id)
    found = offers.live(caller.session, dataset_id, caller.now)
    return [{"id": one.id, "dataset_id": one.dataset_id} | offers.terms(one) for one in found]


def _offers(request: Request, caller: Caller, sent: dict[str, Any], wrong: str) -> Response:
    mine = sa.select(Dataset).where(Dataset.holder_id == caller.somebody.id).order_by(Dataset.title)
    return render(
        request, "access_offers.html.j2", status=422 if wrong else 200, offers=offers.of_holder(caller), wrong=wrong,
        datasets=caller.session.scalars(mine).all(), sent=sent, purposes=law.PURPOSES, formats=offers.FORMATS,
        synthesizers=offers.SYNTHESIZERS, now=caller.now,
    )  # fmt: skip


def _number(text: str, what: str) -> float:
    try:
        value = float(text.strip().replace(",", "."))
        if not math.isfinite(value):
            raise ValueError("not finite")
    except ValueError as error:
        raise ParameterError(f"{what} must be a number, got something else; write digits") from error
    return value


def _last_moment(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text.strip()), time.max, UTC)
    except ValueError as error:
        raise ParameterError("the last day must be written as 2027-01-31, got something else; mend it") from error
