"""Sites of real cohorts that can train networks; every fifth patient is held out."""

from collections.abc import Sequence

import polars as pl

from federation.models.learner import LearningTask
from federation.site import TableSite
from models.federated_learner import FederatedLearner, examples
from records.schema import Schema


def split_by_place(table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Training and held-out patients."""
    numbered = table.with_row_index("_place")
    return numbered.filter(pl.col("_place") % 5 != 0), numbered.filter(pl.col("_place") % 5 == 0)


def learner_of(learnt: pl.DataFrame, judged: pl.DataFrame, task: LearningTask) -> FederatedLearner:
    parts = (examples(rows, task.schema, task.outcome, task.covariates) for rows in (learnt, judged))
    return FederatedLearner(task.covariates, task.hidden, task.seed, *parts, first_offset=task.first_offset)


def learning(table: pl.DataFrame, task: LearningTask) -> FederatedLearner:
    return learner_of(*split_by_place(table), task)


def training_sites(sites: Sequence[TableSite], schema: Schema) -> list[TableSite]:
    return [TableSite({"ward": (schema, site.table("ward", schema.names))}, learn=learning) for site in sites]


def pooled_learner(sites: Sequence[TableSite], task: LearningTask) -> FederatedLearner:
    """The network over all sites' patients, each on the side where its site has it."""
    parts = [split_by_place(site.table("ward", task.schema.names)) for site in sites if site.datasets()]
    return learner_of(pl.concat([p[0] for p in parts]), pl.concat([p[1] for p in parts]), task)
