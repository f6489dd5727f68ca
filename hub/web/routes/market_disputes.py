"""Disputes and exclusions, fees at cost, earnings and settlement.

Belongs here: HTTP. Does not belong here: rules (``hub.market``).
"""

from collections import defaultdict
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import FormData

from hub.caller import Caller
from hub.market import access_fees, disputes, negotiation, sanctions, settlement
from hub.market.fees import Charge
from hub.market.tables import AccessFee, Listing
from hub.money.currency import cents_of
from hub.people.roles import BODY, EVERYONE, Role
from hub.people.tables import Person
from hub.web.access import PageCaller, Routes
from hub.web.pages import redirect, render
from hub.web.routes.market import READERS
from hub.web.routes.requests import Written
from records.errors import ParameterError

ARBITER = frozenset({Role.ARBITER})
HOLDER = frozenset({Role.HOLDER})
HEAD = frozenset({Role.HEAD})
BOOKS = frozenset({Role.OPERATOR, Role.AUDITOR})
DECISIONS = {"release": disputes.release, "refund": disputes.refund}
Month = Annotated[str, Query(max_length=10)]
routes = Routes("market disputes")


class Decision(BaseModel):
    """An arbiter's decision: release or refund, with reasons."""

    model_config = ConfigDict(extra="forbid")

    decision: str
    words: str


@routes.page("/market/disputes", roles=READERS)
def listed(request: Request, caller: PageCaller) -> Response:
    """Disputes that the caller may see."""
    found = [(one, disputes.visible(caller, one.id)[1]) for one in disputes.mine(caller)]
    return render(
        request, "market_disputes.html.j2",
        found=[(one, bought, caller.session.get_one(Listing, bought.listing_id)) for one, bought in found],
    )  # fmt: skip


@routes.page("/market/disputes/{dispute_id}", roles=READERS)
def shown(request: Request, caller: PageCaller, dispute_id: str) -> Response:
    """One dispute: both sides, the money held, and the arbiter's decision."""
    return _dispute(request, caller, dispute_id)


@routes.form("/market/disputes/{dispute_id}/answer", roles=HOLDER)
def answer(request: Request, caller: PageCaller, dispute_id: str, sent: Written) -> Response:
    """The holder answers."""
    try:
        disputes.answer(caller, dispute_id, str(sent.get("words") or ""))
    except ParameterError as error:
        return _dispute(request, caller, dispute_id, str(error))
    return redirect(request, f"/market/disputes/{dispute_id}", "Your answer is kept.")


@routes.form("/market/disputes/{dispute_id}/decision", roles=ARBITER)
def decide(request: Request, caller: PageCaller, dispute_id: str, sent: Written) -> Response:
    """The arbiter releases or refunds."""
    try:
        with caller.session.begin_nested():  # a mistake is shown at the form, and nothing of it is kept
            _decided(caller, dispute_id, str(sent.get("decision") or ""), str(sent.get("words") or ""))
    except ParameterError as error:
        return _dispute(request, caller, dispute_id, str(error))
    return redirect(request, f"/market/disputes/{dispute_id}", "The dispute is decided.")


@routes.page("/exclusions", roles=EVERYONE)
def exclusions(request: Request, caller: PageCaller) -> Response:
    """Findings of non-compliance and exclusions: all for the body, one's own for everybody."""
    return _exclusions(request, caller)


@routes.form("/exclusions", roles=HEAD)
def notify(request: Request, caller: PageCaller, sent: Written) -> Response:
    """Tell somebody of a finding."""
    given = {name: str(sent.get(name) or "") for name in ("email", "article", "finding")}
    try:
        sanctions.notify(caller, given["email"], article=given["article"], finding=given["finding"])
    except ParameterError as error:
        return _exclusions(request, caller, given, str(error))
    return redirect(request, "/exclusions", "The person concerned is told and may state views within four weeks.")


@routes.form("/exclusions/{sanction_id}/views", roles=EVERYONE)
def views(request: Request, caller: PageCaller, sanction_id: str, sent: Written) -> Response:
    """The person concerned states views."""
    sanctions.state_views(caller, sanction_id, str(sent.get("words") or ""))
    return redirect(request, "/exclusions", "Your views are kept.")


@routes.form("/exclusions/{sanction_id}/decision", roles=HEAD)
def decide_exclusion(request: Request, caller: PageCaller, sanction_id: str, sent: Written) -> Response:
    """Impose, drop or lift."""
    words, months = str(sent.get("words") or ""), str(sent.get("months") or "")
    match sent.get("decision"):
        case "impose":
            sanctions.impose(
                caller, sanction_id, months=int(months) if months.isdecimal() and len(months) < 4 else 0, reasons=words
            )
        case "drop":
            sanctions.drop(caller, sanction_id, words)
        case "lift":
            sanctions.lift(caller, sanction_id, words)
        case _:
            raise ParameterError("a decision must be one of the page's, got another; reload the page")
    return redirect(request, "/exclusions", "The decision is kept and binds at once.")


@routes.page("/fees", roles=frozenset(BODY))
def fees(request: Request, caller: PageCaller) -> Response:
    """Fees for access to real data, at cost."""
    return _fees(request, caller)


