"""Negotiating: each step is a message of the protocol, kept as it was sent, taken by the side that may take it.

Belongs here: carrying out steps and what each brings about. Does not belong here: the state machine (``protocol``), the agreement
as a document (``agreement``) and its life (``agreements``).

A buyer who asks for a listing on its own terms accepts them with the request. Where the holder has said so beforehand
(``automatic``), the hub agrees and finalizes on the holder's behalf; the holder's acceptance then names the listing's standing offer.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from hub.access import odrl
from hub.audit.log import record
from hub.caller import Caller
from hub.database.base import new_id
from hub.errors import NotFoundError, StateError
from hub.market import agreements, listings, protocol, sanctions
from hub.market.prices import read_price
from hub.market.protocol import Side, State, message
from hub.market.sharing import read_split
from hub.market.tables import Listing, Message, Negotiation
from hub.market.terms import offer, read_terms
from hub.people.roles import Role
from hub.people.tables import Person
from records.errors import ParameterError

STATUTE = 300
NEGOTIABLE = ("fixed", "subscription", "per_query")
"""Price kinds whose amount may be negotiated; a price by budget is one for all, or splitting a purchase could be cheaper."""


def request(
    caller: Caller, listing_id: str, *, terms: Mapping[str, Any] | None = None, cents: int | None = None
) -> Negotiation:  # fmt: skip
    """Ask for a listing, on its own terms or on others; an open negotiation of the same buyer is given back."""
    buyer = caller.must_have(Role.DEVELOPER)
    sanctions.must_be_free(caller.session, buyer.id, caller.now)
    listing = listings.live(caller.session, listing_id, caller.now)
    if listing.holder_id == buyer.id:
        raise ParameterError("a listing must be bought by somebody else than its holder, got the same; use your data")
    if (before := _open_one(caller, listing.id)) is not None:
        return before
    made = Negotiation(
        id=new_id(), consumer_pid=new_id(), listing_id=listing.id, buyer_id=buyer.id, holder_id=listing.holder_id,
        state=State.REQUESTED, terms=listing.terms, price=listing.price, offer=listings.offer_of(listing),
        created_at=caller.now, updated_at=caller.now,
    )  # fmt: skip
    caller.session.add(made)
    changed = _propose(made, listing, terms, cents)
    caller.session.flush()
    _keep(
        caller, made, "request", Side.CONSUMER, offer=protocol.offer_in_message(made.offer, listings.target_of(listing))
    )
    if not changed and listing.automatic:
        _agree(caller, made, actor="system")
    return made


def counter(
    caller: Caller, negotiation_id: str, *, terms: Mapping[str, Any] | None = None, cents: int | None = None
) -> Negotiation:  # fmt: skip
    """Answer with another offer: a buyer's request, or a holder's offer."""
    found, side = _taken(caller, negotiation_id)
    step = "request" if side is Side.CONSUMER else "offer"
    listing = listings.live(caller.session, found.listing_id, caller.now)
    found.state = protocol.after(found.state, step, side)
    _propose(found, listing, terms, cents)
    _keep(caller, found, step, side, offer=protocol.offer_in_message(found.offer, listings.target_of(listing)))
    return found


def accept(caller: Caller, negotiation_id: str) -> Negotiation:
    """The buyer accepts the holder's latest offer."""
    found, side = _taken(caller, negotiation_id)
    listings.live(caller.session, found.listing_id, caller.now)
    found.state = protocol.after(found.state, "accept", side)
    _keep(caller, found, "accept", side)
    return found


def agree(caller: Caller, negotiation_id: str) -> Negotiation:
    """The holder agrees to what the buyer asked for or accepted; the signed agreement is made."""
    found, side = _taken(caller, negotiation_id)
    protocol.after(found.state, "agree", side)
    _agree(caller, found, actor=caller.somebody.id)
    return found


def verify(caller: Caller, negotiation_id: str) -> Negotiation:
    """The buyer has verified the agreement; the hub verifies it, too, and refuses to go on with one that is not genuine."""
    found, side = _taken(caller, negotiation_id)
    state = protocol.after(found.state, "verify", side)
    agreements.genuine(caller, agreements.of_negotiation(caller.session, found.id))
    found.state = state
    _keep(caller, found, "verify", side)
    if caller.session.get_one(Listing, found.listing_id).automatic:
        _finalize(caller, found, actor="system")
    return found


def finalize(caller: Caller, negotiation_id: str) -> Negotiation:
    """The holder finalizes: the agreement is in force."""
    found, side = _taken(caller, negotiation_id)
    protocol.after(found.state, "finalize", side)
    _finalize(caller, found, actor=caller.somebody.id)
    return found


def terminate(caller: Caller, negotiation_id: str, words: str = "") -> Negotiation:
    """Either side ends it."""
    found, side = _taken(caller, negotiation_id, free=False)
    _terminate(caller, found, side, words.strip()[:STATUTE] or "ended by a party", caller.somebody.id)
    return found


def end_of_person(caller: Caller, person_id: str, reason: str) -> None:
    """End what somebody negotiates."""
    mine = sa.or_(Negotiation.buyer_id == person_id, Negotiation.holder_id == person_id)
    for found in caller.session.scalars(sa.select(Negotiation).where(mine, Negotiation.state.in_(protocol.OPEN))):
        _terminate(caller, found, Side.CONSUMER if found.buyer_id == person_id else Side.PROVIDER, reason, "system")


