"""Ordering a computation of several hospitals that was bought.

Belongs here: the buyer's pages and operations. Does not belong here: rules (``hub.market.computing``), computations under a permit
(``computations``), an order's progress and data (``repository``).
"""

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from hub.access import law
from hub.computations.checks import DescriptionError, read
from hub.computations.description import Description
from hub.computations.kinds import GROUPS, KINDS, Noise
from hub.delivery import orders
from hub.market import computing
from hub.market.computing import Bought
from hub.web.access import PageCaller, Routes
from hub.web.pages import redirect, render
from hub.web.routes.computations import DEVELOPER, Word
from hub.web.routes.requests import Written
from hub.web.written import FILTERS, answers

routes = Routes("computations that are bought")


@routes.page("/market/purchases/{purchase_id}/compute", roles=DEVELOPER)
def choose(request: Request, caller: PageCaller, purchase_id: str, kind: Word = "") -> Response:
    """Choose a computation that the service offers, then describe it."""
    found = computing.bought(caller, purchase_id)
    if kind not in found.service.kinds:
        return _choice(request, found)
    return _form(request, found, {"kind": kind, "minimum_count": found.service.minimum_count}, {})


@routes.form("/market/purchases/{purchase_id}/compute", roles=DEVELOPER)
def order(request: Request, caller: PageCaller, purchase_id: str, sent: Written) -> Response:
    """Order it, or say at each field what is wrong."""
    given = answers(sent)
    try:
        placed = computing.order(caller, purchase_id, read(given))
    except DescriptionError as error:
        found = computing.bought(caller, purchase_id)
        if given["kind"] not in found.service.kinds:
            return _choice(request, found)
        return _form(request, found, given, error.fields)
    again = placed.created_at != caller.now
    return redirect(request, f"/orders/{placed.id}", "You have asked for the same already." if again else "The computation is ordered.")  # fmt: skip


@routes.call("GET", "/market/purchases/{purchase_id}/computations", roles=DEVELOPER)
def api_terms(caller: PageCaller, purchase_id: str) -> dict[str, Any]:
    """What may be ordered under a purchase."""
    found = computing.bought(caller, purchase_id)
    return found.service.model_dump(mode="json") | {"left": found.purchase.left, "purposes": found.terms.purposes}


@routes.call("POST", "/market/purchases/{purchase_id}/computations", roles=DEVELOPER, status_code=202)
def api_order(caller: PageCaller, purchase_id: str, wanted: Description) -> dict[str, Any]:
    """Place one of the paid orders; the same question, while it is worked on or answered, is returned."""
    return orders.facts(computing.order(caller, purchase_id, wanted))


def _place(found: Bought) -> dict[str, Any]:
    address = f"/market/purchases/{found.purchase.id}"
    return {"action": f"{address}/compute", "back": address, "heading": "What you have bought"}


def _choice(request: Request, found: Bought) -> Response:
    offered = [KINDS[name] for name in found.service.kinds]
    return render(
        request, "computations_choose.html.j2", **_place(found), terms=found.terms, groups=GROUPS, kinds=offered,
        datasets=[found.dataset], ordered=[],
    )  # fmt: skip


def _form(request: Request, found: Bought, values: dict[str, Any], wrong: dict[str, str]) -> Response:
    kind = KINDS[values["kind"]]
    return render(
        request, "computations_form.html.j2", status=422 if wrong else 200, **_place(found), terms=found.terms,
        dataset=found.dataset, kind=kind, values=values, given=values.get("parameters") or {}, wrong=wrong,
        purposes=law.PURPOSES, variables=found.variables, filters=FILTERS, noise=kind.noise != Noise.NEVER,
        always=kind.noise == Noise.ALWAYS,
    )  # fmt: skip
