"""Pages and operations of statistics.

Belongs here: choosing and showing tables, asking for others. Does not belong here: rules (``statistics``).
"""

from typing import Annotated, Any, Literal

from fastapi import Form, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from hub.caller import Caller
from hub.catalogue.service import published
from hub.output_checks import service as outputs
from hub.output_checks.table import is_total
from hub.people.roles import Role
from hub.statistics import budgets, prepared, questions
from hub.statistics.tables import PreparedTable, Question
from hub.web.access import PUBLIC, PageCaller, Routes
from hub.web.pages import redirect, render
from records.errors import BudgetError, ParameterError

DEVELOPER, OPERATOR = frozenset({Role.DEVELOPER}), frozenset({Role.OPERATOR})
DATA_SIDE = frozenset({Role.HOLDER, Role.OPERATOR})
SHOWN_BARS = 40
routes = Routes("statistics")
Name = Annotated[str, Field(max_length=200)]


class CellBody(BaseModel):
    """A cell; a count of null is suppressed."""

    labels: list[Name] = Field(max_length=4)
    count: float | None = Field(default=None, allow_inf_nan=False)


class TableBody(BaseModel):
    """A table that the data side deposits."""

    title: Name
    variables: list[Name] = Field(min_length=1, max_length=4)
    cells: list[CellBody] = Field(min_length=1, max_length=prepared.MOST_CELLS)
    kind: Literal["dp", "exact-suppressed"]
    epsilon: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class QuestionBody(BaseModel):
    """A question under a permit for statistics."""

    permit_id: Name
    variables: list[Name] = Field(min_length=1, max_length=4)
    rho: float = Field(gt=0, allow_inf_nan=False)


class AnswerBody(BaseModel):
    """The data side's answer."""

    title: Name
    cells: list[CellBody] = Field(min_length=1, max_length=prepared.MOST_CELLS)


class RefusalBody(BaseModel):
    """Why there is no answer."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]


@routes.page("/catalogue/{dataset_id}/statistics", roles=PUBLIC)
def statistics(
    request: Request, caller: PageCaller, dataset_id: str, table: Annotated[str, Query(max_length=64)] = ""
) -> Response:  # fmt: skip
    """The prepared tables, one of them with its plot, and the form for a question."""
    return _page(request, caller, dataset_id, table, {}, "")


@routes.form("/catalogue/{dataset_id}/statistics", roles=DEVELOPER)
def ask(
    request: Request, caller: PageCaller, dataset_id: str, permit_id: Annotated[str, Form(max_length=64)] = "",
    variables: Annotated[list[str] | None, Form()] = None, rho: Annotated[str, Form(max_length=20)] = "",
) -> Response:  # fmt: skip
    """Ask for another table."""
    written: dict[str, Any] = {"variables": variables or [], "rho": rho}
    try:
        found = questions.place(
            caller, dataset_id, permit_id=permit_id, variables=variables or [], rho=_rho(rho)
        )  # fmt: skip
    except (ParameterError, BudgetError) as error:
        return _page(request, caller, dataset_id, "", written, str(error))
    here = f"/catalogue/{dataset_id}/statistics"
    if isinstance(found, PreparedTable):
        return redirect(request, f"{here}?table={found.id}", "This table is prepared; it cost nothing.")
    return redirect(request, here, "The question is placed.")


@routes.call("GET", "/datasets/{dataset_id}/tables", roles=PUBLIC)
def tables(caller: PageCaller, dataset_id: str) -> list[dict[str, Any]]:
    """All released tables of a data set."""
    return [prepared.facts(t) for t in prepared.tables_of(caller.session, dataset_id)]


@routes.call("GET", "/datasets/{dataset_id}/tables/{table_id}", roles=PUBLIC)
def one_table(caller: PageCaller, dataset_id: str, table_id: str) -> dict[str, Any]:
    """One released table."""
    return prepared.facts(prepared.one(caller.session, dataset_id, table_id))


@routes.call("POST", "/datasets/{dataset_id}/tables", roles=DATA_SIDE, status_code=201)
def deposit(caller: PageCaller, dataset_id: str, body: TableBody) -> dict[str, Any]:
    """Release a table, if it is safe beside those released before."""
    made = prepared.deposit_table(caller, dataset_id, title=body.title, variables=body.variables, kind=body.kind,
                                  cells=_rows(body.cells), epsilon=body.epsilon)  # fmt: skip
    return prepared.facts(made)


@routes.call("POST", "/datasets/{dataset_id}/questions", roles=DEVELOPER, status_code=202)
def place(caller: PageCaller, dataset_id: str, body: QuestionBody) -> dict[str, Any]:
    """Ask for a table; a prepared one answers at once."""
    found = questions.place(
        caller, dataset_id, permit_id=body.permit_id, variables=body.variables, rho=body.rho
    )  # fmt: skip
    return (
        {"table": prepared.facts(found)} if isinstance(found, PreparedTable) else {"question": questions.facts(found)}
    )


@routes.call("GET", "/questions", roles=DEVELOPER)
def my_questions(caller: PageCaller) -> list[dict[str, Any]]:
    """One's own questions."""
    return [questions.facts(q) for q in questions.mine(caller)]


