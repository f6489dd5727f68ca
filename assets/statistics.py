"""Statistics on demand: one partition for each question that the hub's statistics room passes on.

Belongs here: debit, count with noise, answer. Does not belong here: who may ask (``hub.statistics``), noise (``models``).
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np
import polars as pl

from assets.manifest import pooled
from assets.requests import OpenHub, must_be_of
from assets.workspace import Workspace
from records.errors import ParameterError, PhaseIVError
from records.files import read_table_file
from records.schema import Schema
from use_cases.cohort import Cohort
from use_cases.registry import UseCase

if TYPE_CHECKING:
    from hub.caller import Caller
    from hub.deployment import Deployment
    from hub.statistics.tables import Question

Row = tuple[Sequence[str], float | None]
QUESTIONS = dg.DynamicPartitionsDefinition(name="hub_questions")


def statistics_asset(use_case: UseCase, cohort: Cohort, workspace: Workspace, open_hub: OpenHub) -> dg.AssetsDefinition:
    """The asset ``statistics`` of one use case, partitioned by question."""

    @dg.asset(
        key_prefix=use_case.key, group_name=use_case.key, owners=[use_case.owner], kinds={"table"},
        partitions_def=QUESTIONS, description="A contingency table with discrete Gaussian noise, for one question.",
        deps=[dg.AssetDep([use_case.key, "deidentified"], partition_mapping=dg.AllPartitionMapping())],
    )  # fmt: skip
    def statistics(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        hub, question_id = open_hub(), context.partition_key
        question = _queued(hub, question_id)
        if question is None:
            return dg.MaterializeResult(metadata={"answered": False, "reason": "it was answered before"})
        try:
            must_be_of(hub, cohort.name, question.dataset_id)
            cells = _counted(question, use_case, cohort, workspace, context.run.run_id)
            _told(hub, question_id, lambda caller: _answer(caller, question, cells))
        except PhaseIVError as error:
            _refused(hub, question_id, str(error))
            return dg.MaterializeResult(metadata={"answered": False, "reason": str(error)})
        except Exception:
            # What went wrong inside may name columns or values: who asked reads only that it did.
            _refused(hub, question_id, "the table could not be made, got an error inside; ask the operator")
            raise
        return dg.MaterializeResult(metadata={"answered": True, "cells": len(cells), "rho": question.rho})

    return statistics


def _queued(hub: "Deployment", question_id: str) -> "Question | None":
    from hub.statistics.tables import Question

    with hub.database.read() as session:
        question = session.get_one(Question, question_id)
    return question if question.state == "queued" else None


def _told(hub: "Deployment", question_id: str, tell: "Callable[[Caller], object]") -> None:
    """One step of the question by the data set's holder, for whom the data side answers."""
    from hub.caller import Caller
    from hub.catalogue.tables import Dataset
    from hub.people.tables import Person
    from hub.statistics.tables import Question

    with hub.database.write() as session:
        dataset = session.get_one(Dataset, session.get_one(Question, question_id).dataset_id)
        tell(Caller(session, hub.clock(), hub, session.get_one(Person, dataset.holder_id)))


def _answer(caller: "Caller", question: "Question", cells: list[Row]) -> None:
    from hub.statistics.questions import answer

    answer(caller, question.id, title=" x ".join(question.variables), cells=cells)


def _refused(hub: "Deployment", question_id: str, reason: str) -> None:
    from hub.statistics.questions import refuse

    _told(hub, question_id, lambda caller: refuse(caller, question_id, reason))


def _counted(
    question: "Question", use_case: UseCase, cohort: Cohort, workspace: Workspace, run_id: str
) -> list[Row]:  # fmt: skip
    """Debit the cohort's ledger, then count all its patients with noise; every cell of the codebook is told."""
    from deidentification.schema import released_schema
    from hub.budget import BudgetLedger
    from hub.statistics.budgets import epsilon_of

    schema = released_schema(cohort.table)
    columns = _columns(schema, question.variables)
    parts = {site: read_table_file(workspace.table([use_case.key, "deidentified"], site)) for site in cohort.site_names}
    table = pl.concat(pooled(parts))
    BudgetLedger(workspace.ledger_url).debit(
        cohort.name, rho=question.rho, total_rho=use_case.budget_rho, epsilon=epsilon_of(question.rho, use_case.delta),
        delta=use_case.delta, question=f"statistics: {question.id}", run_id=run_id,
    )  # fmt: skip
    return _noisy(table, columns, question.rho)


def _columns(schema: Schema, names: Sequence[str]) -> list[Any]:
    from records.discretisation import discrete_columns

    known = {column.name: column for column in discrete_columns(schema)}
    if unknown := [name for name in names if name not in known]:
        raise ParameterError(f"a variable must have levels or bins, got {', '.join(unknown)}; choose another")
    return [known[name] for name in names]


def _noisy(table: pl.DataFrame, columns: list[Any], rho: float) -> list[Row]:
    from models.oracle import TableOracle
    from records.accounting import sigma_for
    from records.discretisation import encode, level_count, level_labels

    codes = encode(table, columns)
    oracle = TableOracle({c.name: (codes[:, i], level_count(c)) for i, c in enumerate(columns)})
    counts = np.maximum(oracle.measure([c.name for c in columns], sigma=sigma_for(rho, 1)), 0)
    labels = [level_labels(column) for column in columns]
    return [([labels[i][j] for i, j in enumerate(place)], float(value)) for place, value in np.ndenumerate(counts)]
