"""The three reports on a candidate.

Belongs here: calling metrics and attaching plots. Does not belong here: the metrics themselves, or the page (``report``).
"""

import base64
from collections.abc import Callable
from typing import Any

import dagster as dg
import numpy as np
import polars as pl

from assets.manifest import pooled, read_manifest, with_hospital
from assets.workspace import Workspace
from records.files import TableFile
from use_cases.cohort import Cohort
from use_cases.registry import UseCase

EVALUATION_SEED = 0
Refit = Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]


class EvaluationConfig(dg.Config):
    """Fits of the candidate's synthesizer: ``refits`` to test p-values (two each), ``shadows`` to attack it."""

    refits: int = 6
    shadows: int = 0


def evaluation_assets(use_case: UseCase, cohort: Cohort, workspace: Workspace) -> list[dg.AssetsDefinition]:
    """``downstream_classifier``, ``fidelity_utility_report`` and ``privacy_report``."""
    shared = {"key_prefix": use_case.key, "group_name": use_case.key, "owners": [use_case.owner]}
    stored = {**shared, "io_manager_key": "reports", "kinds": {"scikitlearn"}}

    def evaluated(context: dg.AssetExecutionContext, name: str, candidate: TableFile, report: dict[str, Any]) -> dict:
        from assets.tracking import Tracking
        from metrics.reporting.headline import numbers

        manifest, drawn = read_manifest(workspace, use_case.key, candidate), _plots(report)
        metrics = numbers(report)
        run = Tracking(workspace).record(
            use_case.key, name, params={"candidate_sha256": candidate.sha256}, metrics=metrics,
            tags={"dagster_run_id": context.run.run_id}, parent=manifest["mlflow_run"],
            files={f"{key}.png": png for key, png in drawn.items()},
        )  # fmt: skip
        context.add_output_metadata(
            {"mlflow_run_id": run, "candidate_sha256": candidate.sha256, **_shown(report), **_pictures(drawn)}
        )
        return report

    @dg.asset(**stored, description="TSTR beside TRTR on held-out real patients; decisions, Cox, p-values, subgroups.")
    def downstream_classifier(
        context: dg.AssetExecutionContext, config: EvaluationConfig, synthetic, deidentified
    ) -> dict:  # fmt: skip
        from deidentification.schema import released_schema
        from metrics.utility.suite import utility_suite

        schema = released_schema(cohort.table)
        refit = again(context, synthetic, config.refits * 2)
        train, holdout, hospital = with_hospital(deidentified, cohort)
        made = utility_suite(
            train, holdout, synthetic.frame, schema, schema.outcomes[0], seed=EVALUATION_SEED, refit=refit,
            repetitions=config.refits, candidate_sha256=synthetic.sha256, site=hospital,
        )  # fmt: skip
        return evaluated(context, "downstream classifier", synthetic, made)

    @dg.asset(**stored, description="Distances beside a real holdout, independent columns and a copy; Kaplan-Meier.")
    def fidelity_utility_report(context: dg.AssetExecutionContext, synthetic, deidentified) -> dict:
        from deidentification.schema import released_schema
        from metrics.fidelity.suite import fidelity_suite

        made = fidelity_suite(
            *pooled(deidentified), synthetic.frame, released_schema(cohort.table),
            rng=np.random.default_rng(EVALUATION_SEED), candidate_sha256=synthetic.sha256,
        )  # fmt: skip
        return evaluated(context, "fidelity", synthetic, made)

    @dg.asset(**stored, description="Membership, singling out, linkability, inference, reconstruction, copies.")
    def privacy_report(
        context: dg.AssetExecutionContext, config: EvaluationConfig, synthetic, deidentified
    ) -> dict:  # fmt: skip
        from deidentification.schema import released_schema
        from metrics.attacks.privacy_suite import privacy_suite

        refit = again(context, synthetic, config.shadows)
        made = privacy_suite(
            *pooled(deidentified), synthetic.frame, released_schema(cohort.table), refit=refit, shadows=config.shadows,
            rng=np.random.default_rng(EVALUATION_SEED), candidate_sha256=synthetic.sha256,
        )  # fmt: skip
        return evaluated(context, "privacy", synthetic, made)

    def again(context: dg.AssetExecutionContext, candidate: TableFile, fits: int) -> Refit | None:
        """The candidate's synthesizer, to be run ``fits`` times; what that would cost is written to the ledger."""
        from assets.refit import refit_of
        from deidentification.schema import released_schema

        if not fits:
            return None
        asked = read_manifest(workspace, use_case.key, candidate)
        params, spend = asked["params"], asked["spend"]
        if spend["rho"] is not None:
            _note(workspace, cohort, spend, fits, context.run.run_id)
        return refit_of(params["synthesizer"], params["epsilon"], use_case.delta, released_schema(cohort.table))

    return [downstream_classifier, fidelity_utility_report, privacy_report]  # type: ignore[return-value]


def _note(workspace: Workspace, cohort: Cohort, spend: dict[str, Any], fits: int, run_id: str) -> None:
    """Repeated fits are research that is never released: written to the account ``internal``, which has no limit."""
    from hub.budget import BudgetLedger

    BudgetLedger(workspace.ledger_url).debit(
        cohort.name, rho=fits * spend["rho"], total_rho=0.0, epsilon=spend["epsilon"], delta=spend["delta"],
        question=f"evaluation: {fits} fits", account="internal", run_id=run_id,
    )  # fmt: skip


def _shown(report: dict[str, Any]) -> dict[str, Any]:
    """The figures of the first level, for the run's page."""
    return {k: v for k, v in report.items() if isinstance(v, int | float) and not isinstance(v, bool)}


def _plots(report: dict[str, Any]) -> dict[str, bytes]:
    """The figures that belong to one of the three reports."""
    from metrics.plots.candidate import fidelity_plots, privacy_plots, utility_plots

    if "trtr_auc" in report:
        return utility_plots(report)
    return fidelity_plots(report) if "mean_tvd2" in report else privacy_plots(report)


def _pictures(drawn: dict[str, bytes]) -> dict[str, dg.MetadataValue]:
    encoded = {name: base64.b64encode(png).decode() for name, png in drawn.items()}
    return {n: dg.MetadataValue.md(f"![{n}](data:image/png;base64,{text})") for n, text in encoded.items()}
