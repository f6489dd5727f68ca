"""The holder's side of the market: listings, consents, goods.

Belongs here: HTTP. Does not belong here: rules (``hub.market``), negotiation (``market``).
"""

import json
import re
from collections import defaultdict
from decimal import Decimal
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import FormData

from hub.access.law import PURPOSES
from hub.access.offers import SYNTHESIZERS
from hub.caller import Caller
from hub.catalogue.tables import Dataset
from hub.computations.kinds import KINDS
from hub.market import goods, listings, shelf, valuations
from hub.market.kinds import WORDS, Kind
from hub.market.listings import Draft
from hub.market.tables import Consent, Goods
from hub.money.currency import cents_of
from hub.people.roles import Role
from hub.web.access import PageCaller, Routes
from hub.web.language import chosen_language
from hub.web.pages import redirect, render
from hub.web.routes.requests import Written
from records.errors import ParameterError

HOLDER = frozenset({Role.HOLDER})
PERCENT = re.compile(r"[0-9]{1,3}([.,][0-9]{1,12})?")  # few enough digits for a split to hold each
SERVICE, COMPUTE = "service:", "compute:"
routes = Routes("market of holders")


class NewListing(BaseModel):
    """What a holder lists."""

    model_config = ConfigDict(extra="forbid")

    dataset_id: Annotated[str, Field(max_length=63)]
    kind: Annotated[str, Field(max_length=40)]
    title: str
    description: str = ""
    terms: dict[str, Any]
    price: dict[str, Any]
    goods_id: Annotated[str | None, Field(max_length=40)] = None
    service: dict[str, Any] | None = None
    split: dict[str, Any] | None = None
    frontier: list[list[float]] = []
    automatic: bool = False


@routes.page("/holder/market", roles=HOLDER)
def mine(request: Request, caller: PageCaller) -> Response:
    """The holder's listings, goods and consents, and a form for another listing."""
    return _mine(request, caller)


@routes.form("/holder/market", roles=HOLDER)
def create(request: Request, caller: PageCaller, sent: Written) -> Response:
    """List goods or a service."""
    try:
        with caller.session.begin_nested():  # a mistake is shown at the form, and nothing of it is kept
            made = listings.create(caller, _draft(caller, sent))
    except ParameterError as error:
        return _mine(
            request, caller, dict(sent.items()), sent.getlist("purposes"), str(error), sent.getlist("computations")
        )
    note = "It is listed." if made.state == "listed" else "It is listed as soon as all who earn by it consent."
    return redirect(request, "/holder/market", note)


@routes.form("/holder/market/{listing_id}/withdraw", roles=HOLDER)
def withdraw(request: Request, caller: PageCaller, listing_id: str) -> Response:
    """End a listing."""
    listings.withdraw(caller, listing_id)
    return redirect(request, "/holder/market", "The listing is withdrawn.")


@routes.form("/holder/market/{listing_id}/consent", roles=HOLDER)
def consent(request: Request, caller: PageCaller, listing_id: str) -> Response:
    """Consent to a listing that one earns by."""
    listings.consent(caller, listing_id)
    return redirect(request, "/holder/market", "You have consented.")


@routes.form("/holder/goods/{goods_id}/revoke", roles=HOLDER)
def revoke(request: Request, caller: PageCaller, goods_id: str, sent: Written) -> Response:
    """The release does not hold any more."""
    goods.revoked_by(caller, goods_id, str(sent.get("reason") or ""))
    return redirect(request, "/holder/market", "The release is revoked; open purchases are credited.")


@routes.page("/holder/valuations/{sha256}", roles=HOLDER)
def valued(request: Request, caller: PageCaller, sha256: str) -> Response:
    """What the caller's data are worth by a valuation, in words and as a picture, beside the others' shares."""
    found, name = valuations.mine(caller, sha256)
    return render(request, "market_valuation.html.j2", valuation=found, sealed=valuations.sealed_of(found), name=name)