def visible(caller: Caller, negotiation_id: str) -> tuple[Negotiation, Side]:
    """A negotiation of which the caller is a party, and its side.

    Raises
    ------
    NotFoundError
        There is none.
    """
    writes = bool(caller.session.connection().get_execution_options().get("writes"))
    found = caller.session.get(Negotiation, negotiation_id, with_for_update=writes)
    person = caller.somebody.id
    if found is None or person not in (found.buyer_id, found.holder_id):
        raise NotFoundError("the negotiation must be one of yours, got another; look at your negotiations")
    return found, Side.CONSUMER if person == found.buyer_id else Side.PROVIDER


def mine(caller: Caller) -> list[Negotiation]:
    """The caller's negotiations on either side, newest first."""
    person = caller.somebody.id
    own = sa.or_(Negotiation.buyer_id == person, Negotiation.holder_id == person)
    return list(caller.session.scalars(sa.select(Negotiation).where(own).order_by(Negotiation.updated_at.desc())))


def messages(caller: Caller, found: Negotiation) -> list[Message]:
    """Its messages, oldest first."""
    sent = sa.select(Message).where(Message.negotiation_id == found.id)
    return list(caller.session.scalars(sent.order_by(Message.number)))


def acknowledgement(found: Negotiation) -> dict[str, Any]:
    """Its state, as the protocol answers."""
    return protocol.acknowledged(found.state, provider=found.id, consumer=found.consumer_pid)


def _taken(caller: Caller, negotiation_id: str, *, free: bool = True) -> tuple[Negotiation, Side]:
    found, side = visible(caller, negotiation_id)
    caller.must_have(Role.DEVELOPER if side is Side.CONSUMER else Role.HOLDER)
    for person in (found.buyer_id, found.holder_id) if free else ():
        sanctions.must_be_free(caller.session, person, caller.now)
    return found, side


def _open_one(caller: Caller, listing_id: str) -> Negotiation | None:
    same = (Negotiation.listing_id == listing_id) & (Negotiation.buyer_id == caller.somebody.id)
    return caller.session.scalar(sa.select(Negotiation).where(same, Negotiation.state.in_(protocol.OPEN)).limit(1))


def _propose(found: Negotiation, listing: Listing, terms: Mapping[str, Any] | None, cents: int | None) -> bool:
    """Put other terms or another amount on the table; false if it is the listing's own offer."""
    chosen = read_terms({**found.terms, **(terms or {})})
    price = dict(found.price)
    if cents is not None and cents != price.get("cents"):
        if price["kind"] not in NEGOTIABLE:
            raise ParameterError("a price must be of a kind that is negotiated, got another; take it as it is listed")
        price = read_price({**price, "cents": cents}).model_dump(mode="json")
    own = chosen == read_terms(listing.terms) and price == listing.price
    uid = listings.offer_id(listing) if own else f"urn:uuid:{new_id()}"
    found.terms, found.price = chosen.model_dump(mode="json"), price
    told = read_split(listing.split).told()
    found.offer = offer(uid, chosen, assigner=odrl.person_iri(found.holder_id), price=price, split=told)
    return not own


def _agree(caller: Caller, found: Negotiation, *, actor: str) -> None:
    listing = listings.live(caller.session, found.listing_id, caller.now)
    made = agreements.sign(caller, found, listing, accepted=_acceptance_of(caller, found), actor=actor)
    found.state = State.AGREED
    _keep(caller, found, "agree", Side.PROVIDER, actor, agreement=made.document)


def _acceptance_of(caller: Caller, found: Negotiation) -> Message:
    """The message by which the buyer accepted the offer on the table: a request for it, or the acceptance."""
    last = messages(caller, found)[-1]
    if last.sender != Side.CONSUMER:
        raise StateError("the buyer must have accepted the latest offer, got none accepted; wait for it")
    return last


def _finalize(caller: Caller, found: Negotiation, *, actor: str) -> None:
    listings.live(caller.session, found.listing_id, caller.now)
    agreements.put_in_force(caller, agreements.of_negotiation(caller.session, found.id))
    found.state = State.FINALIZED
    _keep(caller, found, "finalize", Side.PROVIDER, actor)


def _terminate(caller: Caller, found: Negotiation, side: Side, words: str, actor: str) -> None:
    found.state = protocol.after(found.state, "terminate", side)
    agreements.drop(caller, found.id, words)
    _keep(caller, found, "terminate", side, actor, reason=[words])


def _keep(caller: Caller, found: Negotiation, step: str, side: Side, actor: str = "", **body: Any) -> None:
    actor = actor or caller.somebody.id
    sent = sa.select(sa.func.count()).where(Message.negotiation_id == found.id)
    callback = f"{caller.hub.settings.public_url}/market/negotiations/{found.id}"
    document = message(step, provider=found.id, consumer=found.consumer_pid, callback=callback, **body)
    found.updated_at = caller.now
    caller.session.add(
        Message(negotiation_id=found.id, number=int(caller.session.scalar(sent) or 0) + 1, at=caller.now, sender=side,
                actor_id=actor, state=found.state, document=document)
    )  # fmt: skip
    caller.session.flush()
    record(caller.session, now=caller.now, actor=actor, action=f"negotiation.{step}", subject=f"negotiation:{found.id}",
           state=str(found.state), message=odrl.digest(document))  # fmt: skip


def party_name(caller: Caller, person_id: str) -> str:
    """A party's name and organisation."""
    person = caller.session.get(Person, person_id)
    return ", ".join(filter(None, (person.name, person.organisation))) if person else "-"
