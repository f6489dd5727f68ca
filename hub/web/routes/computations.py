"""Ordering a computation of several hospitals: choosing it, describing it, and the REST API.

Belongs here: the orderer's pages and operations. Does not belong here: rules (``computations``), an order's progress and
data (``repository``).
"""

from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response

from hub.access import law
from hub.access.tables import Permit
from hub.caller import Caller
from hub.catalogue.service import published
from hub.computations import service
from hub.computations.checks import DescriptionError, Terms, read
from hub.computations.description import Description
from hub.computations.kinds import GROUPS, KINDS, Noise
from hub.delivery import orders
from hub.people.roles import Role
from hub.web.access import PageCaller, Routes
from hub.web.pages import redirect, render
from hub.web.routes.requests import Written
from hub.web.written import FILTERS, answers

DEVELOPER = frozenset({Role.DEVELOPER})
routes = Routes("computations")
Word = Annotated[str, Query(max_length=200)]


@routes.page("/permits/{permit_id}/compute", roles=DEVELOPER)
def choose(request: Request, caller: PageCaller, permit_id: str, kind: Word = "", dataset_id: Word = "") -> Response:
    """Choose a computation, then describe it."""
    permit = service.permit_of(caller, permit_id)
    if kind not in KINDS:
        return _choice(request, caller, permit)
    chosen = dataset_id if dataset_id in permit.dataset_ids else permit.dataset_ids[0]
    return _form(request, caller, permit, {"kind": kind, "dataset_id": chosen}, {})


@routes.form("/permits/{permit_id}/compute", roles=DEVELOPER)
def order(request: Request, caller: PageCaller, permit_id: str, sent: Written) -> Response:
    """Order it, or say at each field what is wrong."""
    permit = service.permit_of(caller, permit_id)
    given = answers(sent)
    if given["kind"] not in KINDS:
        return _choice(request, caller, permit)
    try:
        placed = service.place(caller, permit_id, read(given))
    except DescriptionError as error:
        return _form(request, caller, permit, given, error.fields)
    again = placed.created_at != caller.now
    return redirect(request, f"/orders/{placed.id}", "You have asked for the same already." if again else "The computation is ordered.")  # fmt: skip


@routes.call("GET", "/permits/{permit_id}/computations", roles=DEVELOPER)
def api_terms(caller: PageCaller, permit_id: str) -> dict[str, Any]:
    """What the permit leaves to order, and what was ordered under it."""
    permit = service.permit_of(caller, permit_id)
    return _terms(service.terms(caller, permit)) | {
        "kinds": {
            one.name: {"label": one.label, "columns": one.columns, "noise": one.noise, "parameters": one.parameters}
            for one in KINDS.values()
        },
        "orders": [orders.facts(one) for one in service.mine(caller, permit_id)],
    }  # fmt: skip


@routes.call("POST", "/permits/{permit_id}/computations", roles=DEVELOPER, status_code=202)
def api_order(caller: PageCaller, permit_id: str, wanted: Description) -> dict[str, Any]:
    """Order a computation; the same one asked again, while it runs or its answer lies ready, is returned."""
    return orders.facts(service.place(caller, permit_id, wanted))


def _terms(terms: Terms) -> dict[str, Any]:
    columns = None if terms.columns is None else sorted(terms.columns)
    return {
        "dataset_ids": terms.dataset_ids, "purposes": terms.purposes, "columns": columns, "epsilon": terms.epsilon,
        "epsilon_left": terms.epsilon_left,
    }  # fmt: skip


def _place(permit: Permit) -> dict[str, Any]:
    """Where the pages lie, and where they come from."""
    return {
        "action": f"/permits/{permit.id}/compute", "back": f"/requests/{permit.request_id}", "heading": "What your permit allows",
    }  # fmt: skip


def _choice(request: Request, caller: Caller, permit: Permit) -> Response:
    datasets = [published(caller.session, one) for one in permit.dataset_ids]
    return render(
        request, "computations_choose.html.j2", **_place(permit), terms=service.terms(caller, permit), groups=GROUPS,
        kinds=list(KINDS.values()), datasets=datasets, ordered=service.mine(caller, permit.id),
    )  # fmt: skip


def _form(
    request: Request, caller: Caller, permit: Permit, values: dict[str, Any], wrong: dict[str, str]
) -> Response:  # fmt: skip
    terms = service.terms(caller, permit)
    named = values.get("dataset_id")
    dataset = published(caller.session, named if named in permit.dataset_ids else permit.dataset_ids[0])
    kind = KINDS[values["kind"]]
    return render(
        request, "computations_form.html.j2", status=422 if wrong else 200, **_place(permit), terms=terms, dataset=dataset,
        kind=kind, values=values, given=values.get("parameters") or {}, wrong=wrong, purposes=law.PURPOSES,
        variables=terms.variables(service.variables(dataset)), filters=FILTERS, noise=kind.noise != Noise.NEVER,
        always=kind.noise == Noise.ALWAYS,
    )  # fmt: skip
