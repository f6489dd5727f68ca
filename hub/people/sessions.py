"""Web sessions and access tokens: from a secret in a request to a person.

Belongs here: issuing, recognising and ending them. Does not belong here: passwords (``sign_in``). Only hashes are stored.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.people.tables import AccessToken, Person, WebSession

SESSION_COOKIE = "phaseiv_session"
SESSION_HOURS, IDLE_MINUTES, TOKEN_DAYS = 12, 60, 90
TOKEN_PREFIX = "p4_"


def digest_of(secret: str) -> str:
    """What is stored in place of a random secret of 256 bits; no salt or stretching is needed at that entropy."""
    return hashlib.sha256(secret.encode()).hexdigest()


def open_session(session: Session, person: Person, now: datetime) -> str:
    """A new session's secret. Signing in always makes a new one, so that a planted cookie is worth nothing."""
    secret = secrets.token_urlsafe(32)
    session.add(WebSession(digest=digest_of(secret), person_id=person.id, created_at=now, seen_at=now))
    return secret


def web_session(session: Session, secret: str | None, now: datetime) -> tuple[WebSession, Person] | None:
    """The session of a cookie and its person, unless it is too old, idle for too long, or the account is closed."""
    if not secret or (found := session.get(WebSession, digest_of(secret))) is None:
        return None
    person = session.get(Person, found.person_id)
    alive = now - found.created_at < timedelta(hours=SESSION_HOURS) and now - found.seen_at < timedelta(
        minutes=IDLE_MINUTES
    )
    return (found, person) if alive and person is not None and person.active else None


def end_sessions(session: Session, person_id: str) -> None:
    """Sign a person out everywhere."""
    session.execute(sa.delete(WebSession).where(WebSession.person_id == person_id))


def end_session(session: Session, secret: str) -> None:
    """Sign one browser out."""
    session.execute(sa.delete(WebSession).where(WebSession.digest == digest_of(secret)))


def issue_token(session: Session, person: Person, name: str, now: datetime) -> str:
    """A new access token, shown once."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    expires = now + timedelta(days=TOKEN_DAYS)
    session.add(
        AccessToken(digest=digest_of(secret), person_id=person.id, name=name, created_at=now, expires_at=expires)
    )
    return secret


def person_of_token(session: Session, secret: str | None, now: datetime) -> Person | None:
    """The person of an access token that is neither expired nor revoked."""
    if not secret:
        return None
    token = session.scalar(sa.select(AccessToken).where(AccessToken.digest == digest_of(secret)))
    if token is None or token.revoked_at is not None or token.expires_at <= now:
        return None
    person = session.get(Person, token.person_id)
    return person if person is not None and person.active else None
