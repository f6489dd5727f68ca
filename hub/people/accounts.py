"""Accounts: making, signing in, closing.

Belongs here: the rules of local accounts. Does not belong here: pages, and accounts of other providers.
"""

import re
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.log import record
from hub.people import throttle
from hub.people.passwords import hashed, matches
from hub.people.roles import Role
from hub.people.second_factor import accept
from hub.people.sessions import end_sessions
from hub.people.tables import AccessToken, Person
from hub.people.throttle import Limit
from records.errors import ParameterError

ATTEMPTS = 8
FAILURES = Limit("sign-in", "sign-ins must not fail", ATTEMPTS, timedelta(minutes=15))


def create(
    session: Session, *, now: datetime, email: str, name: str, roles: frozenset[Role], password: str | None,
    organisation: str = "", public_body: bool = False, by: str = "system",
) -> Person:  # fmt: skip
    """A new account.

    Raises
    ------
    ParameterError
        The e-mail is no address or is taken, the name is empty, or the password is too short.
    """
    email = email.strip().lower()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email) or len(email) > 254:
        raise ParameterError("an e-mail must have the form name@organisation.eu, got something else; mend it")
    if session.scalar(sa.select(Person.id).where(Person.email == email)):
        raise ParameterError("an e-mail must belong to one account, got one that is taken; sign in instead")
    if not name.strip():
        raise ParameterError("a name must not be empty, got nothing; write it")
    person = Person(
        email=email, name=name.strip(), organisation=organisation.strip(), roles=sorted(roles), public_body=public_body,
        password=hashed(password) if password is not None else None, created_at=now,
    )  # fmt: skip
    session.add(person)
    session.flush()
    record(session, now=now, actor=by, action="person.created", subject=f"person:{person.id}", roles=person.roles)
    return person


def sign_in(session: Session, *, now: datetime, email: str, password: str, code: str, address: str) -> Person | None:
    """The person, or ``None`` for a wrong e-mail, password or code; failures count.

    Raises
    ------
    ThrottledError
        Too many failures for this e-mail or from this address.
    """
    email = email.strip().lower()
    keys = [FAILURES.key("email", email), FAILURES.key("address", address)]
    FAILURES.check(session, keys, now)
    person = session.scalar(sa.select(Person).where(Person.email == email, Person.active))
    # Both are checked always: the time taken must not tell which was wrong.
    right = matches(password, person.password if person else None)
    if person is not None and right and accept(person, code.strip(), now):
        throttle.forget(session, keys[0])
        record(session, now=now, actor=person.id, action="person.signed_in", subject=f"person:{person.id}")
        return person
    throttle.count(session, keys, now)
    return None


def close(session: Session, person: Person, *, now: datetime, by: str) -> None:
    """Close an account: its sessions and tokens end at once."""
    person.active = False
    end_sessions(session, person.id)
    session.execute(
        sa.update(AccessToken)
        .where(AccessToken.person_id == person.id, AccessToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    record(session, now=now, actor=by, action="person.closed", subject=f"person:{person.id}")
