"""The steps of a listing's life: draft, consents of all who earn, listed, withdrawn.

Belongs here: who may list what, and when a listing ends. Does not belong here: finding listings (``shelf``), negotiation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.orm import Session

from hub.access import odrl, offers
from hub.audit.log import record
from hub.caller import Caller
from hub.catalogue.search import folded
from hub.catalogue.service import own, published
from hub.catalogue.tables import Dataset
from hub.computations.service import must_be_table
from hub.errors import GoneError, NotFoundError, StateError
from hub.market import goods, sanctions
from hub.market.kinds import Kind
from hub.market.prices import ByBudget, read_price
from hub.market.services import read_compute, read_service
from hub.market.sharing import Split, read_split, sole
from hub.market.tables import Consent, Listing
from hub.market.terms import Terms, offer, read_terms
from hub.market.valuations import agreed_split
from hub.people.roles import Role
from hub.people.tables import Person
from records.errors import ParameterError

PRICED: dict[bool, tuple[str, ...]] = {
    False: ("free", "fixed", "subscription"), True: ("free", "fixed", "per_query", "by_budget"),
}  # fmt: skip
"""Price kinds of artefacts, and of services."""
MOST_POINTS, LONGEST_TITLE, LONGEST_TEXT = 30, 200, 4000


@dataclass(frozen=True)
class Draft:
    """What a holder writes; ``split`` is ``None`` if the holder alone earns, ``frontier`` holds [epsilon, accuracy]."""

    dataset_id: str
    kind: str
    title: str
    terms: Mapping[str, Any]
    price: Mapping[str, Any]
    description: str = ""
    goods_id: str | None = None
    service: Mapping[str, Any] | None = None
    split: Mapping[str, Any] | None = None
    frontier: Sequence[Sequence[float]] = field(default_factory=tuple)
    automatic: bool = False


def create(caller: Caller, draft: Draft) -> Listing:
    """List one's goods or service; it shows once all who earn by it have consented.

    Raises
    ------
    NotFoundError, GoneError
        The data set or goods are another's; the goods' release was revoked.
    ParameterError
        Something does not fit; real data, unknown kinds and computations of images are refused.
    """
    holder = caller.must_have(Role.HOLDER)
    sanctions.must_be_free(caller.session, holder.id, caller.now)
    own(caller, draft.dataset_id)
    dataset = published(caller.session, draft.dataset_id)
    kind = _kind(draft.kind)
    _sellable(caller, draft, kind, dataset)
    terms, price = read_terms(draft.terms), read_price(draft.price)
    _priced(caller.session, draft.dataset_id, kind, price)
    split = agreed_split(caller.session, dataset.id, draft.split) if draft.split else sole(holder.id)
    title, text = _text(draft.title, LONGEST_TITLE), _text(draft.description or "-", LONGEST_TEXT)
    made = Listing(
        holder_id=holder.id, dataset_id=dataset.id, kind=kind, goods_id=draft.goods_id if not kind.service else None,
        service=_service(kind, draft, dataset) if kind.service else None, title=title,
        description=text, words=folded(f"{title} {text} {dataset.title} {dataset.publisher}"), terms=terms.model_dump(mode="json"),
        price=price.model_dump(mode="json"), split=split.plain(), frontier=_points(draft.frontier), automatic=draft.automatic,
        state="draft", created_at=caller.now,
    )  # fmt: skip
    caller.session.add(made)
    caller.session.flush()
    _ask(caller, made, split)
    _told(caller.session, made, "drafted", caller.now, holder.id, kind=kind, price=made.price,
          split=odrl.digest(made.split))  # fmt: skip
    return _listed(caller, made)


def consent(caller: Caller, listing_id: str) -> Listing:
    """A holder who would earn by a listing agrees to its split and terms."""
    person = caller.must_have(Role.HOLDER)
    asked = caller.session.get(Consent, (listing_id, person.id), with_for_update=True)
    listing = caller.session.get(Listing, listing_id)
    if asked is None or listing is None:
        raise NotFoundError("the listing must ask for your consent, got another; look at your listings")
    if listing.state != "draft" or asked.given_at is not None:
        raise StateError("consent must be given once, before it is listed, got another; nothing was changed")
    sanctions.must_be_free(caller.session, person.id, caller.now)
    asked.given_at = caller.now
    caller.session.flush()
    _told(caller.session, listing, "consented", caller.now, person.id)
    return _listed(caller, listing)


def withdraw(caller: Caller, listing_id: str, reason: str = "withdrawn by a holder") -> Listing:
    """A holder who offers or earns ends the listing; agreements that exist stay as they are."""
    listing = concerning(caller, listing_id)
    if listing.state == "withdrawn":
        raise StateError("a listing must be open to be withdrawn, got one that has ended; nothing was changed")
    end(caller.session, listing, reason, caller.now, caller.somebody.id)
    return listing


def concerning(caller: Caller, listing_id: str) -> Listing:
    """A listing that the caller offers or is asked to consent to.

    Raises
    ------
    NotFoundError
        There is none.
    """
    person = caller.must_have(Role.HOLDER)
    listing = caller.session.get(Listing, listing_id)
    if listing is None or not (
        listing.holder_id == person.id or caller.session.get(Consent, (listing_id, person.id)) is not None
    ):
        raise NotFoundError("the listing must be one of yours, got another; look at your listings")
    return listing


def of_holder(caller: Caller) -> list[Listing]:
    """Listings that the caller offers or earns by, newest first."""
    person = caller.must_have(Role.HOLDER)
    asked = sa.select(Consent.listing_id).where(Consent.person_id == person.id)
    mine = sa.or_(Listing.holder_id == person.id, Listing.id.in_(asked))
    return list(caller.session.scalars(sa.select(Listing).where(mine).order_by(Listing.created_at.desc(), Listing.id)))


def live(session: Session, listing_id: str, now: datetime) -> Listing:
    """A listing that may be bought now.

    Raises
    ------
    NotFoundError, GoneError, ForbiddenError
        There is none; it has ended or its release was revoked; its holder is excluded.
    """
    listing = session.get(Listing, listing_id, populate_existing=True)
    if listing is None or listing.state == "draft":
        raise NotFoundError("the listing must be in the market, got an unknown one; search for it")
    if listing.state != "listed":
        raise GoneError(f"the listing must be open, got one that has ended: {listing.ended_reason}; choose another")
    if listing.goods_id is not None:
        goods.sound(session, listing.goods_id)
    else:
        published(session, listing.dataset_id)
    sanctions.must_be_free(session, listing.holder_id, now)
    return listing


def end(session: Session, listing: Listing, reason: str, now: datetime, actor: str = "system") -> None:
    """Take a listing out of the market; ending twice changes nothing."""
    if listing.state == "withdrawn":
        return
    listing.state, listing.ended_at, listing.ended_reason = "withdrawn", now, reason
    session.flush()
    _told(session, listing, "withdrawn", now, actor, reason=reason)


def end_of_goods(session: Session, goods_id: str, reason: str, now: datetime) -> None:
    """End what sells goods whose release was revoked."""
    for listing in session.scalars(sa.select(Listing).where(Listing.goods_id == goods_id)):
        end(session, listing, reason, now)


def end_of_person(session: Session, person_id: str, reason: str, now: datetime) -> None:
    """End what somebody offers or earns by."""
    earns = sa.select(Consent.listing_id).where(Consent.person_id == person_id)
    mine = sa.or_(Listing.holder_id == person_id, Listing.id.in_(earns))
    for listing in session.scalars(sa.select(Listing).where(mine, Listing.state != "withdrawn")):
        end(session, listing, reason, now)


def offer_of(listing: Listing) -> dict[str, Any]:
    """The listing's ODRL offer, which anybody may read."""
    return offer(offer_id(listing), read_terms(listing.terms), assigner=odrl.person_iri(listing.holder_id),
                 price=listing.price, split=read_split(listing.split).told())  # fmt: skip


