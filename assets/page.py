"""The verdict on a candidate and the page that explains it.

Belongs here: gathering what the gate and the report need. Does not belong here: their rules and looks (``metrics``).
"""

from typing import Any

from assets.workspace import Workspace
from records.files import TableFile
from use_cases.cohort import Cohort
from use_cases.registry import UseCase

Report = dict[str, Any]


def verdict_on(
    use_case: UseCase, manifest: Report, candidate: TableFile, utility: Report, fidelity: Report, privacy: Report
) -> Any:
    """The gate's verdict, bound to the candidate's sha256."""
    from metrics.gate import Limits, judge

    return judge(
        candidate_sha256=candidate.sha256, rows=candidate.frame.height, spend=manifest["spend"], utility=utility,
        fidelity=fidelity, privacy=privacy, limits=Limits.model_validate(dict(use_case.limits)),
    )  # fmt: skip


def document_of(
    use_case: UseCase, cohort: Cohort, candidate: TableFile, manifest: Report, utility: Report, fidelity: Report, privacy: Report
) -> Report:  # fmt: skip
    """The evaluation's JSON."""
    from metrics.reporting.document import evaluation_document

    verdict = verdict_on(use_case, manifest, candidate, utility, fidelity, privacy)
    reports = {"fidelity": fidelity, "utility": utility, "privacy": privacy}
    provenance = {
        **manifest["params"], "real_sha256": manifest["params"]["data_version"], "cohort": cohort.name,
        "dagster_mlflow_run": manifest["mlflow_run"],
    }  # fmt: skip
    return evaluation_document(use_case.title, reports, manifest["spend"], verdict, provenance)


def candidate_page(
    use_case: UseCase, cohort: Cohort, workspace: Workspace, candidate: TableFile, manifest: Report,
    utility: Report, fidelity: Report, privacy: Report,
) -> tuple[str, Report, Report]:  # fmt: skip
    """The HTML page, the evaluation's JSON, and the summary that the command line shows."""
    from deidentification.schema import released_schema
    from hub.budget import BudgetLedger
    from metrics.plots.candidate import candidate_plots
    from metrics.reporting.page import ReportContext, render_report

    verdict = verdict_on(use_case, manifest, candidate, utility, fidelity, privacy)
    spent = BudgetLedger(workspace.ledger_url).spent(cohort.name)
    rows = fidelity["rows"]
    document = document_of(use_case, cohort, candidate, manifest, utility, fidelity, privacy)
    context = ReportContext(
        title=f"{use_case.title}: synthetic data", use_case=use_case.title, cohort_title=cohort.table.title,
        citation=cohort.source.citation, licence=cohort.source.licence, schema=released_schema(cohort.table),
        counts={"real": rows["train"] + rows["holdout"], **rows}, utility=utility, fidelity=fidelity, privacy=privacy,
        spend=manifest["spend"], verdict=verdict, defects=cohort.defects,
        simulated_sites=cohort.sites.column is None, plots=candidate_plots(utility, fidelity, privacy),
        provenance={k: str(v) for k, v in manifest["params"].items()},
        document=document,
        ledger={"cohort": cohort.name, "budget_rho": use_case.budget_rho, "spent_rho": spent,
                "remaining_rho": use_case.budget_rho - spent},
    )  # fmt: skip
    summary = {
        "use_case": use_case.key, "n": rows["train"] + rows["holdout"], "epsilon": manifest["params"]["epsilon"],
        "trtr_auc": utility["trtr_auc"], "tstr_auc": utility["tstr_auc"], "max_tvd2": fidelity["max_tvd2"],
        "membership_auc": privacy["auc"], "released": verdict.released, "reasons": verdict.reasons,
        "candidate_sha256": candidate.sha256, "cohort": cohort.name,
    }  # fmt: skip
    return render_report(context), document, summary
