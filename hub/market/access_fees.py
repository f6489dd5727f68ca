"""Fees for access to real data: the estimate that was accepted, and the one invoice that keeps to it.

Belongs here: acceptance with the application, the invoice once the costs are known. Does not belong here: the rule that no fee is above
cost (``fees``), the market's prices.

References
----------
Regulation (EU) 2025/327, Article 62(1) (in proportion to cost), 62(2) (the holder's part is paid to the holder), 62(5) (told
beforehand; who withdraws pays only what was incurred). Directive 2006/112/EC, Article 13(1) (public authorities).
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from hub.access import fees as estimates
from hub.access.states import UNDECIDED, State
from hub.access.tables import Request
from hub.audit.log import record
from hub.caller import Caller
from hub.catalogue.tables import Dataset
from hub.errors import NotFoundError, StateError
from hub.market import splits
from hub.market.fees import Charge, checked, expected
from hub.market.tables import AccessFee
from hub.money import invoices, vat
from hub.money.accounts import HUB
from hub.money.invoice import Line
from hub.money.tables import Invoice
from hub.people.roles import BODY, Role

OPEN = UNDECIDED - {State.DRAFT}


def accept(caller: Caller, request: Request) -> None:
    """Who sends an application in has seen the estimate and accepts it; a completed one has its newest."""
    caller.session.merge(AccessFee(request_id=request.id, estimate=request.fee, accepted_at=caller.now))
    caller.session.flush()


def due(caller: Caller) -> list[tuple[AccessFee, Request]]:
    """Accepted estimates of decided or withdrawn applications that have no invoice yet, oldest first."""
    caller.must_have(*BODY)
    query = (
        sa.select(AccessFee, Request).join(Request, Request.id == AccessFee.request_id)
        .where(AccessFee.invoice_id.is_(None), Request.state.not_in([*OPEN, State.DRAFT])).order_by(AccessFee.accepted_at)
    )  # fmt: skip
    return [(fee, request) for fee, request in caller.session.execute(query).tuples() if fee.estimate.get("total")]


def done(caller: Caller) -> list[tuple[AccessFee, Request]]:
    """Fees that were invoiced, newest first; one's own for everybody but the body."""
    query = sa.select(AccessFee, Request).join(Request, Request.id == AccessFee.request_id)
    if not caller.has(*BODY, Role.AUDITOR):
        query = query.where(Request.person_id == caller.somebody.id)
    shown = query.where(AccessFee.invoice_id.is_not(None)).order_by(AccessFee.invoiced_at.desc())
    return list(caller.session.execute(shown).tuples())


def charges_of(fee: AccessFee) -> list[Charge]:
    """The accepted estimate as charges at cost."""
    return expected(_estimate(fee.estimate))


def invoice(caller: Caller, request_id: str, charges: Sequence[Charge]) -> Invoice:
    """Issue the one invoice: lines for body, holder and processing, none above its cost, together within the estimate.

    Raises
    ------
    NotFoundError, StateError
        Nothing was accepted; the application is not decided; it was invoiced; or billing details are missing.
    ParameterError
        A price is above cost, or the sum above the estimate.
    """
    caller.must_have(*BODY)
    fee = caller.session.get(AccessFee, request_id, with_for_update=True, populate_existing=True)
    request = caller.session.get(Request, request_id)
    if fee is None or request is None:
        raise NotFoundError("the application must have an accepted estimate, got none; look at the list")
    if request.state in (*OPEN, State.DRAFT):
        raise StateError("an application must be decided to be invoiced, got one that is not; decide first")
    if fee.invoice_id is not None:
        raise StateError("a fee must be invoiced once, got a second time; nothing was changed")
    asked = [one for one in checked(charges, _estimate(fee.estimate)) if one.cents]
    if not asked:
        raise StateError("an invoice must charge something, got nothing; leave it without an invoice")
    treatment = vat.treatment("", "", business=False, public_task=True)
    lines = [Line.of(one.words, one.cents, _shares(caller, request, one), treatment) for one in asked]
    made = invoices.issue(caller, key=f"access:{request.id}", payer=request.person_id, lines=lines,
                          note="Regulation (EU) 2025/327, Article 62: at cost")  # fmt: skip
    fee.invoice_id, fee.invoiced_at, fee.charges = made.id, caller.now, [vars(one) for one in asked]
    record(caller.session, now=caller.now, actor=caller.somebody.id, action="fee.invoiced", subject=f"request:{request.id}",
           invoice=made.number, cents=sum(one.cents for one in asked))  # fmt: skip
    return made


def _shares(caller: Caller, request: Request, charge: Charge) -> dict[str, int]:
    if charge.payee != "holder":
        return {HUB: charge.cents}
    holders = caller.session.execute(sa.select(Dataset.holder_id, sa.func.count()).where(Dataset.id.in_(request.dataset_ids))
                                     .group_by(Dataset.holder_id))  # fmt: skip
    weights: dict[str, splits.Number] = {holder: count for holder, count in holders.tuples()}
    return {name: part for name, part in splits.split(charge.cents, weights or {HUB: 1}).items() if part}


def _estimate(plain: dict[str, Any]) -> estimates.Estimate:
    return estimates.Estimate(tuple(estimates.Line(**line) for line in plain.get("lines", ())))
