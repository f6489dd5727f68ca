"""The three reports on a candidate.

Belongs here: calling metrics and attaching plots. Does not belong here: the metrics themselves, or the page (``report``).
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dagster as dg
import numpy as np
import polars as pl

from assets.manifest import pooled, read_manifest, with_hospital
from assets.workspace import Workspace
from records.files import TableFile
from records.schema import Schema
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
    stored = {
        "key_prefix": use_case.key, "group_name": use_case.key, "owners": [use_case.owner], "io_manager_key": "reports",
        "kinds": {"scikitlearn"},
    }  # fmt: skip
    place = _Place(use_case, cohort, workspace)
    return [make(place, stored) for make in (_downstream_classifier, _fidelity_utility_report, _privacy_report)]


@dataclass(frozen=True)
class _Place:
    """Whose candidate is measured, and where its reports go."""

    use_case: UseCase
    cohort: Cohort
    workspace: Workspace

    @property
    def schema(self) -> Schema:
        from deidentification.schema import released_schema

        return released_schema(self.cohort.table)

    def recorded(self, context: dg.AssetExecutionContext, name: str, candidate: TableFile, report: dict) -> dict:
        """The report, after its figures and plots went to MLflow and to the page of the run."""
        from assets.tracking import Tracking
        from metrics.reporting.headline import numbers

        manifest, drawn = read_manifest(self.workspace, self.use_case.key, candidate), _plots(report)
        run = Tracking(self.workspace).record(
            self.use_case.key, name, params={"candidate_sha256": candidate.sha256}, metrics=numbers(report),
            tags={"dagster_run_id": context.run.run_id}, parent=manifest["mlflow_run"],
            files={f"{key}.png": png for key, png in drawn.items()},
        )  # fmt: skip
        context.add_output_metadata(
            {"mlflow_run_id": run, "candidate_sha256": candidate.sha256, **_shown(report), **_pictures(drawn)}
        )
        return report

    def refit(self, context: dg.AssetExecutionContext, candidate: TableFile, fits: int) -> Refit | None:
        """The candidate's synthesizer, to be run ``fits`` times; what that would cost is written to the ledger.

        ``None`` without differential privacy: such a candidate is for comparison only, and its fits take minutes.
        """
        from assets.refit import refit_of

        asked = read_manifest(self.workspace, self.use_case.key, candidate)
        params, spend = asked["params"], asked["spend"]
        if not fits or spend["rho"] is None:
            return None
        _note(self.workspace, self.cohort, spend, fits, context.run.run_id)
        return refit_of(params["synthesizer"], params["epsilon"], self.use_case.delta, self.schema)


def _downstream_classifier(place: _Place, stored: dict[str, Any]) -> dg.AssetsDefinition:
    @dg.asset(**stored, description="TSTR beside TRTR on held-out real patients; decisions, Cox, p-values, subgroups.")
    def downstream_classifier(
        context: dg.AssetExecutionContext, config: EvaluationConfig, synthetic, deidentified
    ) -> dict:  # fmt: skip
        from metrics.utility.suite import utility_suite

        schema, refit = place.schema, place.refit(context, synthetic, config.refits * 2)
        train, holdout, hospital = with_hospital(deidentified, place.cohort)
        made = utility_suite(
            train, holdout, synthetic.frame, schema, schema.outcomes[0], seed=EVALUATION_SEED, refit=refit,
            repetitions=config.refits, candidate_sha256=synthetic.sha256, site=hospital,
        )  # fmt: skip
        return place.recorded(context, "downstream classifier", synthetic, made)

    return downstream_classifier  # type: ignore[return-value]


def _fidelity_utility_report(place: _Place, stored: dict[str, Any]) -> dg.AssetsDefinition:
    @dg.asset(**stored, description="Distances beside a real holdout, independent columns and a copy; Kaplan-Meier.")
    def fidelity_utility_report(context: dg.AssetExecutionContext, synthetic, deidentified) -> dict:
        from metrics.fidelity.suite import fidelity_suite

        rng = np.random.default_rng(EVALUATION_SEED)
        tables = (*pooled(deidentified), synthetic.frame)
        made = fidelity_suite(*tables, place.schema, rng=rng, candidate_sha256=synthetic.sha256)
        return place.recorded(context, "fidelity", synthetic, made)

    return fidelity_utility_report  # type: ignore[return-value]


def _privacy_report(place: _Place, stored: dict[str, Any]) -> dg.AssetsDefinition:
    @dg.asset(**stored, description="Membership, singling out, linkability, inference, reconstruction, copies.")
    def privacy_report(context: dg.AssetExecutionContext, config: EvaluationConfig, synthetic, deidentified) -> dict:
        from metrics.attacks.privacy_suite import privacy_suite

        made = privacy_suite(
            *pooled(deidentified), synthetic.frame, place.schema, rng=np.random.default_rng(EVALUATION_SEED),
            refit=place.refit(context, synthetic, config.shadows), shadows=config.shadows,
            candidate_sha256=synthetic.sha256,
        )  # fmt: skip
        return place.recorded(context, "privacy", synthetic, made)

    return privacy_report  # type: ignore[return-value]


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
