"""When an artefact ends: with its own days, or with its permit, whichever is earlier.

Belongs here: that end and its reason in words. Does not belong here: destroying (``vault``).

References
----------
Regulation (EU) 2025/327, Articles 61(1) (use only in accordance with a permit), 63(3) (revocation), 68(12) (its end).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.tables import Permit
from hub.repository.tables import Artefact

OWN, PERMIT_OVER, REVOKED, NO_PERMIT = (
    "its time is over", "the permit's time is over", "the permit was revoked", "there is no permit"
)  # fmt: skip
ENDS = (Artefact, Permit.valid_until, Permit.revoked_at)


@dataclass(frozen=True)
class End:
    """A moment and, in words, why."""

    at: datetime
    reason: str


def end_of(session: Session, artefact: Artefact) -> End:
    """The end of one artefact, by its permit as the store has it now."""
    permit = sa.select(Permit.valid_until, Permit.revoked_at).where(Permit.id == artefact.permit_id)
    valid_until, revoked_at = session.execute(permit).tuples().one_or_none() or (None, None)
    return _earliest(artefact, valid_until, revoked_at)


def with_ends(session: Session, *conditions: sa.ColumnElement[bool]) -> list[tuple[Artefact, End]]:
    """Artefacts and their ends, newest first."""
    found = sa.select(*ENDS).outerjoin(Permit, Permit.id == Artefact.permit_id).where(*conditions)
    rows: Iterable[tuple[Artefact, datetime | None, datetime | None]] = session.execute(
        found.order_by(Artefact.created_at.desc())
    ).tuples()
    return [(artefact, _earliest(artefact, until, revoked)) for artefact, until, revoked in rows]


def over(now: datetime) -> sa.ColumnElement[bool]:
    """Artefacts, joined with their permits, that have ended."""
    return sa.or_(
        Artefact.expires_at <= now, Permit.id.is_(None), Permit.valid_until <= now, Permit.revoked_at.is_not(None)
    )


def _earliest(artefact: Artefact, valid_until: datetime | None, revoked_at: datetime | None) -> End:
    if valid_until is None:
        return End(artefact.created_at, NO_PERMIT)
    ends = [End(artefact.expires_at, OWN), End(valid_until, PERMIT_OVER)]
    if revoked_at is not None:
        ends.append(End(revoked_at, REVOKED))
    return min(ends, key=lambda end: end.at)
