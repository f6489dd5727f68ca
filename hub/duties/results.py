"""Results that users must make public, and reminders of them.

Belongs here: the 18 months and what was published. Does not belong here: other clocks (``access``).

References
----------
Regulation (EU) 2025/327, Article 61(4): within 18 months of the end of processing or of the answer; the body may extend.
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.law import RESULTS
from hub.access.tables import Permit, Request
from hub.audit.log import record
from hub.caller import Caller
from hub.duties.tables import PublishedResult
from hub.errors import NotFoundError
from records.errors import ParameterError

KINDS = {
    "publication": "Peer-reviewed publication", "policy": "Policy document", "regulatory": "Regulatory procedure",
    "product": "Digital health product, service or AI application",
}  # fmt: skip
SOON = timedelta(days=90)


@dataclass(frozen=True)
class Reminder:
    """A request whose results are not public yet; ``state``: due, soon or late."""

    request: Request
    due: datetime
    state: str


def publish(caller: Caller, request_id: str, *, kind: str, title: str, address: str) -> PublishedResult:
    """Tell where one's results are public.

    Raises
    ------
    NotFoundError, ParameterError
        The request is not the caller's or has no permit; the address is none.
    """
    request = caller.session.get(Request, request_id)
    if request is None or request.person_id != caller.somebody.id or request.permit_id is None:
        raise NotFoundError("the request must be one of yours with a permit, got another; look at your requests")
    if kind not in KINDS or not title.strip() or not address.strip().startswith("https://"):
        raise ParameterError("a result must have a kind, a title and an address with https, got less; write them")
    made = PublishedResult(request_id=request.id, kind=kind, title=title.strip()[:500], told_at=caller.now,
                           address=address.strip()[:1000])  # fmt: skip
    caller.session.add(made)
    caller.session.flush()
    record(caller.session, now=caller.now, actor=caller.somebody.id, action="result.published",
           subject=f"request:{request.id}", kind=kind)  # fmt: skip
    return made


def reminders(
    session: Session, now: datetime, holidays: Container[date], person_id: str | None = None
) -> list[Reminder]:
    """Whose results must become public, most urgent first; all, or one person's."""
    told = sa.select(PublishedResult.request_id)
    owed = sa.select(Request, Permit).join(Permit, Permit.id == Request.permit_id).where(Request.id.not_in(told))
    if person_id is not None:
        owed = owed.where(Request.person_id == person_id)
    found = []
    for request, permit in session.execute(owed).tuples():
        if (start := _end_of_processing(request, permit, now)) is not None:
            due = RESULTS.end(start, holidays)
            found.append(Reminder(request, due, "late" if now > due else "soon" if now > due - SOON else "due"))
    return sorted(found, key=lambda r: r.due)


def own_permitted(session: Session, person_id: str) -> list[Request]:
    """One's requests that have a permit."""
    mine = sa.select(Request).where(Request.person_id == person_id, Request.permit_id.is_not(None))
    return list(session.scalars(mine.order_by(Request.created_at.desc())))


def _end_of_processing(request: Request, permit: Permit, now: datetime) -> datetime | None:
    """The last answer to a request for statistics or under an offer; else the permit's end, once it is over."""
    if request.kind == "statistics" or request.offer_id is not None:
        return request.delivered_at
    end = permit.revoked_at or permit.valid_until
    return end if end <= now else None
