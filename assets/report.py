"""The page that shows a candidate: written for released and refused ones alike.

Belongs here: storing the page and handing it to MLflow. Does not belong here: what it says (``page``, ``metrics``).
"""

import json

import dagster as dg

from assets.manifest import read_manifest
from assets.workspace import Workspace
from records.files import write_atomically
from use_cases.cohort import Cohort
from use_cases.registry import UseCase


def report_asset(use_case: UseCase, cohort: Cohort, workspace: Workspace) -> dg.AssetsDefinition:
    """The asset ``report`` of one use case."""

    @dg.asset(
        key_prefix=use_case.key, group_name=use_case.key, owners=[use_case.owner], io_manager_key="reports",
        kinds={"html"}, description="One self-contained HTML page: verdict, plots, privacy statement, provenance.",
    )  # fmt: skip
    def report(
        context: dg.AssetExecutionContext, synthetic, downstream_classifier, fidelity_utility_report, privacy_report
    ) -> dict:  # fmt: skip
        from assets.page import candidate_page
        from assets.tracking import Tracking

        reports = (downstream_classifier, fidelity_utility_report, privacy_report)
        manifest = read_manifest(workspace, use_case.key, synthetic)
        page, document, summary = candidate_page(use_case, cohort, workspace, synthetic, manifest, *reports)
        path = workspace.page(use_case.key)
        figures = json.dumps(document, indent=1).encode()
        write_atomically(path, page.encode())
        write_atomically(path.with_suffix(".json"), figures)
        files = {
            "report.html": page.encode(),
            "evaluation.json": figures,
            "manifest.json": json.dumps(manifest, indent=1).encode(),
        }
        Tracking(workspace).attach(manifest["mlflow_run"], files)
        context.add_output_metadata({"report": dg.MetadataValue.path(str(path)), "released": summary["released"]})
        return summary

    return report