def offer_id(listing: Listing) -> str:
    """The name of a listing's own offer."""
    return f"urn:phaseiv:offer:{listing.id}"


def target_of(listing: Listing) -> str:
    """The name of what a listing sells."""
    return f"urn:phaseiv:listing:{listing.id}"


def terms_of(listing: Listing) -> Terms:
    """Its terms."""
    return read_terms(listing.terms)


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError as error:
        raise ParameterError(
            "a listing must sell an artefact or a service, got another; real data are never sold"
        ) from error


def _sellable(caller: Caller, draft: Draft, kind: Kind, dataset: Dataset) -> None:
    if kind.service:
        if kind is Kind.COMPUTATION:
            must_be_table(dataset)
        if dataset.use_case is None:
            raise StateError("a service must be connected to its data, got no connection; ask the operator")
        return
    found = goods.sound(caller.session, draft.goods_id or "")
    if found.dataset_id != dataset.id or found.kind != kind:
        raise NotFoundError("the goods must exist, got unknown ones; look at your listings")


def _service(kind: Kind, draft: Draft, dataset: Dataset) -> dict[str, Any]:
    """How the service is made; images come in their own formats unless others are written."""
    if kind is Kind.COMPUTATION:
        return read_compute(draft.service or {}).model_dump(mode="json")
    own = {"formats": offers.IMAGE_FORMATS} if dataset.modality else {}
    service = read_service(own | dict(draft.service or {}))
    offers.must_make(dataset, service.synthesizer, service.formats)
    return service.model_dump(mode="json")


