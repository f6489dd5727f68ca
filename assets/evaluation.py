"""The three reports on a candidate.

Belongs here: calling metrics and attaching plots. Does not belong here: the metrics themselves, or the page (``report``).
"""

import base64
from collections.abc import Callable
from typing import Any

import dagster as dg
import numpy as np

from assets.manifest import pooled, read_manifest
from assets.workspace import Workspace
from records.files import TableFile
from use_cases.cohort import Cohort
from use_cases.registry import UseCase

EVALUATION_SEED = 0


def evaluation_assets(use_case: UseCase, cohort: Cohort, workspace: Workspace) -> list[dg.AssetsDefinition]:
    """``downstream_classifier``, ``fidelity_utility_report`` and ``privacy_report``."""
    shared = {"key_prefix": use_case.key, "group_name": use_case.key, "owners": [use_case.owner]}
    stored = {**shared, "io_manager_key": "reports", "kinds": {"scikitlearn"}}

    def evaluated(context: dg.AssetExecutionContext, name: str, candidate: TableFile, report: dict[str, Any]) -> dict:
        from assets.tracking import Tracking

        manifest, drawn = read_manifest(workspace, use_case.key, candidate), _plots(report)
        metrics = {k: v for k, v in report.items() if isinstance(v, int | float) and not isinstance(v, bool)}
        run = Tracking(workspace).record(
            use_case.key, name, params={"candidate_sha256": candidate.sha256}, metrics=metrics,
            tags={"dagster_run_id": context.run.run_id}, parent=manifest["mlflow_run"],
            files={f"{key}.png": png for key, png in drawn.items()},
        )  # fmt: skip
        context.add_output_metadata(
            {"mlflow_run_id": run, "candidate_sha256": candidate.sha256, **metrics, **_pictures(drawn)}
        )
        return report

    @dg.asset(**stored, description="TSTR beside TRTR on held-out real patients: logistic regression and boosting.")
    def downstream_classifier(context: dg.AssetExecutionContext, synthetic, deidentified) -> dict:
        from deidentification.schema import released_schema
        from metrics.utility.prediction import utility

        schema = released_schema(cohort.table)
        train, holdout = pooled(deidentified)
        made = utility(
            train, holdout, synthetic.frame, schema, schema.outcomes[0], seed=EVALUATION_SEED,
            candidate_sha256=synthetic.sha256,
        )  # fmt: skip
        return evaluated(context, "downstream classifier", synthetic, made.to_json())

    @dg.asset(**stored, description="Total variation beside the real holdout and independent columns; Kaplan-Meier.")
    def fidelity_utility_report(context: dg.AssetExecutionContext, synthetic, deidentified) -> dict:
        from metrics.fidelity.table import fidelity

        return evaluated(context, "fidelity", synthetic, _measured(fidelity, cohort, synthetic, deidentified))

    @dg.asset(**stored, description="Membership attack on equal numbers of members and non-members; exact copies.")
    def privacy_report(context: dg.AssetExecutionContext, synthetic, deidentified) -> dict:
        from metrics.attacks.membership import privacy

        return evaluated(context, "privacy", synthetic, _measured(privacy, cohort, synthetic, deidentified))

    return [downstream_classifier, fidelity_utility_report, privacy_report]  # type: ignore[return-value]


def _measured(measure: Callable[..., Any], cohort: Cohort, candidate: TableFile, parts: dict[str, TableFile]) -> dict:
    from deidentification.schema import released_schema

    schema = released_schema(cohort.table)
    rng = np.random.default_rng(EVALUATION_SEED)
    tables = [*pooled(parts), candidate.frame]
    return measure(*tables, schema, rng=rng, candidate_sha256=candidate.sha256).to_json()


def _plots(report: dict[str, Any]) -> dict[str, bytes]:
    from metrics.plots import candidate as plots

    drawn = {}
    if "trtr_auc" in report and report["tstr_auc"] is not None:
        drawn = {"roc": plots.roc_plot(report), "calibration": plots.calibration_plot(report)}
    if "mean_tvd2" in report:
        drawn = {"marginals": plots.marginals_plot(report)}
        if report["survival"]:
            drawn["kaplan_meier"] = plots.kaplan_meier_plot(report)
    return drawn


def _pictures(drawn: dict[str, bytes]) -> dict[str, dg.MetadataValue]:
    encoded = {name: base64.b64encode(png).decode() for name, png in drawn.items()}
    return {n: dg.MetadataValue.md(f"![{n}](data:image/png;base64,{text})") for n, text in encoded.items()}
