"""The activity report's figures, computed from the tables.

Belongs here: Article 59(1), point by point. Does not belong here: what only people know (stakeholders, outside audits), which
the report names as to be written.

References
----------
Regulation (EU) 2025/327, Article 59(1), points (a) to (k).
"""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.law import PURPOSES
from hub.access.tables import Request
from hub.catalogue.tables import Dataset
from hub.duties.commitments import commitments
from hub.duties.tables import Complaint, Incident, OptOut, PublishedResult
from hub.output_checks.tables import OutputRequest
from hub.people.tables import Person

BY_HAND = None


@dataclass(frozen=True)
class Figure:
    """One figure: the point of Article 59(1) that asks for it, its name, and its value (``None``: people write it)."""

    point: str
    name: str
    value: Any


def report(
    session: Session, start: datetime, end: datetime, now: datetime, holidays: Container[date]
) -> list[Figure]:  # fmt: skip
    """All figures of the period [start, end)."""
    asked = list(session.scalars(sa.select(Request).where(Request.submitted_at >= start, Request.submitted_at < end)))
    decided = list(session.scalars(sa.select(Request).where(Request.decided_at >= start, Request.decided_at < end)))
    return [
        *_requests(session, asked, decided), *_commitments(session, start, end, now, holidays), *_rights(session, start, end),
        Figure("g", "Revenues in euros", _revenue(decided)),
        Figure("h", "Average days from application to access", _days(asked)), *_labels(session),
        *_results(session, start, end),
    ]  # fmt: skip


def _requests(session: Session, asked: Sequence[Request], decided: Sequence[Request]) -> Iterable[Figure]:
    yield Figure("a", "Applications and requests submitted", len(asked))
    for kind, count in sorted(Counter(r.kind for r in asked).items()):
        yield Figure("a", f"of these: {kind}", count)
    public = sa.select(Person.id).where(Person.public_body)
    bodies = set(session.scalars(public))
    yield Figure("a", "of these by public bodies", sum(r.person_id in bodies for r in asked))
    yield Figure("a", "Permits issued", sum(r.permit_id is not None for r in decided))
    yield Figure("a", "Refused", sum(r.permit_id is None for r in decided))
    purposes = Counter(letter for r in asked for letter in r.form.get("purposes", []) if letter in PURPOSES)
    for letter, count in sorted(purposes.items()):
        yield Figure("a", f"Purpose {letter}: {PURPOSES[letter]}", count)
    used = {i for r in decided if r.permit_id for i in r.dataset_ids}
    categories = Counter(session.scalars(sa.select(Dataset.category).where(Dataset.id.in_(used))))
    for category, count in sorted(categories.items()):
        yield Figure("a", f"Data sets accessed of category {category or '–'}", count)


def _commitments(
    session: Session, start: datetime, end: datetime, now: datetime, holidays: Container[date]
) -> Iterable[Figure]:  # fmt: skip
    yield from (Figure(*counted) for counted in commitments(session, start, end, now, holidays))
    yield Figure("b", "Administrative fines", BY_HAND)
    checked = (OutputRequest.decided_at >= start) & (OutputRequest.decided_at < end)
    for state in ("approved", "refused"):
        count = sa.select(sa.func.count()).select_from(OutputRequest).where(checked, OutputRequest.state == state)
        yield Figure("c", f"Outputs of the secure environment {state}", session.scalar(count))
    yield Figure("d", "Audits of secure processing environments", BY_HAND)
    yield Figure("f", "Engagement with stakeholders", BY_HAND)


def _rights(session: Session, start: datetime, end: datetime) -> Iterable[Figure]:
    counted = {
        "Objections (opt-outs) registered": sa.select(OptOut).where(OptOut.at >= start, OptOut.at < end),
        "Objections withdrawn": sa.select(OptOut).where(OptOut.withdrawn_at >= start, OptOut.withdrawn_at < end),
        "Complaints lodged": sa.select(Complaint).where(Complaint.lodged_at >= start, Complaint.lodged_at < end),
        "Complaints decided": sa.select(Complaint).where(Complaint.closed_at >= start, Complaint.closed_at < end),
        "Incidents reported": sa.select(Incident).where(Incident.created_at >= start, Incident.created_at < end),
    }  # fmt: skip
    for name, query in counted.items():
        yield Figure("e", name, session.scalar(sa.select(sa.func.count()).select_from(query.subquery())))


def _revenue(decided: Sequence[Request]) -> float:
    """Fees that were agreed on for permits issued in the period."""
    fees = [r.fee.get("total") for r in decided if r.permit_id is not None and isinstance(r.fee, dict)]
    return float(sum(fee for fee in fees if isinstance(fee, int | float)))


def _days(asked: Sequence[Request]) -> float | None:
    spans = [r.delivered_at - r.submitted_at for r in asked if r.delivered_at and r.submitted_at]
    return round(sum(s.total_seconds() for s in spans) / 86_400 / len(spans), 2) if spans else None


def _labels(session: Session) -> Iterable[Figure]:
    records = session.scalars(sa.select(Dataset.record).where(Dataset.status == "published"))
    labels = [label for record in records if (label := (record or {}).get("label"))]
    yield Figure("i", "Data quality and utility labels", len(labels))
    for name, count in sorted(Counter(name for label in labels for name, facts in label.items() if facts).items()):
        yield Figure("i", f"Labels with {name.replace('_', ' ')}", count)


def _results(session: Session, start: datetime, end: datetime) -> Iterable[Figure]:
    told = sa.select(PublishedResult.kind).where(PublishedResult.told_at >= start, PublishedResult.told_at < end)
    kinds = Counter(session.scalars(told))
    yield Figure("j", "Peer-reviewed publications", kinds["publication"])
    yield Figure("j", "Policy documents", kinds["policy"])
    yield Figure("j", "Regulatory procedures", kinds["regulatory"])
    yield Figure("k", "Digital health products and services, AI applications", kinds["product"])
