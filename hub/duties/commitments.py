"""How users and holders keep what they must, in figures.

Belongs here: Article 59(1), points (b), (d) and (f), as far as the tables know. Does not belong here: the other points
(``activity``).

References
----------
Regulation (EU) 2025/327, Articles 59(1), 60(2) (three months to hand over, prolonged by three at most), 61(4), 63.
"""

from collections.abc import Container, Iterator
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from hub.access.law import HOLDER_DELIVERY
from hub.access.tables import Permit, Request, RequestEvent, StandingOffer, TrustedHolder
from hub.audit.tables import Entry, SignedHead
from hub.duties.results import reminders
from hub.duties.tables import PublishedResult

Counted = Iterator[tuple[str, str, int]]
Holidays = Container[date]


def commitments(session: Session, start: datetime, end: datetime, now: datetime, holidays: Holidays) -> Counted:
    """Point, name and count of each figure of the period [start, end)."""
    yield "b", "Permits revoked", _between(session, Permit.revoked_at, start, end)
    yield from _results(session, start, end, now, holidays)
    yield from _hand_overs(session, start, end, holidays)
    yield "b", "Data not handed over by holders in time, still open", _overdue(session, now)
    yield "d", "Signed heads of the audit log", _between(session, SignedHead.at, start, end)
    exports = Entry.action == "audit.exported"
    yield "d", "Audit log handed out for verification", _between(session, Entry.at, start, end, exports)
    yield "f", "Standing offers agreed with data holders", _between(session, StandingOffer.body_approved_at, start, end)
    yield "f", "Trusted data holders designated", _between(session, TrustedHolder.designated_at, start, end)


def _results(session: Session, start: datetime, end: datetime, now: datetime, holidays: Holidays) -> Counted:
    yield "b", "Results made public", _between(session, PublishedResult.told_at, start, end)
    late = sum(one.state == "late" for one in reminders(session, now, holidays))
    yield "b", "Results not made public in time", late


def _hand_overs(session: Session, start: datetime, end: datetime, holidays: Holidays) -> Counted:
    happened = (RequestEvent.step == "hand_over") & (RequestEvent.at >= start) & (RequestEvent.at < end)
    found = sa.select(RequestEvent, Request).join(Request, Request.id == RequestEvent.request_id).where(happened)
    rows = [row for row in session.execute(found).tuples() if row[1].decided_at is not None]
    prolonged = _prolonged(session, [request.id for _, request in rows])
    late = sum(event.at > _due(request, request.id in prolonged, holidays) for event, request in rows)
    yield "b", "Data handed over by holders in time", len(rows) - late
    yield "b", "Data handed over by holders late", late


def _prolonged(session: Session, request_ids: list[str]) -> set[str]:
    """Requests whose time to hand over was prolonged: that happens after the decision only."""
    after = (RequestEvent.step == "prolong") & (RequestEvent.at >= Request.decided_at)
    found = sa.select(Request.id).join(RequestEvent, RequestEvent.request_id == Request.id)
    return set(session.scalars(found.where(after, Request.id.in_(request_ids))))


def _due(request: Request, prolonged: bool, holidays: Holidays) -> datetime:
    assert request.decided_at is not None
    end = HOLDER_DELIVERY.longer_end if prolonged else HOLDER_DELIVERY.end
    return end(request.decided_at, holidays)


def _overdue(session: Session, now: datetime) -> int:
    late = (Request.clock == HOLDER_DELIVERY.name) & (Request.deadline < now)
    return session.scalar(sa.select(sa.func.count()).select_from(Request).where(late)) or 0


def _between(
    session: Session, moment: InstrumentedAttribute[datetime | None], start: datetime, end: datetime,
    *conditions: sa.ColumnElement[bool],
) -> int:  # fmt: skip
    within = sa.select(sa.func.count(moment)).where(moment >= start, moment < end, *conditions)
    return session.scalar(within) or 0
