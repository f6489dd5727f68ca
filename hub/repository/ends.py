"""When an artefact ends: with its own days, or with its permit or agreement, whichever is earlier.

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
from hub.market.tables import Agreement
from hub.repository.tables import Artefact

OWN, PERMIT_OVER, REVOKED, NO_PERMIT = (
    "its time is over", "the permit's time is over", "the permit was revoked", "there is no permit"
)  # fmt: skip
AGREEMENT_OVER, AGREEMENT_ENDED = "the agreement's time is over", "the agreement has ended"
# Of a permit or an agreement, whichever the artefact was handed out under.
UNTIL = sa.case((Artefact.agreement_id.is_not(None), Agreement.valid_until), else_=Permit.valid_until)
STOPPED = sa.case((Artefact.agreement_id.is_not(None), Agreement.ended_at), else_=Permit.revoked_at)


@dataclass(frozen=True)
class End:
    """A moment and, in words, why."""

    at: datetime
    reason: str


def end_of(session: Session, artefact: Artefact) -> End:
    """The end of one artefact, by its permit or agreement as the store has it now."""
    return with_ends(session, Artefact.id == artefact.id)[0][1]


def with_ends(session: Session, *conditions: sa.ColumnElement[bool]) -> list[tuple[Artefact, End]]:
    """Artefacts and their ends, newest first."""
    found = (
        sa.select(Artefact, UNTIL, STOPPED)
        .outerjoin(Permit, Permit.id == Artefact.permit_id)
        .outerjoin(Agreement, Agreement.id == Artefact.agreement_id)
        .where(*conditions)
    )
    rows: Iterable[tuple[Artefact, datetime | None, datetime | None]] = session.execute(
        found.order_by(Artefact.created_at.desc())
    ).tuples()
    return [(artefact, _earliest(artefact, until, stopped)) for artefact, until, stopped in rows]


def over(now: datetime) -> sa.ColumnElement[bool]:
    """Artefacts, joined as in ``with_ends``, that have ended."""
    return sa.or_(Artefact.expires_at <= now, UNTIL.is_(None), now >= UNTIL, STOPPED.is_not(None))


def _earliest(artefact: Artefact, valid_until: datetime | None, stopped: datetime | None) -> End:
    bought = artefact.agreement_id is not None
    if valid_until is None:
        return End(artefact.created_at, AGREEMENT_ENDED if bought else NO_PERMIT)
    ends = [End(artefact.expires_at, OWN), End(valid_until, AGREEMENT_OVER if bought else PERMIT_OVER)]
    if stopped is not None:
        ends.append(End(stopped, AGREEMENT_ENDED if bought else REVOKED))
    return min(ends, key=lambda end: end.at)
