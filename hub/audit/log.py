"""Appending to the audit log, in the transaction of the step that is logged.

Belongs here: the order of entries. Does not belong here: digests (``chain``), heads and verification.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, SessionTransaction

from hub.audit.chain import GENESIS, digest_of
from hub.audit.tables import Entry

APPEND_LOCK = 7_204_119  # any number that no other program locks
LAST = "audit.last"
INSERT = sa.insert(Entry.__table__)  # type: ignore[arg-type]
NEWEST = sa.select(Entry.number, Entry.digest).order_by(Entry.number.desc()).limit(1)


@dataclass(frozen=True)
class Event:
    """What happened; see ``record``."""

    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any] = field(default_factory=dict)


def record(session: Session, *, now: datetime, actor: str, action: str, subject: str, **detail: Any) -> int:
    """Append one event; returns its number.

    Parameters
    ----------
    actor : str
        Id of a person, ``visitor``, or ``system``.
    action : str
        ``<object>.<verb in the past>``, for instance ``request.submitted``.
    subject : str
        ``<kind>:<id>`` of the object.
    detail
        Plain JSON values; never rows, names of patients, passwords or tokens.
    """
    return record_many(session, [Event(actor, action, subject, detail)], now=now)


def record_many(session: Session, events: Iterable[Event], *, now: datetime) -> int:
    """Append events in order; returns the last number."""
    session.flush()
    number, former = _last(session)
    rows: list[dict[str, Any]] = []
    for happened in events:
        number += 1
        body = {"number": number, "at": now, "actor": happened.actor, "action": happened.action,
                "subject": happened.subject, "detail": dict(happened.detail)}  # fmt: skip
        digest = digest_of(body, former)
        rows.append({**body, "former": former, "digest": digest})
        former = digest
    if rows:
        session.connection().execute(INSERT, rows)
        session.info[LAST] = _Last(_transaction(session), number, former)
    return number


@dataclass(frozen=True)
class _Last:
    """The newest entry, known for the transaction that holds the right to append."""

    transaction: SessionTransaction | None
    number: int
    digest: str


def _last(session: Session) -> tuple[int, str]:
    known: _Last | None = session.info.get(LAST)
    # A savepoint rolled back takes entries (and on Postgres the lock) with it: only the very same transaction may go on.
    if known is not None and known.transaction is _transaction(session):
        return known.number, known.digest
    if session.get_bind().dialect.name == "postgresql":
        # Two appends must not follow the same entry; SQLite has one writer anyway.
        session.execute(sa.text(f"SELECT pg_advisory_xact_lock({APPEND_LOCK})"))
    newest = session.execute(NEWEST).first()
    return (0, GENESIS) if newest is None else (newest.number, newest.digest)


def _transaction(session: Session) -> SessionTransaction | None:
    return session.get_nested_transaction() or session.get_transaction()
