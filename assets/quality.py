"""Data quality of a cohort: the checks of OHDSI's DataQualityDashboard, as an asset and its asset checks.

Belongs here: reading the cohort, running the checks, metadata. Does not belong here: the checks (``harmonisation.quality``),
or the gate: no release waits for them, a person looks at the page. The report and the page count records of patients and stay
in the hospital; metadata hold numbers of checks only.
"""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

from assets.workspace import Workspace
from records.files import write_atomically
from use_cases.cohort import Cohort
from use_cases.registry import UseCase

if TYPE_CHECKING:
    from harmonisation.quality.results import Results

CATEGORIES = ("conformance", "completeness", "plausibility")


def quality_asset(use_case: UseCase, cohort: Cohort, workspace: Workspace) -> dg.AssetsDefinition:
    """The asset ``data_quality`` of one use case."""

    @dg.asset(
        key_prefix=use_case.key, group_name=use_case.key, owners=[use_case.owner], io_manager_key="reports",
        kinds={"html"}, description="The check types of OHDSI's DataQualityDashboard on the cohort, as OMOP where it is mapped.",
    )  # fmt: skip
    def data_quality(context: dg.AssetExecutionContext, raw_cohort) -> dict:
        from harmonisation.quality.facts import quality_facts
        from harmonisation.quality.page import quality_page

        frame = pl.concat(table.frame for table in raw_cohort.values())
        results = _checked(frame, cohort)
        path = quality_page_path(workspace, use_case.key)
        write_atomically(path, quality_page(results).encode())
        facts = quality_facts(results)
        context.add_output_metadata(
            {"page": dg.MetadataValue.path(str(path)), "summary": results.summary(), "label": facts}
        )
        return results.to_json() | {"facts": facts}

    return data_quality


def quality_checks(use_case: UseCase) -> list[dg.AssetChecksDefinition]:
    """One asset check for each of Kahn's categories; they warn and do not block."""
    return [_check(use_case, category) for category in CATEGORIES]


def quality_page_path(workspace: Workspace, use_case: str) -> Path:
    """The page of a use case."""
    return workspace.page(f"{use_case}_quality")


def _checked(frame: pl.DataFrame, cohort: Cohort) -> "Results":
    from harmonisation.omop.export import to_cdm
    from harmonisation.quality.codebook import check_cohort
    from harmonisation.quality.concepts import rules_of
    from harmonisation.quality.omop import check_cdm
    from use_cases.omop import omop_mapping

    mapping = omop_mapping(cohort)
    if mapping is None:
        return check_cohort(frame, cohort.table)
    rules, today = rules_of(cohort.table, mapping), date.today()
    return check_cdm(to_cdm(frame, cohort.table, mapping), source=cohort.table.title, today=today, rules=rules)


def _check(use_case: UseCase, category: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey([use_case.key, "data_quality"]),
        name=f"{category}_checks_pass",
        description=f"No check of {category} fails.",
    )
    def passes(data_quality: dict[str, Any]) -> dg.AssetCheckResult:
        counts = data_quality["summary"][category]
        failed = sorted(
            {one["check"] for one in data_quality["checks"] if one["failed"] and one["category"] == category}
        )
        return dg.AssetCheckResult(
            passed=not counts["failed"], severity=dg.AssetCheckSeverity.WARN, metadata={**counts, "types": failed}
        )

    return passes
