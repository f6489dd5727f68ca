"""The privacy-utility frontier: candidates over epsilon and seeds, never released.

Belongs here: the loop and its plot. Does not belong here: a way to publish one of its points.
"""

import base64

import dagster as dg
import numpy as np

from assets.answers import SynthesisConfig, answered
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
        from metrics.fidelity import fidelity
        from metrics.membership import privacy
        from metrics.plots import frontier_plot
        from metrics.utility import utility

        schema, version = released_schema(cohort.table), data_version(deidentified)
        train, holdout = pooled(deidentified)
        points, references = [], {}
        for number, (epsilon, seed) in enumerate((e or None, s) for e in config.epsilons for s in range(config.seeds)):
            asked = SynthesisConfig(epsilon=epsilon, seed=seed)
            question = f"{context.run.run_id}/{number}"
            model = answered(train, schema, use_case, version, asked, workspace, run_id=question, account="internal")
            rng = np.random.default_rng(seed)
            candidate = model.sample(rng=rng)
            u = utility(train, holdout, candidate, schema, schema.outcomes[0], seed=0, bootstraps=20).to_json()
            f = fidelity(train, holdout, candidate, schema, rng=rng).to_json()
            p = privacy(train, holdout, candidate, schema, rng=rng).to_json()
            point = {
                "epsilon": epsilon,
                "tstr_auc": u["tstr_auc"],
                "mean_tvd2": f["mean_tvd2"],
                "membership_auc": p["auc"],
            }
            points.append(point)
            references = {"trtr_auc": u["trtr_auc"], "holdout_tvd2": f["holdout"]["mean_tvd2"],
                          "independent_tvd2": f["independent"]["mean_tvd2"]}  # fmt: skip
            Tracking(workspace).record(
                use_case.key, f"sweep epsilon {epsilon}", params=run_parameters(asked, use_case, cohort, version),
                metrics={k: v for k, v in point.items() if k != "epsilon"},
                tags={"dagster_run_id": context.run.run_id, "purpose": "sweep, never released"},
            )  # fmt: skip
            context.log.info(f"{number + 1} of {len(config.epsilons) * config.seeds}: epsilon {epsilon}, seed {seed}")
        png = frontier_plot(points, references)
        path = workspace.page(use_case.key).with_name(f"{use_case.key}_frontier.png")
        write_atomically(path, png)
        picture = f"![frontier](data:image/png;base64,{base64.b64encode(png).decode()})"
        context.add_output_metadata(
            {"frontier": dg.MetadataValue.md(picture), "file": dg.MetadataValue.path(str(path))}
        )
        return {"points": points, "references": references}

    return privacy_utility_frontier
