"""The market for buyers: search, compare, negotiate, verify.

Belongs here: HTTP. Does not belong here: rules (``hub.market``), buying (``market_purchases``), the holder's pages (``market_holder``).
"""

import json
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import FormData

from hub.access.law import PURPOSES
from hub.audit.heads import public_key
from hub.caller import Caller
from hub.computations.kinds import KINDS
from hub.market import agreements, listings, negotiation, protocol, purchases, reputation, shelf
from hub.market.agreement import key_of, verify_agreement
from hub.market.kinds import WORDS
from hub.market.tables import Agreement, Listing, Negotiation
from hub.money.currency import cents_of
from hub.people.roles import Role
from hub.web.access import PUBLIC, PageCaller, Routes
from hub.web.frontier import plot
from hub.web.pages import redirect, render
from hub.web.routes.requests import Written
from records.errors import ParameterError, PhaseIVError

DEVELOPER = frozenset({Role.DEVELOPER})
PARTIES = frozenset({Role.DEVELOPER, Role.HOLDER})
READERS = frozenset({Role.DEVELOPER, Role.HOLDER, Role.ARBITER, Role.AUDITOR})
JSON_LD = "application/ld+json"
LARGEST_DOCUMENT = 200_000
STEPS = {
    "accept": negotiation.accept, "agree": negotiation.agree, "verify": negotiation.verify,
    "finalize": negotiation.finalize, "terminate": negotiation.terminate,
}  # fmt: skip
NOTES = {
    "accept": "You have accepted the offer.", "agree": "The agreement is signed.", "verify": "The agreement is verified.",
    "finalize": "The agreement is in force.", "terminate": "The negotiation has ended.",
}  # fmt: skip
routes = Routes("market")
Text = Annotated[str, Query(max_length=200)]
Ids = Annotated[list[str], Query(max_length=20)]


class Proposal(BaseModel):
    """Other terms or another amount than what is on the table; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    terms: dict[str, Any] | None = None
    cents: Annotated[int | None, Field(ge=0)] = None


@routes.page("/market", roles=PUBLIC)
def search(
    request: Request, caller: PageCaller, q: Text = "", kind: Text = "", price: Text = "", purpose: Text = "",
    territory: Text = "", redistribution: Text = "", page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:  # fmt: skip
    """Find listings."""
    chosen = {
        "kind": kind,
        "price": price,
        "purpose": purpose,
        "territory": territory,
        "redistribution": redistribution,
    }
    found = shelf.search(caller.session, q, chosen, page)
    return render(request, "market_search.html.j2", found=found, q=q, chosen=chosen, kinds=WORDS, purposes=PURPOSES)


@routes.page("/market/compare", roles=PUBLIC)
def compare(request: Request, caller: PageCaller, id: Ids = []) -> Response:  # noqa: B006
    """Listings side by side."""
    views = shelf.compare(caller, id)
    facts = {one.listing.id: reputation.of_holder(caller.session, one.listing.holder_id) for one in views}
    return render(request, "market_compare.html.j2", views=views, kinds=WORDS, purposes=PURPOSES, facts=facts,
                  computations=KINDS)  # fmt: skip


@routes.page("/market/listings/{listing_id}", roles=PUBLIC)
def listing(request: Request, caller: PageCaller, listing_id: str) -> Response:
    """One listing: terms, price, frontier, label, sample, reputation."""
    return _listing(request, caller, listing_id)


@routes.page("/market/listings/{listing_id}/offer", roles=PUBLIC)
def offer(caller: PageCaller, listing_id: str) -> Response:
    """The listing's offer as ODRL in JSON-LD."""
    found = listings.live(caller.session, listing_id, caller.now)
    return JSONResponse(listings.offer_of(found), media_type=JSON_LD)


@routes.form("/market/listings/{listing_id}/negotiations", roles=DEVELOPER)
def ask(request: Request, caller: PageCaller, listing_id: str, sent: Written) -> Response:
    """Ask for a listing on its terms, or on others."""
    found = listings.live(caller.session, listing_id, caller.now)
    try:
        with caller.session.begin_nested():  # a mistake is shown at the form, and nothing of it is kept
            made = negotiation.request(caller, listing_id, **_proposed(sent, found.price))
    except ParameterError as error:
        return _listing(request, caller, listing_id, str(error))
    return redirect(request, f"/market/negotiations/{made.id}", "Your request is sent.")


@routes.page("/market/negotiations", roles=PARTIES)
def negotiations(request: Request, caller: PageCaller) -> Response:
    """The caller's negotiations on either side."""
    found = [(one, caller.session.get_one(Listing, one.listing_id)) for one in negotiation.mine(caller)]
    return render(request, "market_negotiations.html.j2", found=found)


@routes.page("/market/negotiations/{negotiation_id}", roles=PARTIES)
def negotiate(request: Request, caller: PageCaller, negotiation_id: str) -> Response:
    """What is on the table, what was sent, and what may come next."""
    return _negotiation(request, caller, negotiation_id)


