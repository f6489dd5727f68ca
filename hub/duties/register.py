"""The public register: requests, decisions, permits and results.

Belongs here: what the law makes public, read from the tables as they are now. Does not belong here: drafts, and answers of
the form that the law does not name.

References
----------
Regulation (EU) 2025/327, Article 57(1)(j)(ii) (applications without undue delay), (iii) (permits and refusals with their
justification within 30 working days), (v) (results), Article 58(1)(f) and (g).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.law import PURPOSES
from hub.access.tables import Permit, Request
from hub.duties.tables import PublishedResult
from hub.people.tables import Person

PAGE = 25


@dataclass(frozen=True)
class Line:
    """One request as the public sees it."""

    request: Request
    applicant: str
    permit: Permit | None
    results: list[PublishedResult]

    @property
    def purposes(self) -> list[str]:
        """Purposes of Article 53(1) in words."""
        return [PURPOSES[letter] for letter in self.request.form.get("purposes", []) if letter in PURPOSES]

    @property
    def due(self) -> datetime | None:
        """By when the decision must be public."""
        return self.request.publish_by

    @property
    def decision(self) -> str:
        """Granted, refused, or still open."""
        if self.request.decided_at is None:
            return "open"
        return "granted" if self.permit is not None else "refused"


def lines(session: Session, page: int = 1) -> tuple[list[Line], int]:
    """One page of the register, newest first, and how many entries there are."""
    public = Request.submitted_at.is_not(None)
    total = session.scalar(sa.select(sa.func.count()).select_from(Request).where(public)) or 0
    found = sa.select(Request).where(public).order_by(Request.submitted_at.desc(), Request.id)
    return [line(session, r) for r in session.scalars(found.limit(PAGE).offset(PAGE * (page - 1)))], total


def line(session: Session, request: Request) -> Line:
    """One entry."""
    person = session.get_one(Person, request.person_id)
    permit = session.get(Permit, request.permit_id) if request.permit_id else None
    results = sa.select(PublishedResult).where(PublishedResult.request_id == request.id)
    # An organisation is named; a natural person is, too, where no organisation stands behind the request (Article 58(1)(f)).
    return Line(request, person.organisation or person.name, permit, list(session.scalars(results)))


def facts(entry: Line) -> dict[str, Any]:
    """For the API."""
    request, permit = entry.request, entry.permit
    return {
        "number": request.id[:8], "applicant": entry.applicant, "kind": request.kind, "dataset_ids": request.dataset_ids,
        "purposes": entry.purposes, "submitted_at": _iso(request.submitted_at), "decision": entry.decision,
        "decided_at": _iso(request.decided_at),
        "justification": request.justification if request.decided_at else "",
        "permit": permit and {"valid_from": _iso(permit.valid_from), "valid_until": _iso(permit.valid_until),
                              "revoked_at": _iso(permit.revoked_at), "revoked_reason": permit.revoked_reason},
        "results": [{"kind": r.kind, "title": r.title, "address": r.address} for r in entry.results],
    }  # fmt: skip


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
