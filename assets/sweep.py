"""The privacy-utility frontier: candidates over epsilon and seeds, never released.

Belongs here: the asset, its tracking and plot. Does not belong here: a point (``frontier``), or a way to publish one.
"""

import base64

import dagster as dg

from assets.answers import SynthesisConfig
from assets.frontier import Cohorts, frontier_points
from assets.manifest import data_version, pooled
from assets.synthesis import run_parameters
from assets.workspace import Workspace
from records.files import write_atomically
from use_cases.cohort import Cohort
from use_cases.registry import UseCase


class SweepConfig(dg.Config):
    """Budgets to try; 0 stands for no differential privacy."""

    epsilons: list[float] = [0.5, 1, 2, 5, 10, 0]  # noqa: RUF012
    seeds: int = 3


def frontier_asset(use_case: UseCase, cohort: Cohort, workspace: Workspace) -> dg.AssetsDefinition:
    """The asset ``privacy_utility_frontier`` of one use case."""

    @dg.asset(
        key_prefix=use_case.key, group_name=use_case.key, owners=[use_case.owner], io_manager_key="reports",
        kinds={"mlflow"}, description="TSTR, total variation and membership over epsilon; internal, never released.",
    )  # fmt: skip
    def privacy_utility_frontier(context: dg.AssetExecutionContext, config: SweepConfig, deidentified) -> dict:
        from assets.tracking import Tracking
        from deidentification.schema import released_schema
        from metrics.plots.candidate import frontier_plot

        train, holdout = pooled(deidentified)
        schema, version, run_id = released_schema(cohort.table), data_version(deidentified), context.run.run_id
        cohorts = Cohorts(train, holdout, schema, use_case, version, workspace, run_id)
        questions = [SynthesisConfig(epsilon=e or None, seed=s) for e in config.epsilons for s in range(config.seeds)]
        points, references = [], {}
        for asked, (point, found) in zip(questions, frontier_points(cohorts, questions), strict=True):
            points.append(point)
            references = found  # of real data alone: the same for every candidate
            Tracking(workspace).record(
                use_case.key, f"sweep epsilon {_words(asked.epsilon)}", params=run_parameters(asked, use_case, cohort, version),
                metrics={k: v for k, v in point.items() if k != "epsilon"},
                tags={"dagster_run_id": run_id, "purpose": "sweep, never released"},
            )  # fmt: skip
            context.log.info(f"{len(points)} of {len(questions)}: epsilon {_words(asked.epsilon)}, seed {asked.seed}")
        png = frontier_plot(points, references)
        path = workspace.page(use_case.key).with_name(f"{use_case.key}_frontier.png")
        write_atomically(path, png)
        picture = f"![frontier](data:image/png;base64,{base64.b64encode(png).decode()})"
        context.add_output_metadata(
            {"frontier": dg.MetadataValue.md(picture), "file": dg.MetadataValue.path(str(path))}
        )
        return {"points": points, "references": references}

    return privacy_utility_frontier


def _words(epsilon: float | None) -> str:
    return "none" if epsilon is None else f"{epsilon:g}"
