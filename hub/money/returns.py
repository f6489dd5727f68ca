"""Payouts that the bank gave back: which they are, whether the account was corrected or confirmed since, and paying again.

Belongs here: finding them and ordering anew. Does not belong here: booking (``payouts``), the account itself, which only its owner
corrects (``parties``).

What was given back is owed again. It is not sent a second time to the account that did not take it, unless its owner confirms the account by
keeping the billing details again.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from hub.caller import Caller
from hub.errors import NotFoundError, StateError
from hub.money import parties, payouts
from hub.money.tables import Payout, Transaction
from hub.people.roles import Role


@dataclass(frozen=True)
class Case:
    """A payout on its way or given back; ``corrected`` if its payee has named another account since, or confirmed this one."""

    payout: Payout
    state: str
    corrected: bool

    @property
    def account(self) -> str:
        """The account as it is shown: country and last four digits."""
        return f"{self.payout.iban[:2]}… {self.payout.iban[-4:]}"


def cases(caller: Caller) -> list[Case]:
    """Payouts on their way, and those given back of payees to whom nothing was ordered since; newest first."""
    caller.must_have(Role.OPERATOR)
    latest = _latest(caller)
    rows = [
        (one, state) for one, state in latest if state == "ordered" or (state == "returned" and _is_last(one, latest))
    ]
    return [Case(one, state, _corrected(caller, one)) for one, state in rows]


def again(caller: Caller, payout_id: str) -> list[Payout]:
    """Order anew what was given back, with all else that its payee is owed; asked twice, it is ordered once.

    Raises
    ------
    NotFoundError, StateError
        There is no such payout, it was not given back, or the account was neither corrected nor confirmed.
    """
    caller.must_have(Role.OPERATOR)
    payout = caller.session.get(Payout, payout_id)
    if payout is None:
        raise NotFoundError("a payout must exist, got an unknown one; look at the books")
    if payouts.state_of(caller, payout) != "returned":
        raise StateError("a payout must have been given back to be paid again, got another; nothing was changed")
    if payouts.was_refund(caller, payout):
        return payouts.refund(caller, payout.party, key=f"again:{payout.id}")
    return payouts.order(caller, key=f"again:{payout.id}", payees=[payout.party])


def asks_for_another_account(caller: Caller, party: str) -> bool:
    """Whether the bank gave back the last payout to the account that ``party`` still names."""
    found = parties.of(caller, party)
    return found is not None and payouts.refused_by_bank(caller, party, found.iban)


def _latest(caller: Caller) -> list[tuple[Payout, str]]:
    """Each payout with the last that was booked of it, newest first."""
    last = (
        sa.select(Transaction.subject, sa.func.max(Transaction.number).label("number"))
        .where(Transaction.subject.startswith("payout:")).group_by(Transaction.subject).subquery()
    )  # fmt: skip
    rows = (
        sa.select(Payout, Transaction.kind).join(last, last.c.subject == sa.literal("payout:") + Payout.id)
        .join(Transaction, Transaction.number == last.c.number).order_by(Payout.at.desc(), Payout.id)
    )  # fmt: skip
    return [(one, kind.removeprefix("payout.")) for one, kind in caller.session.execute(rows)]


def _is_last(one: Payout, every: list[tuple[Payout, str]]) -> bool:
    return not any(
        other.party == one.party and other.id != one.id and other.at >= one.at and state != "returned"
        for other, state in every
    )


def _corrected(caller: Caller, payout: Payout) -> bool:
    found = parties.of(caller, payout.party)
    return found is not None and bool(found.iban) and not payouts.refused_by_bank(caller, payout.party, found.iban)