@routes.form("/market/negotiations/{negotiation_id}/counter", roles=PARTIES)
def counter(request: Request, caller: PageCaller, negotiation_id: str, sent: Written) -> Response:
    """Answer with another offer."""
    found, _ = negotiation.visible(caller, negotiation_id)
    try:
        with caller.session.begin_nested():
            negotiation.counter(caller, negotiation_id, **_proposed(sent, found.price))
    except ParameterError as error:
        return _negotiation(request, caller, negotiation_id, str(error))
    return redirect(request, f"/market/negotiations/{negotiation_id}", "Your offer is sent.")


@routes.form("/market/negotiations/{negotiation_id}/steps/{step}", roles=PARTIES)
def take(request: Request, caller: PageCaller, negotiation_id: str, step: str) -> Response:
    """Accept, agree, verify, finalize or terminate."""
    found = _taken(caller, negotiation_id, step)
    if found.state == protocol.State.FINALIZED:
        made = agreements.of_negotiation(caller.session, found.id)
        return redirect(request, f"/market/agreements/{made.id}", "The agreement is in force.")
    return redirect(request, f"/market/negotiations/{negotiation_id}", NOTES[step])


@routes.page("/market/agreements/{agreement_id}", roles=READERS)
def agreement(request: Request, caller: PageCaller, agreement_id: str) -> Response:
    """A signed agreement, how to verify it, and buying under it."""
    return agreement_page(request, caller, agreements.visible(caller, agreement_id))


@routes.page("/market/agreements/{agreement_id}/document", roles=READERS)
def document(caller: PageCaller, agreement_id: str) -> Response:
    """The agreement as it was signed, to keep."""
    found = agreements.visible(caller, agreement_id)
    name = f'attachment; filename="agreement-{found.id[:8]}.jsonld"'
    text = json.dumps(found.document, indent=1, ensure_ascii=False)
    return Response(text, media_type=JSON_LD, headers={"Content-Disposition": name})


@routes.page("/market/verify", roles=PUBLIC)
def verification(request: Request, caller: PageCaller) -> Response:
    """How anybody verifies an agreement, and a form that does."""
    return _verification(request, caller)


@routes.form("/market/verify", roles=PUBLIC)
def verify(request: Request, caller: PageCaller, sent: Written) -> Response:
    """Verify what was pasted."""
    text, key = str(sent.get("document") or "")[: LARGEST_DOCUMENT + 1], str(sent.get("key") or "")
    try:
        verified = verify_agreement(_plain(text), key_of(key) if key.strip() else caller.hub.keys.signing.public_key())
    except PhaseIVError as error:
        return _verification(request, caller, text, key, wrong=str(error))
    return _verification(request, caller, text, key, verified=verified)


@routes.call("GET", "/market/listings", roles=PUBLIC)
def api_search(caller: PageCaller, q: Text = "", kind: Text = "", price: Text = "", page: Annotated[int, Query(ge=1, le=10_000)] = 1) -> dict[str, Any]:  # fmt: skip
    """Find listings."""
    found = shelf.search(caller.session, q, {"kind": kind, "price": price}, page)
    return {"total": found.total, "page": found.page, "pages": found.pages, "facets": found.facets,
            "items": [shelf.facts(one) for one in found.items]}  # fmt: skip


@routes.call("GET", "/market/listings/{listing_id}", roles=PUBLIC)
def api_listing(caller: PageCaller, listing_id: str) -> dict[str, Any]:
    """One listing with its offer and frontier."""
    found = shelf.view(caller, listing_id)
    return shelf.facts(found.listing) | {
        "offer": listings.offer_of(found.listing), "budget_left": found.budget_left,
        "frontier": [vars(one) for one in found.points],
        "reputation": vars(reputation.of_holder(caller.session, found.listing.holder_id)),
    }  # fmt: skip


@routes.call("POST", "/market/listings/{listing_id}/negotiations", roles=DEVELOPER, status_code=201)
def api_request(caller: PageCaller, listing_id: str, proposal: Proposal) -> dict[str, Any]:
    """Ask for a listing; answers with the negotiation as the Dataspace Protocol has it."""
    return negotiation.acknowledgement(
        negotiation.request(caller, listing_id, terms=proposal.terms, cents=proposal.cents)
    )


@routes.call("GET", "/market/negotiations/{negotiation_id}", roles=PARTIES)
def api_negotiation(caller: PageCaller, negotiation_id: str) -> dict[str, Any]:
    """A negotiation, its messages, and the steps that the caller may take."""
    found, side = negotiation.visible(caller, negotiation_id)
    sent = [one.document for one in negotiation.messages(caller, found)]
    return negotiation.acknowledgement(found) | {"messages": sent, "allowed": protocol.allowed(found.state, side)}


@routes.call("POST", "/market/negotiations/{negotiation_id}/counter", roles=PARTIES)
def api_counter(caller: PageCaller, negotiation_id: str, proposal: Proposal) -> dict[str, Any]:
    """Answer with another offer."""
    found = negotiation.counter(caller, negotiation_id, terms=proposal.terms, cents=proposal.cents)
    return negotiation.acknowledgement(found)


