"""Heads of the books in the store.

Belongs here: signing the present state, reading heads. Does not belong here: what a head is (``notary``), the check (``check``).
"""

import logging
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.growth import frontier_of, grown
from hub.audit.merkle import Frontier
from hub.errors import NotFoundError
from hub.money.ledger import lock
from hub.money.notary import BooksHead, Notary
from hub.money.tables import Head, Transaction

logger = logging.getLogger(__name__)


def sign(session: Session, notary: Notary, now: datetime) -> Head | None:
    """Attest the present state; ``None`` if nothing was added, or if the books do not continue their last head."""
    lock(session)
    former = newest(session)
    frontier = frontier_of(former.size, former.peaks) if former else Frontier()
    if former is not None and not _trusted(former, frontier, notary):
        logger.error("the books' last head is not genuine; no further head is signed: check the books")
        return None
    begun = frontier.size
    if not grown(session, frontier, Transaction.number, Transaction.digest, "transaction") or frontier.size == begun:
        return None
    head = notary.attest(frontier.size, frontier.root, now)
    made = Head(**head.model_dump(), peaks=[peak.hex() for peak in frontier.peaks])
    session.add(made)
    session.flush()
    return made


def newest(session: Session) -> Head | None:
    """The last head."""
    return session.scalar(sa.select(Head).order_by(Head.size.desc()).limit(1))


def stored(session: Session) -> list[BooksHead]:
    """All heads in the store, smallest first."""
    return [BooksHead.model_validate(head) for head in session.scalars(sa.select(Head).order_by(Head.size))]


def of_size(session: Session, size: int) -> BooksHead:
    """One head.

    Raises
    ------
    NotFoundError
        None was signed at this size.
    """
    found = session.get(Head, size)
    if found is None:
        raise NotFoundError("a head must have been signed at this size, got none; look at the books")
    return BooksHead.model_validate(found)


def _trusted(former: Head, frontier: Frontier, notary: Notary) -> bool:
    return frontier.root.hex() == former.root and notary.genuine(BooksHead.model_validate(former))