def _priced(session: Session, dataset_id: str, kind: Kind, price: BaseModel) -> None:
    # The privacy of a computation is chosen with its question, not with its price.
    fits = [one for one in PRICED[kind.service] if kind is not Kind.COMPUTATION or one != "by_budget"]
    if price.kind not in fits:  # type: ignore[attr-defined]
        raise ParameterError("a price must be of a kind that fits what is listed, got another; choose from the list")
    if isinstance(price, ByBudget):
        others = sa.select(Listing.price).where(Listing.dataset_id == dataset_id, Listing.state == "listed")
        totals = {one["total_rho"] for one in session.scalars(others) if one["kind"] == "by_budget"}
        if totals - {str(price.total_rho)}:
            raise ParameterError("a data set must have one budget in the market, got another total; write the same")


def _ask(caller: Caller, listing: Listing, split: Split) -> None:
    names = set(split.contributions) | {listing.holder_id}
    known = sa.select(Person).where(Person.id.in_(names), Person.active)
    people = [one for one in caller.session.scalars(known) if one.has(Role.HOLDER)]
    if {one.id for one in people} != names:
        raise ParameterError("a split must name holders with an account, got others; look at the names")
    for name in sorted(names):
        sanctions.must_be_free(caller.session, name, caller.now)
        given = caller.now if name == listing.holder_id else None
        caller.session.add(Consent(listing_id=listing.id, person_id=name, given_at=given))
    caller.session.flush()


def _listed(caller: Caller, listing: Listing) -> Listing:
    waiting = sa.select(sa.func.count()).where(Consent.listing_id == listing.id, Consent.given_at.is_(None))
    if not caller.session.scalar(waiting):
        if listing.goods_id is not None:
            goods.sound(caller.session, listing.goods_id)
        listing.state, listing.listed_at = "listed", caller.now
        _told(caller.session, listing, "listed", caller.now, caller.somebody.id)
    return listing


def _points(points: Sequence[Sequence[float]]) -> list[list[float]]:
    """Points of the frontier, rising in epsilon."""
    try:
        found = sorted([float(epsilon), float(accuracy)] for epsilon, accuracy in points)
        right = all(0 < epsilon <= 40 and 0 <= accuracy <= 1 for epsilon, accuracy in found)
    except (TypeError, ValueError) as error:
        raise ParameterError("a point must be an epsilon and an accuracy, got another; write them again") from error
    if not right or len(found) > MOST_POINTS:
        raise ParameterError(
            f"at most {MOST_POINTS} points must have epsilon 0 to 40 and accuracy 0 to 1, got others; mend them"
        )
    return found


def _text(text: str, most: int) -> str:
    plain = "".join(letter for letter in text.strip() if letter >= " " or letter == "\n")
    if not 0 < len(plain) <= most:
        raise ParameterError(f"the text must have 1 to {most} characters, got none or more; write it again")
    return plain


def _told(session: Session, listing: Listing, verb: str, now: datetime, actor: str, **detail: Any) -> None:
    record(session, now=now, actor=actor, action=f"listing.{verb}", subject=f"listing:{listing.id}",
           dataset=listing.dataset_id, **detail)  # fmt: skip
