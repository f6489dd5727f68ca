"""Signing and reading the heads of the stored log.

Belongs here: heads in the store. Does not belong here: what a head is (``head``), verification (``verify``).
"""

import logging
from datetime import datetime

import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from sqlalchemy.orm import Session

from hub.audit.growth import frontier_of, grown
from hub.audit.head import Head
from hub.audit.log import APPEND_LOCK
from hub.audit.merkle import Frontier
from hub.audit.tables import Entry, SignedHead
from hub.errors import NotFoundError
from hub.keys import Keys

logger = logging.getLogger(__name__)


def sign_head(session: Session, keys: Keys, now: datetime) -> SignedHead | None:
    """Sign the present state of the log; ``None`` if nothing was added, or if the log does not continue its last head.

    Reads only what was added since the last head, so that it may run every few seconds.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"SELECT pg_advisory_xact_lock({APPEND_LOCK})"))
    former = newest(session)
    frontier = frontier_of(former.size, former.peaks) if former else Frontier()
    if former is not None and not _trusted(former, frontier, keys):
        logger.error("the audit log's last head is not genuine; no further head is signed: verify the log")
        return None
    begun = frontier.size
    if not grown(session, frontier, Entry.number, Entry.digest, "audit entry") or frontier.size == begun:
        return None
    return _kept(session, frontier, keys, now)


def newest(session: Session) -> SignedHead | None:
    """The last head that was signed."""
    return session.scalar(sa.select(SignedHead).order_by(SignedHead.size.desc()).limit(1))


def recent(session: Session, count: int) -> list[SignedHead]:
    """The last heads, newest first."""
    return list(session.scalars(sa.select(SignedHead).order_by(SignedHead.size.desc()).limit(count)))


def of_size(session: Session, size: int) -> SignedHead:
    """One head.

    Raises
    ------
    NotFoundError
        None was signed at this size.
    """
    found = session.get(SignedHead, size)
    if found is None:
        raise NotFoundError(f"a head must have been signed at {size} entries, got none; look at the list of heads")
    return found


def public_key(keys: Keys) -> str:
    """What heads are checked with, in hexadecimal; keep it apart from the hub."""
    raw = keys.signing.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return raw.hex()


def _trusted(former: SignedHead, frontier: Frontier, keys: Keys) -> bool:
    return frontier.root.hex() == former.root and Head.model_validate(former).genuine(keys.signing.public_key())


def _kept(session: Session, frontier: Frontier, keys: Keys, now: datetime) -> SignedHead:
    head = Head.signed(frontier.size, frontier.root, now, keys.signing)
    made = SignedHead(**head.model_dump(), peaks=[peak.hex() for peak in frontier.peaks])
    session.add(made)
    session.flush()
    return made