@routes.form("/fees/{request_id}", roles=frozenset(BODY))
def charge(request: Request, caller: PageCaller, request_id: str, sent: Written) -> Response:
    """Issue the one invoice of an application."""
    try:
        with caller.session.begin_nested():
            fee = caller.session.get(AccessFee, request_id)
            access_fees.invoice(caller, request_id, _charges(fee, sent) if fee else [])
    except ParameterError as error:
        return _fees(
            request,
            caller,
            {name: value for name, value in sent.items() if isinstance(value, str)} | {"of": request_id},
            str(error),
        )
    return redirect(request, "/fees", "The invoice is issued.")


@routes.page("/holder/earnings", roles=HOLDER)
def earnings(request: Request, caller: PageCaller, month: Month = "") -> Response:
    """What one earned in a month, by data set, and how often these were used."""
    chosen = month or settlement.month_of(caller.now)
    found = settlement.settle(caller.session, chosen).of(caller.somebody.id)
    return render(
        request, "market_earnings.html.j2", found=found, month=chosen, path_of="/holder/earnings", whole=False
    )


@routes.page("/holder/earnings.csv", roles=HOLDER)
def earnings_csv(caller: PageCaller, month: Month = "") -> Response:
    """The same as CSV."""
    return _csv(settlement.settle(caller.session, month or settlement.month_of(caller.now)).of(caller.somebody.id))


@routes.page("/books/settlement", roles=BOOKS)
def settled(request: Request, caller: PageCaller, month: Month = "") -> Response:
    """The settlement of a month."""
    chosen = month or settlement.month_of(caller.now)
    found = settlement.settle(caller.session, chosen)
    return render(
        request, "market_earnings.html.j2", found=found, month=chosen, path_of="/books/settlement", whole=True
    )


@routes.page("/books/settlement.csv", roles=BOOKS)
def settled_csv(caller: PageCaller, month: Month = "") -> Response:
    """The same as CSV."""
    return _csv(settlement.settle(caller.session, month or settlement.month_of(caller.now)))


@routes.call("GET", "/market/earnings", roles=HOLDER)
def api_earnings(caller: PageCaller, month: Month = "") -> dict[str, Any]:
    """What one earned in a month, by data set."""
    chosen = month or settlement.month_of(caller.now)
    return settlement.plain(settlement.settle(caller.session, chosen).of(caller.somebody.id))


@routes.call("GET", "/market/settlement", roles=BOOKS)
def api_settlement(caller: PageCaller, month: Month = "") -> dict[str, Any]:
    """The settlement of a month."""
    return settlement.plain(settlement.settle(caller.session, month or settlement.month_of(caller.now)))


@routes.call("POST", "/market/disputes/{dispute_id}/decision", roles=ARBITER)
def api_decide(caller: PageCaller, dispute_id: str, decision: Decision) -> dict[str, Any]:
    """The arbiter releases or refunds."""
    found = _decided(caller, dispute_id, decision.decision, decision.words)
    return {"id": found.id, "state": found.state, "credit_note_id": found.credit_note_id}


def _decided(caller: Caller, dispute_id: str, decision: str, words: str) -> Any:
    if decision not in DECISIONS:
        raise ParameterError("a decision must be one of the page's, got another; reload the page")
    return DECISIONS[decision](caller, dispute_id, words)


def _dispute(request: Request, caller: Caller, dispute_id: str, wrong: str = "") -> Response:
    found, bought = disputes.visible(caller, dispute_id)
    return render(
        request, "market_dispute.html.j2", status=422 if wrong else 200, dispute=found, purchase=bought, wrong=wrong,
        listing=caller.session.get_one(Listing, bought.listing_id), buyer=negotiation.party_name(caller, found.buyer_id),
        held=[(negotiation.party_name(caller, payee), cents) for payee, cents in found.held.items()],
        seller=caller.somebody.id != found.buyer_id and caller.has(Role.HOLDER),
    )  # fmt: skip


def _exclusions(
    request: Request, caller: Caller, written: dict[str, str] | None = None, wrong: str = ""
) -> Response:  # fmt: skip
    found = [(one, caller.session.get_one(Person, one.person_id)) for one in sanctions.listed(caller)]
    return render(
        request, "market_exclusions.html.j2", status=422 if wrong else 200, found=found, wrong=wrong, written=defaultdict(str, written or {}),
        articles=sanctions.ARTICLES, now=caller.now,
    )  # fmt: skip


def _fees(request: Request, caller: Caller, written: dict[str, str] | None = None, wrong: str = "") -> Response:
    waiting = [(fee, one, access_fees.charges_of(fee)) for fee, one in access_fees.due(caller)]
    return render(
        request, "market_fees.html.j2", status=422 if wrong else 200, waiting=waiting, done=access_fees.done(caller),
        written=written or {}, wrong=wrong,
    )  # fmt: skip


def _charges(fee: AccessFee, sent: FormData) -> list[Charge]:
    """What is charged and what it cost, line by line, from the form."""
    return [
        Charge(one.payee, one.words, cents_of(str(sent.get(f"charge-{n}") or "0")), cents_of(str(sent.get(f"cost-{n}") or "0")))
        for n, one in enumerate(access_fees.charges_of(fee))
    ]  # fmt: skip


def _csv(found: settlement.Settlement) -> Response:
    name = f'attachment; filename="settlement-{found.month}.csv"'
    return Response(settlement.as_csv(found.rows), media_type="text/csv", headers={"Content-Disposition": name})