@routes.page("/holder/valuations/{sha256}/share.png", roles=HOLDER)
def picture(request: Request, caller: PageCaller, sha256: str) -> Response:
    """From all holders' worth to the caller's share."""
    from hub.valuation.explanation import steps_plot

    found, name = valuations.mine(caller, sha256)
    made = steps_plot(valuations.sealed_of(found).valuation, name, chosen_language(request))
    return Response(made, media_type="image/png")


@routes.call("GET", "/market/valuations", roles=HOLDER)
def api_valuations(caller: PageCaller) -> list[dict[str, Any]]:
    """Valuations of one's data; a listing's split refers to one by its ``source``."""
    return [valuations.facts(one) for one in valuations.of_caller(caller)]


@routes.call("POST", "/market/listings", roles=HOLDER, status_code=201)
def api_create(caller: PageCaller, new: NewListing) -> dict[str, Any]:
    """List goods or a service."""
    return shelf.facts(listings.create(caller, Draft(**new.model_dump())))


@routes.call("GET", "/market/goods", roles=HOLDER)
def api_goods(caller: PageCaller) -> list[dict[str, Any]]:
    """Packages of one's data sets that passed the gate."""
    return [
        {"id": one.id, "dataset_id": one.dataset_id, "kind": one.kind, "title": one.title, "size": one.size,
         "sha256": one.sha256, "facts": one.facts, "revoked_at": one.revoked_at.isoformat() if one.revoked_at else None}
        for one in _goods(caller)
    ]  # fmt: skip


@routes.call("POST", "/market/listings/{listing_id}/withdraw", roles=HOLDER)
def api_withdraw(caller: PageCaller, listing_id: str) -> dict[str, Any]:
    """End a listing."""
    return shelf.facts(listings.withdraw(caller, listing_id))


@routes.call("POST", "/market/listings/{listing_id}/consent", roles=HOLDER)
def api_consent(caller: PageCaller, listing_id: str) -> dict[str, Any]:
    """Consent to a listing that one earns by."""
    return shelf.facts(listings.consent(caller, listing_id))


def _mine(
    request: Request, caller: Caller, written: dict[str, Any] | None = None, purposes: Any = (), wrong: str = "",
    computations: Any = (),
) -> Response:  # fmt: skip
    found, person = listings.of_holder(caller), caller.somebody.id
    asked = sa.select(Consent.listing_id).where(Consent.person_id == person, Consent.given_at.is_(None))
    own = sa.select(Dataset).where(Dataset.holder_id == person, Dataset.status == "published").order_by(Dataset.title)
    return render(
        request, "market_holder.html.j2", status=422 if wrong else 200, listings=found, asked=set(caller.session.scalars(asked)),
        goods=_goods(caller), datasets=caller.session.scalars(own).all(), written=defaultdict(str, written or {}), chosen=list(purposes),
        wrong=wrong, computations=KINDS, offered=list(computations), valuations=valuations.of_caller(caller), in_percent=lambda one: valuations.in_percent(caller.session, one.split),
        kinds=WORDS, purposes=PURPOSES, synthesizers=SYNTHESIZERS,
    )  # fmt: skip


def _goods(caller: Caller) -> list[Goods]:
    own = sa.select(Dataset.id).where(Dataset.holder_id == caller.somebody.id)
    return list(
        caller.session.scalars(sa.select(Goods).where(Goods.dataset_id.in_(own)).order_by(Goods.deposited_at.desc()))
    )


