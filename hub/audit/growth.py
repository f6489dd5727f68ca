"""A chain in the store that has grown since its last head.

Belongs here: what the audit log and the books share when they sign a head. Does not belong here: heads themselves, trees
(``merkle``).
"""

import logging
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from hub.audit.merkle import Frontier

logger = logging.getLogger(__name__)


def frontier_of(size: int, peaks: list[str]) -> Frontier:
    """The tree that a stored head attests; ``Frontier()`` for size 0."""
    return Frontier(size, [bytes.fromhex(peak) for peak in peaks])


def grown(
    session: Session,
    frontier: Frontier,
    number: InstrumentedAttribute[int],
    digest: InstrumentedAttribute[Any],
    what: str,
) -> bool:
    """Take in what was added since ``frontier``; false, and an error in the log, if a row is missing in between.

    Reads only the new rows, so that it may run every few seconds.
    """
    added = sa.select(number, digest).where(number > frontier.size).order_by(number)
    for place, leaf in session.execute(added):
        if place != frontier.size + 1:
            logger.error("%s %d is missing; no further head is signed: verify the chain", what, frontier.size + 1)
            return False
        frontier.append(bytes.fromhex(leaf))
    return True
