"""Measures for non-compliance, as everybody may read them.

Belongs here: what the tables know: permits that were revoked. Does not belong here: revoking (``access``), fines and exclusions,
which national law decides outside this service.

References
----------
Regulation (EU) 2025/327, Article 57(1)(j)(iv) (publication of measures by Article 63), 63(3) and (6).
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.tables import Permit
from hub.people.tables import Person

MOST = 500


@dataclass(frozen=True)
class Measure:
    """A permit that was revoked, whose it was, and why."""

    permit: Permit
    user: str

    @property
    def facts(self) -> dict[str, Any]:
        """For the API."""
        revoked = self.permit.revoked_at
        return {
            "article": "63(3)", "measure": "permit revoked", "user": self.user, "dataset_ids": self.permit.dataset_ids,
            "request": self.permit.request_id[:8], "at": revoked.isoformat() if revoked else None,
            "reason": self.permit.revoked_reason,
        }  # fmt: skip


def measures(session: Session) -> list[Measure]:
    """The newest first."""
    revoked = (
        sa.select(Permit, Person).join(Person, Person.id == Permit.person_id).where(Permit.revoked_at.is_not(None))
    )
    rows = session.execute(revoked.order_by(Permit.revoked_at.desc()).limit(MOST)).tuples()
    # As in the register: the organisation, or the person where no organisation stands behind the request.
    return [Measure(permit, person.organisation or person.name) for permit, person in rows]
