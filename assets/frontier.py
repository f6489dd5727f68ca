"""Points of the privacy-utility frontier: one candidate each, made and measured in a process of its own.

Belongs here: the work that the processes share out. Does not belong here: the asset, tracking and plot (``sweep``).
"""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from assets.answers import SynthesisConfig, answered
from assets.workspace import Workspace
from records.schema import Schema
from use_cases.registry import UseCase

PRELOAD = [
    "assets.frontier",
    "metrics.fidelity.table",
    "metrics.attacks.membership",
    "metrics.utility.prediction",
    "models.registry",
]
BOOTSTRAPS = 20


@dataclass(frozen=True)
class Cohorts:
    """What every candidate of one sweep is made from and measured on."""

    train: pl.DataFrame
    holdout: pl.DataFrame
    schema: Schema
    use_case: UseCase
    version: str
    workspace: Workspace
    run_id: str


def frontier_points(
    cohorts: Cohorts, questions: Sequence[SynthesisConfig]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Point and references of each question, in order, on all cores.

    Each question is debited on the account ``internal`` before its process draws noise.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    workers = min(len(questions), len(os.sched_getaffinity(0)))
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        yield from pool.map(frontier_point, [cohorts] * len(questions), questions, range(len(questions)))


def frontier_point(cohorts: Cohorts, asked: SynthesisConfig, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """One candidate's epsilon, TSTR, total variation and membership AUC, and what real data reach.

    Total variation is taken at the holdout's size for all tables, since distances grow as tables shrink.
    """
    from metrics.attacks.membership import privacy
    from metrics.fidelity.table import fidelity
    from metrics.utility.prediction import utility

    c, rng = cohorts, np.random.default_rng(asked.seed)
    question = f"{c.run_id}/{number}"
    model = answered(
        c.train, c.schema, c.use_case, c.version, asked, c.workspace, run_id=question, account="internal"
    )  # fmt: skip
    candidate = model.sample(rng=rng)
    outcome = c.schema.outcomes[0]
    u = utility(c.train, c.holdout, candidate, c.schema, outcome, seed=0, bootstraps=BOOTSTRAPS).to_json()
    f = fidelity(c.train, c.holdout, candidate, c.schema, rng=rng).to_json()
    p = privacy(c.train, c.holdout, candidate, c.schema, rng=rng).to_json()
    point = {"epsilon": asked.epsilon, "tstr_auc": u["tstr_auc"], "mean_tvd2": f["synthetic_matched"]["mean_tvd2"],
             "membership_auc": p["auc"]}  # fmt: skip
    references = {"trtr_auc": u["trtr_auc"], "holdout_tvd2": f["holdout"]["mean_tvd2"],
                  "independent_tvd2": f["independent_matched"]["mean_tvd2"]}  # fmt: skip
    return point, references


def _one_thread() -> None:
    """One thread per process: the processes are as many as the cores."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
