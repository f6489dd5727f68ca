"""The operator's pages: people, orders, privacy budgets.

Belongs here: running the hub. Does not belong here: deciding about data, which the operator may not.
"""

from typing import Annotated

import sqlalchemy as sa
from fastapi import Form, Request
from fastapi.responses import Response

from hub.delivery.tables import Order
from hub.errors import NotFoundError
from hub.market import agreements
from hub.people import accounts
from hub.people.roles import LABELS, Role
from hub.people.tables import Person
from hub.web.access import PageCaller, Routes
from hub.web.pages import redirect, render
from records.errors import ParameterError

OPERATOR = frozenset({Role.OPERATOR})
SHOWN = 50
routes = Routes("operator")
Text = Annotated[str, Form(max_length=300)]


@routes.page("/operator", roles=OPERATOR)
def operation(request: Request, caller: PageCaller) -> Response:
    """Accounts and the latest orders."""
    return _operation(request, caller, {}, "")


@routes.form("/operator/people", roles=OPERATOR)
def create(
    request: Request, caller: PageCaller, email: Text, name: Text, password: Text, roles: Annotated[list[str], Form()],
    organisation: Text = "", public_body: Text = "",
) -> Response:  # fmt: skip
    """Make an account."""
    try:
        chosen = frozenset(Role(role) for role in roles)
        accounts.create(
            caller.session, now=caller.now, email=email, name=name, roles=chosen, password=password,
            organisation=organisation, public_body=bool(public_body), by=caller.somebody.id,
        )  # fmt: skip
    except ValueError as error:
        written = {"email": email, "name": name, "organisation": organisation, "roles": roles}
        words = str(error) if isinstance(error, ParameterError) else "the role must be one of the list; choose again"
        return _operation(request, caller, written, words)
    return redirect(request, "/operator", "The account is made.")


@routes.form("/operator/people/{person_id}/close", roles=OPERATOR)
def close(request: Request, caller: PageCaller, person_id: str) -> Response:
    """Close an account; sessions and tokens end at once."""
    person = caller.session.get(Person, person_id)
    if person is None:
        raise NotFoundError("the account must exist, got an unknown one; look at the list")
    if person.id == caller.somebody.id:
        raise ParameterError("the account must be another person's, got your own; ask another operator")
    agreements.end_all(caller, person.id, "the holder has left" if person.has(Role.HOLDER) else "the buyer has left")
    accounts.close(caller.session, person, now=caller.now, by=caller.somebody.id)
    return redirect(request, "/operator", "The account is closed.")


def _operation(request: Request, caller: PageCaller, written: dict[str, object], wrong: str) -> Response:
    people = caller.session.scalars(sa.select(Person).order_by(Person.email)).all()
    orders = caller.session.scalars(sa.select(Order).order_by(Order.created_at.desc()).limit(SHOWN)).all()
    return render(
        request, "operator.html.j2", status=422 if wrong else 200, people=people, orders=orders, written=written,
        wrong=wrong, labels=LABELS,
    )  # fmt: skip
