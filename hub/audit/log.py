"""Appending to the audit log, in the transaction of the step that is logged.

Belongs here: the hash chain. Does not belong here: heads and verification.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.tables import Entry

GENESIS = "0" * 64
APPEND_LOCK = 7_204_119  # any number that no other program locks


def record(session: Session, *, now: datetime, actor: str, action: str, subject: str, **detail: Any) -> Entry:
    """Append one event.

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
    if session.get_bind().dialect.name == "postgresql":
        # Two appends must not follow the same entry; SQLite has one writer anyway.
        session.execute(sa.text(f"SELECT pg_advisory_xact_lock({APPEND_LOCK})"))
    session.flush()
    last = session.execute(sa.select(Entry.number, Entry.digest).order_by(Entry.number.desc()).limit(1)).first()
    number, former = (1, GENESIS) if last is None else (last.number + 1, last.digest)
    body = {"number": number, "at": now, "actor": actor, "action": action, "subject": subject, "detail": detail}
    entry = Entry(**body, former=former, digest=digest_of(body, former))
    session.add(entry)
    session.flush()
    return entry


def digest_of(body: dict[str, Any], former: str) -> str:
    """Hexadecimal sha256 over the canonical JSON of an event and the former digest."""
    plain = body | {"at": body["at"].astimezone(UTC).isoformat(timespec="microseconds"), "former": former}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