def _draft(caller: Caller, sent: FormData) -> Draft:
    what = _text(sent, "what")
    kind = {SERVICE: Kind.SYNTHESIS, COMPUTE: Kind.COMPUTATION}.get(what[: len(SERVICE)])
    found = None if kind else caller.session.get(Goods, what)
    if kind is None and found is None:
        raise ParameterError("a listing must sell an artefact or a service, got another; real data are never sold")
    dataset = what[len(SERVICE) :] if found is None else found.dataset_id
    purposes = [one for one in sent.getlist("purposes") if isinstance(one, str)]
    return Draft(
        dataset_id=dataset, kind=found.kind if found is not None else str(kind), goods_id=None if found is None else found.id,
        title=_text(sent, "title"), description=_text(sent, "description"), price=_price(sent), split=_split(caller, sent),
        terms={"purposes": purposes, "months": _whole(sent, "months"), "redistribution": sent.get("redistribution") == "yes",
               "territory": _text(sent, "territory") or "EU", "acknowledgement": _text(sent, "acknowledgement")},
        service={Kind.SYNTHESIS: _service, Kind.COMPUTATION: _compute}[kind](sent) if kind else None, frontier=_points(_text(sent, "frontier")),
        automatic=sent.get("automatic") == "yes",
    )  # fmt: skip


def _price(sent: FormData) -> dict[str, Any]:
    kind, currency = _text(sent, "price"), _text(sent, "currency") or "EUR"
    if kind in ("fixed", "subscription", "per_query"):
        return {"kind": kind, "currency": currency, "cents": cents_of(_text(sent, "amount"), currency)}
    if kind == "by_budget":
        steps = [_pair(line, "a step") for line in _text(sent, "steps").splitlines() if line.strip()]
        return {
            "kind": kind, "currency": currency, "total_rho": _text(sent, "total_rho").replace(",", "."),
            "steps": [{"share": str(float(share) / 100), "cents_per_rho": cents_of(cents, currency)} for share, cents in steps],
        }  # fmt: skip
    return {"kind": kind, "currency": currency}


def _split(caller: Caller, sent: FormData) -> dict[str, Any] | None:
    text, source = _text(sent, "split"), _text(sent, "valuation")
    commission = {"commission": str(_percent(share) / 100)} if (share := _text(sent, "commission")) else {}
    if source:
        return {"source": source, **commission, **(_stated(text) if text else {})}
    if text or commission:
        return (_stated(text) if text else {"contributions": {caller.somebody.id: "1"}}) | commission
    return None


def _percent(text: str) -> Decimal:
    if not PERCENT.fullmatch(text) or (found := Decimal(text.replace(",", "."))) > 100:
        raise ParameterError("a percentage must be a number from 0 to 100, got another; write for instance 5")
    return found


def _stated(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParameterError("a split must be JSON, got another text; mend it") from error
    if not isinstance(found, dict):
        raise ParameterError("a split must be JSON, got another text; mend it")
    return found


def _service(sent: FormData) -> dict[str, Any]:
    epsilon = _text(sent, "epsilon").replace(",", ".") or "1"
    return {
        "synthesizer": _text(sent, "synthesizer") or "auto",
        "epsilon": epsilon,
        "max_rows": _whole(sent, "max_rows") or 5000,
    }


def _compute(sent: FormData) -> dict[str, Any]:
    return {
        "kinds": [one for one in sent.getlist("computations") if isinstance(one, str)],
        "epsilon": _text(sent, "epsilon").replace(",", ".") or "1",
        "minimum_count": _whole(sent, "minimum_count") or 10,
    }


def _points(text: str) -> list[list[float]]:
    pairs = [_pair(line, "a point") for line in text.splitlines() if line.strip()]
    try:
        return [[float(epsilon), float(accuracy)] for epsilon, accuracy in pairs]
    except ValueError as error:
        raise ParameterError("a point must be an epsilon and an accuracy, got another; write them again") from error


def _pair(line: str, what: str) -> tuple[str, str]:
    parts = line.replace(";", " ").split()
    try:
        first, second = (str(float(part.replace(",", "."))) for part in parts)
    except ValueError as error:
        raise ParameterError(
            f"{what} must be two numbers in a line, got another; write for instance 50 1200"
        ) from error
    return first, second


def _whole(sent: FormData, name: str) -> Any:
    text = _text(sent, name)
    return int(text) if text.isdecimal() and len(text) < 10 else text


def _text(sent: FormData, name: str) -> str:
    value = sent.get(name)
    return value.strip() if isinstance(value, str) else ""
