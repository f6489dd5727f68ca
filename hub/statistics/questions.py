"""Questions that no prepared table answers: placed here, answered on the data side.

Belongs here: place, answer, refuse. Does not belong here: noise and counting.

References
----------
Regulation (EU) 2025/327, Article 69.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.uses import must_allow
from hub.audit.log import record
from hub.caller import Caller
from hub.catalogue.record import DatasetRecord
from hub.catalogue.service import published
from hub.catalogue.tables import Dataset
from hub.errors import NotFoundError, StateError
from hub.people.roles import Role
from hub.statistics.budgets import epsilon_of, must_fit
from hub.statistics.prepared import MOST_VARIABLES, Row, deposit_table, locked, tables_of, with_variables
from hub.statistics.tables import PreparedTable, Question
from records.errors import ParameterError

AGGREGATE = "aggregate"


def place(
    caller: Caller, dataset_id: str, *, permit_id: str, variables: Sequence[str], rho: float
) -> Question | PreparedTable:  # fmt: skip
    """Ask for a table; one that is prepared answers at once and costs nothing.

    Raises
    ------
    ForbiddenError, GoneError, NotFoundError
        The permit does not allow statistics of this data set now.
    ParameterError, BudgetError
        A variable is unknown; the budget is used up.
    """
    person = caller.must_have(Role.DEVELOPER)
    # Two questions at once must not both take the last budget.
    caller.session.execute(sa.select(Dataset.id).where(Dataset.id == dataset_id).with_for_update())
    dataset = published(caller.session, dataset_id)
    must_allow(caller, permit_id, person_id=person.id, action=AGGREGATE, dataset_ids=[dataset_id])
    chosen = _known(dataset, variables)
    if (ready := with_variables(tables_of(caller.session, dataset_id), chosen)) is not None:
        return ready
    if (same := _same(caller, dataset_id, chosen)) is not None:
        return same
    must_fit(caller.session, dataset_id, person.id, rho)
    made = Question(dataset_id=dataset_id, person_id=person.id, permit_id=permit_id, variables=chosen, rho=rho,
                    state="queued", created_at=caller.now)  # fmt: skip
    caller.session.add(made)
    caller.session.flush()
    record(caller.session, now=caller.now, actor=person.id, action="question.placed", subject=f"question:{made.id}",
           dataset=dataset_id, variables=chosen, rho=rho)  # fmt: skip
    return made


def queued(caller: Caller) -> list[Question]:
    """What the data side shall answer, oldest first."""
    caller.must_have(Role.OPERATOR)
    waiting = sa.select(Question).where(Question.state == "queued").order_by(Question.created_at, Question.id)
    return list(caller.session.scalars(waiting))


def waiting(session: Session) -> list[tuple[str, str]]:
    """Questions and the use case that can answer each, oldest first, for the data side's own process."""
    asked = (
        sa.select(Question.id, Dataset.use_case)
        .join(Dataset, Dataset.id == Question.dataset_id)
        .where(Question.state == "queued", Dataset.use_case.is_not(None))
        .order_by(Question.created_at)
    )
    return [(question, use_case) for question, use_case in session.execute(asked) if use_case is not None]


def answer(caller: Caller, question_id: str, *, title: str, cells: Sequence[Row]) -> PreparedTable:
    """Deposit the table with noise of the question's rho.

    Raises
    ------
    ForbiddenError, GoneError
        The permit under which it was asked does not allow statistics any more.
    """
    question = _open(caller, question_id)
    must_allow(caller, question.permit_id, person_id=question.person_id, action=AGGREGATE,
               dataset_ids=[question.dataset_id])  # fmt: skip
    table = deposit_table(
        caller, question.dataset_id, title=title, variables=question.variables, cells=cells, kind="dp",
        epsilon=epsilon_of(question.rho), rho=question.rho,
    )  # fmt: skip
    question.state, question.table_id, question.answered_at = "answered", table.id, caller.now
    _told(caller, question, "answered")
    return table


def refuse(caller: Caller, question_id: str, reason: str) -> Question:
    """Refuse with a reason; the budget is not given back."""
    question = _open(caller, question_id)
    if not reason.strip():
        raise ParameterError("a refusal must have a reason, got nothing; write it")
    question.state, question.reason, question.answered_at = "refused", reason.strip()[:1000], caller.now
    _told(caller, question, "refused")
    return question


def end_for(caller: Caller, permit_id: str, reason: str) -> None:
    """Refuse what still waits under a permit that has ended; the budget is not given back."""
    waiting = sa.select(Question).where(Question.permit_id == permit_id, Question.state == "queued")
    for question in caller.session.scalars(waiting.with_for_update()):
        question.state, question.reason, question.answered_at = "refused", reason, caller.now
        _told(caller, question, "refused")


def mine(caller: Caller, dataset_id: str | None = None) -> list[Question]:
    """One's own questions, newest first."""
    own = sa.select(Question).where(Question.person_id == caller.somebody.id)
    if dataset_id is not None:
        own = own.where(Question.dataset_id == dataset_id)
    return list(caller.session.scalars(own.order_by(Question.created_at.desc())))


def one_of_mine(caller: Caller, question_id: str) -> Question:
    """One's own question."""
    found = caller.session.get(Question, question_id)
    if found is None or found.person_id != caller.somebody.id:
        raise NotFoundError("a question must be your own, got an unknown one; look at your list")
    return found


def facts(question: Question) -> dict[str, Any]:
    """For the API."""
    return {
        "id": question.id, "dataset_id": question.dataset_id, "variables": question.variables, "rho": question.rho,
        "epsilon": epsilon_of(question.rho), "state": question.state, "table_id": question.table_id,
        "reason": question.reason, "created_at": question.created_at.isoformat(),
    }  # fmt: skip


def _known(dataset: Dataset, variables: Sequence[str]) -> list[str]:
    names = {v.name for v in DatasetRecord.model_validate(dataset.record).variables}
    chosen = list(dict.fromkeys(variables))
    if not 1 <= len(chosen) <= MOST_VARIABLES or not set(chosen) <= names:
        raise ParameterError(f"a question must name 1 to {MOST_VARIABLES} of the data set's variables; choose others")
    return chosen


def _same(caller: Caller, dataset_id: str, chosen: Sequence[str]) -> Question | None:
    """A question of the caller's that waits for the same table."""
    waiting = [q for q in mine(caller, dataset_id) if q.state == "queued"]
    return next((q for q in waiting if set(q.variables) == set(chosen)), None)


def _open(caller: Caller, question_id: str) -> Question:
    found = caller.session.get(Question, question_id, with_for_update=True)
    if found is None:
        raise NotFoundError("a question must be one of the queue, got an unknown one; look at the queue")
    locked(caller, found.dataset_id)
    if found.state != "queued":
        raise StateError(f"a question must wait for its answer, got one that is {found.state}; look at the queue")
    return found


def _told(caller: Caller, question: Question, verb: str) -> None:
    record(caller.session, now=caller.now, actor=caller.somebody.id, action=f"question.{verb}",
           subject=f"question:{question.id}", table=question.table_id)  # fmt: skip
