"""Limits on how often something may be tried: sign-ins that fail, objections that are sent in.

Belongs here: counting attempts by what they have in common. Does not belong here: what is tried.

Only hashes of addresses and names are stored, and only as long as a limit may ask for them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.errors import ThrottledError
from hub.people.tables import Attempt

KEPT = timedelta(hours=1)


@dataclass(frozen=True)
class Limit:
    """At most ``most`` attempts with one key in ``window`` (an hour at most); ``rule`` is what must not happen."""

    name: str
    rule: str
    most: int
    window: timedelta

    def key(self, kind: str, value: str) -> str:
        """What attempts by one address, e-mail or person have in common."""
        return hashlib.sha256(f"{self.name}:{kind}:{value}".encode()).hexdigest()

    def check(self, session: Session, keys: Sequence[str], now: datetime) -> None:
        """Refuse one attempt too many.

        Raises
        ------
        ThrottledError
            A key has used its attempts up.
        """
        recent = (Attempt.at > now - self.window) & Attempt.key.in_(keys)
        counted = sa.select(sa.func.count()).where(recent).group_by(Attempt.key)
        if max(session.scalars(counted), default=0) >= self.most:
            minutes = int(self.window.total_seconds() // 60)
            raise ThrottledError(f"{self.rule} {self.most} times in {minutes} minutes; wait {minutes} minutes")


def count(session: Session, keys: Sequence[str], now: datetime) -> None:
    """Count an attempt, and forget old ones."""
    session.execute(sa.delete(Attempt).where(Attempt.at <= now - KEPT))
    session.add_all(Attempt(key=key, at=now) for key in keys)


def forget(session: Session, key: str) -> None:
    """Forget the attempts of a key."""
    session.execute(sa.delete(Attempt).where(Attempt.key == key))
