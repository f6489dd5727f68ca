"""The life of agreements: signed, in force, ended.

Belongs here: storage and the check at each use. Does not belong here: the document itself (``agreement``), purchases.

An agreement is believed if its signatures are valid *and* it is the very one the audit log tells of.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access import odrl
from hub.access.periods import add_months, end_of
from hub.audit.log import record
from hub.audit.tables import Entry
from hub.caller import Caller
from hub.database.base import new_id
from hub.errors import ForbiddenError, GoneError, NotFoundError
from hub.market import sanctions
from hub.market.agreement import Verified, acceptance, agreed, verify_agreement
from hub.market.kinds import Kind
from hub.market.listings import end_of_person, target_of
from hub.market.protocol import Side
from hub.market.services import read_compute
from hub.market.sharing import Split, read_split
from hub.market.tables import Agreement, Goods, Listing, Message, Negotiation
from hub.market.terms import read_terms
from hub.market.valuations import carries
from hub.people.roles import Role
from hub.people.tables import Person

SIGNED, DRAFTED = "agreement.signed", "listing.drafted"


def sign(caller: Caller, found: Negotiation, listing: Listing, *, accepted: Message, actor: str) -> Agreement:
    """Make and sign the agreement on the offer that is on the table."""
    terms, key = read_terms(found.terms), caller.hub.keys.signing
    until = end_of(add_months(caller.now.date(), terms.months))
    uid, buyer, holder = new_id(), _person(caller, found.buyer_id), _person(caller, found.holder_id)
    told = [
        acceptance(side=Side.CONSUMER, person=buyer.id, name=buyer.name, offer=found.offer, step=accepted.document["@type"],
                   key=key, now=accepted.at),
        acceptance(side=Side.PROVIDER, person=holder.id, name=holder.name, offer=found.offer, key=key, now=caller.now,
                   step="the listing's standing offer" if actor == "system" else "ContractAgreementMessage"),
    ]  # fmt: skip
    document = agreed(uid, found.offer, terms, target=target_of(listing), assignee=buyer.id, until=until, acceptances=told,
                      subject=_subject(caller, listing), key=key, now=caller.now)  # fmt: skip
    made = Agreement(
        id=uid, negotiation_id=found.id, listing_id=listing.id, buyer_id=buyer.id, holder_id=holder.id, document=document,
        sha256=odrl.digest(document), agreed_at=caller.now, valid_until=until,
    )  # fmt: skip
    caller.session.add(made)
    split_of(caller.session, made, listing)
    caller.session.flush()
    _told(caller, made, "signed", actor)
    return made


def put_in_force(caller: Caller, agreement: Agreement) -> None:
    """The provider has finalized."""
    genuine(caller, agreement)
    agreement.finalized_at = caller.now
    _told(caller, agreement, "in_force")


def drop(caller: Caller, negotiation_id: str, reason: str) -> None:
    """End an agreement whose negotiation was terminated before it was in force."""
    made = caller.session.scalar(sa.select(Agreement).where(Agreement.negotiation_id == negotiation_id))
    if made is not None and made.ended_at is None:
        end(caller, made, reason)


def end(caller: Caller, agreement: Agreement, reason: str) -> None:
    """End an agreement; nothing more is bought or downloaded under it."""
    agreement.ended_at, agreement.ended_reason = caller.now, reason
    caller.session.flush()
    _told(caller, agreement, "ended", reason=reason)


def genuine(caller: Caller, agreement: Agreement) -> Verified:
    """The stored agreement, verified with the hub's key and against the audit log.

    Raises
    ------
    ForbiddenError
        It was changed or put in the place of another.
    """
    told = verify_agreement(agreement.document, caller.hub.keys.signing.public_key())
    signed = sa.select(Entry.detail).where(Entry.subject == f"agreement:{agreement.id}", Entry.action == SIGNED)
    entry = caller.session.scalar(signed.order_by(Entry.number.desc()).limit(1))
    parties = (odrl.person_iri(agreement.holder_id), odrl.person_iri(agreement.buyer_id), f"urn:uuid:{agreement.id}")
    if (
        (told.assigner, told.assignee, told.uid) != parties
        or not entry
        or entry.get("sha256") != odrl.digest(agreement.document)
    ):
        raise ForbiddenError("an agreement must be the one the audit log tells of, got another; ask the operator")
    return told


def must_allow(caller: Caller, agreement_id: str, person_id: str) -> Agreement:
    """A buyer's agreement in force now.

    Raises
    ------
    NotFoundError, ForbiddenError, GoneError
        There is none or it is another's; it is not genuine, or a party is excluded; it has ended.
    """
    found = caller.session.get(Agreement, agreement_id, populate_existing=True)
    if found is None or found.buyer_id != person_id:
        raise NotFoundError("the agreement must be one of yours, got another; look at your negotiations")
    if found.ended_at is not None or found.valid_until <= caller.now:
        raise GoneError("the agreement must be in force, got one that has ended; negotiate anew")
    if found.finalized_at is None:
        raise ForbiddenError("the agreement must be finalized, got one that is not; wait for the holder")
    genuine(caller, found)
    sanctions.must_be_free(caller.session, person_id, caller.now)
    return found


def visible(caller: Caller, agreement_id: str) -> Agreement:
    """An agreement for its parties, all whose data it divides revenue by, arbiters and auditors.

    Raises
    ------
    NotFoundError
        There is none, or it is another's.
    """
    found = caller.session.get(Agreement, agreement_id)
    if found is None or not (
        caller.somebody.id in concerned(caller.session, found) or caller.has(Role.ARBITER, Role.AUDITOR)
    ):
        raise NotFoundError("the agreement must be one of yours, got another; look at your negotiations")
    return found


def concerned(session: Session, found: Agreement) -> set[str]:
    """Its parties, and the holders of its split."""
    listing = session.get_one(Listing, found.listing_id)
    return {found.buyer_id, found.holder_id, *listing.split["contributions"]}


def split_of(session: Session, agreement: Agreement, listing: Listing) -> Split:
    """How revenue is shared, with all numbers: the listing's split; agreements of earlier versions hold the numbers, too.

    Raises
    ------
    ForbiddenError
        It is not the one that was agreed, or that holders consented to, as the audit log tells, or has not the words and numbers of
        its valuation.
    """
    drafted = sa.select(Entry.detail).where(Entry.subject == f"listing:{listing.id}", Entry.action == DRAFTED)
    rule, ours = read_split(listing.split), odrl.digest(listing.split)
    consented = (session.scalar(drafted.limit(1)) or {}).get("split", ours)
    same = consented == ours and agreement.document["split"] in (rule.told(), listing.split)
    if not same or not carries(session, listing.dataset_id, rule):
        raise ForbiddenError("a split must be the one that was agreed, got another; ask the operator")
    return rule


def of_negotiation(session: Session, negotiation_id: str) -> Agreement:
    """The agreement of a negotiation.

    Raises
    ------
    NotFoundError
        There is none yet.
    """
    found = session.scalar(sa.select(Agreement).where(Agreement.negotiation_id == negotiation_id))
    if found is None:
        raise NotFoundError("the negotiation must have an agreement, got none; wait for the holder")
    return found


def end_all(caller: Caller, person_id: str, reason: str) -> None:
    """Somebody leaves or is excluded: listings, negotiations and agreements end, what was not delivered is given back."""
    from hub.market import negotiation, purchases

    end_of_person(caller.session, person_id, reason, caller.now)
    negotiation.end_of_person(caller, person_id, reason)
    purchases.cancel_open(caller, person_id, reason)
    mine = sa.or_(Agreement.buyer_id == person_id, Agreement.holder_id == person_id)
    for found in caller.session.scalars(sa.select(Agreement).where(mine, Agreement.ended_at.is_(None))):
        if found.buyer_id == person_id or not purchases.delivered(caller.session, found.id):
            end(caller, found, reason)


def ends_at(agreement: Agreement) -> tuple[datetime, str]:
    """When it ends, and why."""
    if agreement.ended_at is not None:
        return agreement.ended_at, agreement.ended_reason or "the agreement has ended"
    return agreement.valid_until, "the agreement's time is over"


def _subject(caller: Caller, listing: Listing) -> dict[str, object]:
    goods = caller.session.get(Goods, listing.goods_id) if listing.goods_id else None
    made = {"sha256": goods.sha256, "candidate_sha256": goods.gate["candidate_sha256"]} if goods else {}
    service = {name: str(value) for name, value in (listing.service or {}).items()}
    if listing.kind == Kind.COMPUTATION:
        service["answered_without_noise"] = ", ".join(read_compute(listing.service or {}).exact)
    return {"kind": listing.kind, "dataset": listing.dataset_id, "title": listing.title, **made, "service": service}


def _person(caller: Caller, person_id: str) -> Person:
    return caller.session.get_one(Person, person_id)


def _told(caller: Caller, agreement: Agreement, verb: str, actor: str = "", **detail: str) -> None:
    actor = actor or (caller.person.id if caller.person else "system")
    record(caller.session, now=caller.now, actor=actor, action=f"agreement.{verb}", subject=f"agreement:{agreement.id}",
           sha256=agreement.sha256, **detail)  # fmt: skip