@routes.call("GET", "/question-queue", roles=OPERATOR)
def queue(caller: PageCaller) -> list[dict[str, Any]]:
    """What the data side shall answer."""
    return [questions.facts(q) for q in questions.queued(caller)]


@routes.call("GET", "/questions/{question_id}", roles=DEVELOPER)
def my_question(caller: PageCaller, question_id: str) -> dict[str, Any]:
    """One's own question."""
    return questions.facts(questions.one_of_mine(caller, question_id))


@routes.call("POST", "/questions/{question_id}/answer", roles=DATA_SIDE)
def answer(caller: PageCaller, question_id: str, body: AnswerBody) -> dict[str, Any]:
    """Answer with a table."""
    return prepared.facts(questions.answer(caller, question_id, title=body.title, cells=_rows(body.cells)))


@routes.call("POST", "/questions/{question_id}/refuse", roles=DATA_SIDE)
def refuse(caller: PageCaller, question_id: str, body: RefusalBody) -> dict[str, Any]:
    """Refuse with a reason."""
    return questions.facts(questions.refuse(caller, question_id, body.reason))


def _rows(cells: list[CellBody]) -> list[prepared.Row]:
    return [(cell.labels, cell.count) for cell in cells]


def _rho(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise ParameterError("rho must be a number, got something else; write for instance 0.05") from error


def _page(
    request: Request, caller: Caller, dataset_id: str, table_id: str, written: dict[str, Any], wrong: str
) -> Response:  # fmt: skip
    dataset = published(caller.session, dataset_id)
    found = prepared.tables_of(caller.session, dataset_id)
    shown = prepared.one(caller.session, dataset_id, table_id) if table_id else next(iter(found), None)
    asker = caller.has(Role.DEVELOPER)
    asked: list[Question] = questions.mine(caller, dataset_id) if asker else []
    permits = [p for p in outputs.own_permits(caller) if p.kind == "statistics" and dataset_id in p.dataset_ids] if asker \
        else []  # fmt: skip
    return render(
        request, "statistics_dataset.html.j2", status=422 if wrong else 200, dataset=dataset, tables=found, shown=shown,
        bars=_bars(shown), asked=asked, permits=permits, written=written, wrong=wrong, least=budgets.LEAST_RHO,
        most=budgets.MOST_RHO, epsilon_of=budgets.epsilon_of,
        left=budgets.left(caller.session, dataset_id, caller.somebody.id) if asker else None,
        variables=dataset.record.get("variables", []) if permits else [],
    )  # fmt: skip


def _bars(table: PreparedTable | None) -> list[tuple[str, float, float]]:
    """Inner cells with their share of the greatest, in percent."""
    if table is None:
        return []
    known = [(", ".join(labels), count) for labels, count in table.cells
             if count is not None and not any(map(is_total, labels))]  # fmt: skip
    greatest = max((count for _, count in known), default=0) or 1
    return [(words, count, max(0.0, round(100 * count / greatest, 2))) for words, count in known[:SHOWN_BARS]]
