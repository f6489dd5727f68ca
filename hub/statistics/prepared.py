"""Tables that the data side deposits, and what must hold of them.

Belongs here: deposit with its checks, finding. Does not belong here: questions (``questions``), rules on cells
(``output_checks``).

References
----------
Regulation (EU) 2025/327, Article 69(1); Hundepool et al. (2012), sections 4.2.4 and 4.3.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.log import record
from hub.caller import Caller
from hub.catalogue.service import published
from hub.catalogue.tables import Dataset
from hub.errors import NotFoundError
from hub.output_checks.disclosure import Rules, small
from hub.output_checks.linked import check_linked
from hub.output_checks.table import Cell, Table
from hub.people.roles import Role
from hub.statistics.tables import PreparedTable
from records.errors import ParameterError

RULES = Rules()
MOST_CELLS, MOST_VARIABLES, LONGEST = 5_000, 4, 200
EXACT, DP = "exact-suppressed", "dp"
Row = tuple[Sequence[str], float | None]


def deposit_table(
    caller: Caller, dataset_id: str, *, title: str, variables: Sequence[str], cells: Sequence[Row],
    kind: Literal["dp", "exact-suppressed"], epsilon: float | None = None, rho: float | None = None,
) -> PreparedTable:  # fmt: skip
    """Release a table; everybody may see it from now on.

    Raises
    ------
    NotFoundError
        The data set is not the caller's.
    ParameterError
        The table is malformed; or a small count is shown, or can be worked out from it and former tables.
    """
    dataset = locked(caller, dataset_id)
    table = _table(title, variables, cells)
    if kind == EXACT:
        _must_be_safe(caller.session, dataset.id, table)
    elif not (epsilon and math.isfinite(epsilon) and epsilon > 0):
        raise ParameterError("a table with noise must say its epsilon, got none; add it")
    made = PreparedTable(
        dataset_id=dataset.id, title=title.strip()[:LONGEST], variables=list(variables), kind=kind, rho=rho,
        cells=[[list(labels), cell.count] for labels, cell in table.cells.items()],
        epsilon=epsilon if kind == DP else None, deposited_by=caller.somebody.id, created_at=caller.now,
    )  # fmt: skip
    caller.session.add(made)
    caller.session.flush()
    record(caller.session, now=caller.now, actor=caller.somebody.id, action="table.deposited",
           subject=f"table:{made.id}", dataset=dataset.id, kind=kind, epsilon=made.epsilon)  # fmt: skip
    return made


def locked(caller: Caller, dataset_id: str) -> Dataset:
    """The data set, for its holder or the operator of the data side; other writers wait for this transaction."""
    person = caller.must_have(Role.HOLDER, Role.OPERATOR)
    dataset = caller.session.scalar(sa.select(Dataset).where(Dataset.id == dataset_id).with_for_update())
    if dataset is None or not (dataset.holder_id == person.id or person.has(Role.OPERATOR)):
        raise NotFoundError("the data set must be one of yours, got another; look at your list")
    return dataset


def tables_of(session: Session, dataset_id: str) -> list[PreparedTable]:
    """All tables of a published data set, newest first."""
    published(session, dataset_id)
    mine = sa.select(PreparedTable).where(PreparedTable.dataset_id == dataset_id)
    return list(session.scalars(mine.order_by(PreparedTable.created_at.desc(), PreparedTable.id)))


def one(session: Session, dataset_id: str, table_id: str) -> PreparedTable:
    """One table of a published data set."""
    published(session, dataset_id)
    found = session.get(PreparedTable, table_id)
    if found is None or found.dataset_id != dataset_id:
        raise NotFoundError("the table must be one of the data set's, got an unknown one; look at the list")
    return found


def with_variables(tables: Sequence[PreparedTable], variables: Sequence[str]) -> PreparedTable | None:
    """The newest table over exactly these variables, in any order."""
    return next((t for t in tables if set(t.variables) == set(variables)), None)


def facts(table: PreparedTable) -> dict[str, Any]:
    """For the API."""
    return {
        "id": table.id, "dataset_id": table.dataset_id, "title": table.title, "variables": table.variables,
        "kind": table.kind, "epsilon": table.epsilon, "rho": table.rho, "created_at": table.created_at.isoformat(),
        "cells": [{"labels": labels, "count": count} for labels, count in table.cells],
    }  # fmt: skip


def _table(title: str, variables: Sequence[str], cells: Sequence[Row]) -> Table:
    if not title.strip() or not 1 <= len(set(variables)) == len(variables) <= MOST_VARIABLES:
        raise ParameterError(f"a table must have a title and 1 to {MOST_VARIABLES} different variables; mend them")
    by_labels = {tuple(str(x)[:LONGEST] for x in labels): Cell(count) for labels, count in cells}
    wrong = any(len(labels) != len(variables) for labels in by_labels)
    if wrong or not 1 <= len(by_labels) == len(cells) <= MOST_CELLS:
        raise ParameterError(
            f"a table must have 1 to {MOST_CELLS} cells with one label for each variable, got others; mend them"
        )
    if any(cell.count is not None and not math.isfinite(cell.count) for cell in by_labels.values()):
        raise ParameterError("a cell must be a number or be suppressed, got another; mend it")
    table = Table(title.strip()[:LONGEST], tuple(variables), by_labels)
    if math.prod(len(level) + 1 for level in table.levels) > 4 * MOST_CELLS:
        raise ParameterError("a table must hold most combinations of its labels, got too few; split it")
    return table


def _must_be_safe(session: Session, dataset_id: str, table: Table) -> None:
    if any(cell.count is not None and (cell.count < 0 or cell.count % 1) for cell in table.cells.values()):
        raise ParameterError("an exact table must hold whole counts, got another number; say kind dp if it has noise")
    former = sa.select(PreparedTable).where(PreparedTable.dataset_id == dataset_id, PreparedTable.kind == EXACT)
    released = [_table(t.title, t.variables, t.cells) for t in session.scalars(former)]
    linked = [t for t in released if set(t.variables) & set(table.variables)]
    found = [*small(table, RULES), *(f for f in check_linked(table, linked, RULES) if f.weight == "breach")]
    if found:
        told = "; ".join(f"{f.cell}: {f.words}" for f in found[:5])
        raise ParameterError(f"a table must tell of nobody, got {len(found)} findings: {told}; suppress and send anew")
