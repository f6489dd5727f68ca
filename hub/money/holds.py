"""Money that is held while a dispute lasts.

Belongs here: holding and releasing. Does not belong here: disputes themselves, payouts (``payouts``).
"""

import sqlalchemy as sa

from hub.audit.log import record
from hub.caller import Caller
from hub.errors import StateError
from hub.money.accounts import held, payable
from hub.money.currency import EURO, whole
from hub.money.ledger import Posting, balance, lock, moved, post
from hub.money.tables import Transaction
from records.errors import ParameterError


def hold(caller: Caller, payee: str, cents: int, subject: str, *, key: str, currency: str = EURO) -> int:
    """Hold ``cents`` of what ``payee`` earned, because of ``subject``; returns the transaction's number.

    Raises
    ------
    StateError
        Less is left: it was paid out or is held already.
    """
    lock(caller.session)
    if whole(cents) <= 0:
        raise ParameterError("an amount to hold must be above 0, got another; name what is disputed")
    posting = Posting(key, "hold", subject, ((payable(payee, currency), cents), (held(payee, currency), -cents)))
    if not _again(caller, key) and -balance(caller.session, payable(payee, currency)) < cents:
        raise StateError("what is held must be there, got more than is left; hold less")
    return _posted(caller, posting, "payout.held")


def release(caller: Caller, payee: str, cents: int, subject: str, *, key: str, currency: str = EURO) -> int:
    """Let ``cents`` that were held because of ``subject`` be paid out.

    Raises
    ------
    StateError
        Less is held because of it.
    """
    lock(caller.session)
    if whole(cents) <= 0:
        raise ParameterError("an amount to release must be above 0, got another; name what is held")
    posting = Posting(key, "release", subject, ((held(payee, currency), cents), (payable(payee, currency), -cents)))
    if not _again(caller, key) and amount(caller, payee, subject, currency) < cents:
        raise StateError("what is released must be held, got more; release less")
    return _posted(caller, posting, "payout.released")


def release_all(caller: Caller, payee: str, subject: str, *, key: str, currency: str = EURO) -> int | None:
    """Release all that is held because of ``subject``."""
    there = amount(caller, payee, subject, currency)
    return release(caller, payee, there, subject, key=key, currency=currency) if there else None


def amount(caller: Caller, payee: str, subject: str, currency: str = EURO) -> int:
    """What is held because of ``subject``."""
    return -moved(caller.session, held(payee, currency), subject)


def _again(caller: Caller, key: str) -> bool:
    return caller.session.scalar(sa.select(Transaction.number).where(Transaction.key == key)) is not None


def _posted(caller: Caller, posting: Posting, action: str) -> int:
    number = post(caller.session, posting, now=caller.now)
    actor = caller.person.id if caller.person else "system"
    record(caller.session, now=caller.now, actor=actor, action=action, subject=posting.subject, transaction=number)
    return number
