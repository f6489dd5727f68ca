"""The release: the only asset that publishes, and only what the gate lets pass.

Belongs here: enforcing the verdict. Does not belong here: forming it (``metrics.gate``). A refusal leaves the former
release as it was: the gate is asked again here, so that materialising ``release`` alone cannot go round it.
"""

import io
import json

import dagster as dg

from assets.columns import column_lineage, column_schema, unchanged
from assets.manifest import read_manifest
from assets.page import document_of, verdict_on
from assets.released_report import SUMMARY, put_beside
from assets.requests import leaving
from assets.workspace import Workspace
from records.files import parquet_bytes, write_atomically
from use_cases.cohort import Cohort
from use_cases.registry import UseCase


def release_asset(use_case: UseCase, cohort: Cohort, workspace: Workspace) -> dg.AssetsDefinition:
    """The asset ``release`` of one use case."""

    @dg.asset(
        key_prefix=use_case.key, group_name=use_case.key, owners=[use_case.owner], kinds={"parquet", "csv"},
        description="The released synthetic table (Parquet, CSV) and its manifest, if the gate lets it pass.",
    )  # fmt: skip
    def release(
        context: dg.AssetExecutionContext, synthetic, downstream_classifier, fidelity_utility_report, privacy_report
    ) -> dg.MaterializeResult:  # fmt: skip
        from deidentification.schema import released_schema

        manifest = read_manifest(workspace, use_case.key, synthetic)
        reports = (downstream_classifier, fidelity_utility_report, privacy_report)
        verdict = verdict_on(use_case, manifest, synthetic, *reports)
        if not verdict.released:
            raise dg.Failure("Release refused: " + "; ".join(verdict.reasons), allow_retries=False)
        # One folder per candidate: the table and its manifest can never belong to different candidates.
        folder = workspace.release(use_case.key, cohort.name) / synthetic.sha256[:16]
        if not (folder / SUMMARY).exists():
            document = document_of(use_case, cohort, synthetic, manifest, *reports)
            put_beside(folder, *leaving(document, cohort))
        # The manifest is written last, so a folder that has one is whole and stays as it was published.
        if not (folder / "manifest.json").exists():
            text = io.BytesIO()
            synthetic.frame.write_csv(text)
            write_atomically(folder / "synthetic.csv", text.getvalue())
            write_atomically(folder / "synthetic.parquet", parquet_bytes(synthetic.frame))
            write_atomically(folder / "manifest.json", json.dumps(manifest | verdict.to_json(), indent=1).encode())
        write_atomically(folder.parent / "latest", f"{folder.name}\n".encode())
        schema = released_schema(cohort.table)
        return dg.MaterializeResult(
            metadata={
                "folder": dg.MetadataValue.path(str(folder)), "dagster/row_count": manifest["rows"],
                "dagster/column_schema": column_schema(schema), "mlflow_run_id": manifest["mlflow_run"],
                "dagster/column_lineage": column_lineage([use_case.key, "synthetic"], unchanged(schema)),
            }
        )  # fmt: skip

    return release
