"""Privacy budgets of questions, in zCDP rho: what a data set may tell in all, and one person of it.

Belongs here: adding up and refusing. Does not belong here: noise, which the data side draws.

A question's rho is taken when it is placed and is never given back: a refusal tells something, too. The data side debits
the cohort's ledger (``hub.budget``) by itself before it looks at the data.

References
----------
Bun and Steinke (2016), Concentrated Differential Privacy, Lemma 1.7 (adding up).
"""

import math

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.statistics.tables import Question
from records.accounting import rho_to_epsilon
from records.errors import BudgetError, ParameterError

DATASET_RHO, PERSON_RHO, LEAST_RHO, MOST_RHO = 1.0, 0.25, 0.001, 0.25
DELTA = 1e-6
SLACK = 1e-12


def epsilon_of(rho: float, delta: float = DELTA) -> float:
    """The epsilon that rho-zCDP gives at ``delta``."""
    return rho_to_epsilon(rho, delta)


def left(session: Session, dataset_id: str, person_id: str | None = None) -> float:
    """What is left of a data set's budget, or of one person's part of it."""
    asked = Question.dataset_id == dataset_id
    if person_id is not None:
        asked &= Question.person_id == person_id
    spent = session.scalar(sa.select(sa.func.coalesce(sa.func.sum(Question.rho), 0.0)).where(asked))
    return max(0.0, (DATASET_RHO if person_id is None else PERSON_RHO) - float(spent or 0.0))


def must_fit(session: Session, dataset_id: str, person_id: str, rho: float) -> None:
    """Refuse a rho that is out of range or more than what is left.

    Raises
    ------
    ParameterError, BudgetError
        It is out of range; the person's or the data set's budget is used up.
    """
    if not (math.isfinite(rho) and LEAST_RHO <= rho <= MOST_RHO):
        raise ParameterError(f"rho must be {LEAST_RHO:g} to {MOST_RHO:g}, got another; choose one in this range")
    for whose, rest in (("your", left(session, dataset_id, person_id)), ("the data set's", left(session, dataset_id))):
        if rho > rest + SLACK:
            raise BudgetError(
                f"a question must fit {whose} budget, of which rho {rest:.4f} is left, got rho {rho:g}; ask for less or "
                "use a table that is prepared"
            )