@routes.call("POST", "/market/negotiations/{negotiation_id}/steps/{step}", roles=PARTIES)
def api_take(caller: PageCaller, negotiation_id: str, step: str) -> dict[str, Any]:
    """Accept, agree, verify, finalize or terminate."""
    return negotiation.acknowledgement(_taken(caller, negotiation_id, step))


@routes.call("GET", "/market/negotiations/{negotiation_id}/agreement", roles=PARTIES)
def api_agreement(caller: PageCaller, negotiation_id: str) -> dict[str, Any]:
    """The signed agreement of a negotiation."""
    found, _ = negotiation.visible(caller, negotiation_id)
    made = agreements.of_negotiation(caller.session, found.id)
    return {"id": made.id, "sha256": made.sha256, "document": made.document}


def agreement_page(
    request: Request, caller: Caller, found: Agreement, wrong: str = "", written: dict[str, str] | None = None
) -> Response:  # fmt: skip
    """The page of an agreement."""
    listing = caller.session.get_one(Listing, found.listing_id)
    mine = found.buyer_id == caller.somebody.id
    bought = [one for one in purchases.mine(caller) if one.agreement_id == found.id] if mine else []
    until, reason = agreements.ends_at(found)
    return render(
        request, "market_agreement.html.j2", status=422 if wrong else 200, agreement=found, listing=listing, mine=mine,
        bought=bought, wrong=wrong, written=written or {}, until=until, reason=reason, over=until <= caller.now,
        key=public_key(caller.hub.keys), price=found.document["price"], split=found.document["split"], purposes=PURPOSES,
        terms=caller.session.get_one(Negotiation, found.negotiation_id).terms, kinds=WORDS, computations=KINDS,
        step_key=f"{caller.now:%Y%m%d%H%M%S%f}",
    )  # fmt: skip


def _listing(request: Request, caller: Caller, listing_id: str, wrong: str = "") -> Response:
    found = shelf.view(caller, listing_id)
    holder = negotiation.party_name(caller, found.listing.holder_id)
    return render(
        request, "market_listing.html.j2", status=422 if wrong else 200, view=found, listing=found.listing, wrong=wrong,
        kinds=WORDS, purposes=PURPOSES, plot=plot(found.points), holder=holder, computations=KINDS,
        facts=reputation.of_holder(caller.session, found.listing.holder_id), terms=found.listing.terms,
        price=found.listing.price, negotiable=found.listing.price["kind"] in negotiation.NEGOTIABLE,
    )  # fmt: skip


def _negotiation(request: Request, caller: Caller, negotiation_id: str, wrong: str = "") -> Response:
    found, side = negotiation.visible(caller, negotiation_id)
    signed = [one for one in negotiation.messages(caller, found) if one.state == protocol.State.AGREED]
    made = agreements.of_negotiation(caller.session, found.id) if signed else None
    return render(
        request, "market_negotiation.html.j2", status=422 if wrong else 200, found=found, side=side, wrong=wrong,
        listing=caller.session.get_one(Listing, found.listing_id), messages=negotiation.messages(caller, found),
        allowed=protocol.allowed(found.state, side), agreement=made, terms=found.terms, price=found.price, kinds=WORDS,
        purposes=PURPOSES, negotiable=found.price["kind"] in negotiation.NEGOTIABLE,
        buyer=negotiation.party_name(caller, found.buyer_id), holder=negotiation.party_name(caller, found.holder_id),
    )  # fmt: skip


def _verification(
    request: Request, caller: Caller, text: str = "", key: str = "", verified: Any = None, wrong: str = ""
) -> Response:  # fmt: skip
    return render(
        request, "market_verify.html.j2", status=422 if wrong else 200, text=text, written_key=key, verified=verified,
        wrong=wrong, key=public_key(caller.hub.keys),
    )  # fmt: skip


def _taken(caller: Caller, negotiation_id: str, step: str) -> Negotiation:
    if step not in STEPS:
        raise ParameterError("a step must be one of the protocol's, got another; reload the page")
    return STEPS[step](caller, negotiation_id)


def _proposed(sent: FormData, price: dict[str, Any]) -> dict[str, Any]:
    """Terms and amount as a form has them; nothing, if the listing's own are taken."""
    if sent.get("as_listed"):
        return {}
    purposes = [one for one in sent.getlist("purposes") if isinstance(one, str)]
    terms: dict[str, Any] = {"redistribution": sent.get("redistribution") == "yes"}
    if purposes:
        terms["purposes"] = purposes
    if months := str(sent.get("months") or "").strip():
        terms["months"] = int(months) if months.isdecimal() and len(months) < 5 else months
    if territory := str(sent.get("territory") or ""):
        terms["territory"] = territory
    amount = str(sent.get("amount") or "").strip()
    return {"terms": terms, "cents": cents_of(amount, price["currency"]) if amount else None}


def _plain(text: str) -> Any:
    if len(text) > LARGEST_DOCUMENT:
        raise ParameterError("an agreement must be at most 200 kB, got more; paste the document alone")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParameterError("an agreement must be JSON, got another text; paste the whole document") from error
