"""What is left of a data set's privacy budget in the market: debits by purchase, exact, in the purchase's own transaction.

Belongs here: adding up and refusing. Does not belong here: the price of a debit (``prices``), the cohort's ledger on the data side
(``hub.budget``), which decides again before it looks at the data, and what it tells of it (``cohort_budget``).

References
----------
Bun and Steinke (2016), Concentrated differential privacy, Lemma 1.7 (rho adds up).
"""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.caller import Caller
from hub.catalogue.tables import Dataset
from hub.market import reserving
from hub.market.prices import ByBudget
from hub.market.tables import Debit, Purchase
from records.errors import BudgetError, ParameterError

DIGITS = 12


def used(session: Session, dataset_id: str, now: datetime) -> Fraction:
    """Rho that purchases have taken, refunded ones too: what was answered cannot be unlearnt.

    What ended before anything was made of it is left out: its purchase was taken back, or its agreement is over.
    """
    debits = sa.select(Debit.rho).join(Purchase, Purchase.id == Debit.purchase_id)
    kept = sa.or_(reserving.in_force(now), reserving.worked_on(), reserving.begun())
    taken = session.scalars(debits.where(Debit.dataset_id == dataset_id, kept))
    return sum((Fraction(one) for one in taken), Fraction(0))


def left(session: Session, dataset_id: str, price: ByBudget, now: datetime) -> Fraction:
    """Rho that may still be bought."""
    return max(Fraction(0), Fraction(price.total_rho) - used(session, dataset_id, now))


def locked(session: Session, dataset_id: str) -> None:
    """Wait until nobody else buys from this budget."""
    session.execute(sa.select(Dataset.id).where(Dataset.id == dataset_id).with_for_update())


def debit(caller: Caller, dataset_id: str, purchase_id: str, rho: Decimal, price: ByBudget) -> None:
    """Take ``rho``; the caller holds the lock.

    Raises
    ------
    BudgetError
        Less is left.
    """
    if Fraction(rho) > left(caller.session, dataset_id, price, caller.now):
        raise BudgetError("a purchase must fit what is left of the budget, got more; buy less")
    caller.session.add(Debit(purchase_id=purchase_id, dataset_id=dataset_id, rho=str(rho), at=caller.now))
    caller.session.flush()


def read_rho(value: Any) -> Decimal:
    """A rho as it was written, with at most 12 decimals.

    Raises
    ------
    ParameterError
        It is no number above 0, or finer.
    """
    try:
        found = Decimal(str(value).strip().replace(",", "."))
    except InvalidOperation as error:
        raise ParameterError("rho must be a number above 0, got another; write for instance 0.05") from error
    if not found.is_finite() or not 0 < found <= 1000 or found != round(found, DIGITS):
        raise ParameterError("rho must be a number above 0, got another; write for instance 0.05")
    return found.normalize()
