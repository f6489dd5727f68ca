"""Raw and de-identified cohort, one partition per hospital.

Belongs here: the two assets that stay at the hospitals. Does not belong here: anything that pools them.
"""

from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.columns import column_lineage, column_schema, deidentified_origins
from assets.workspace import Workspace
from records.schema import Schema
from use_cases.cohort import Cohort
from use_cases.registry import UseCase


class CohortConfig(dg.Config):
    """``file`` takes the place of the cohort's own file for this run."""

    file: str | None = None


def cohort_assets(
    use_case: UseCase, cohort: Cohort, file: Path | None, workspace: Workspace
) -> list[dg.AssetsDefinition]:
    """The assets ``raw_cohort`` and ``deidentified`` of one use case."""
    partitions = dg.StaticPartitionsDefinition(cohort.site_names)
    shared = {
        "key_prefix": use_case.key, "group_name": use_case.key, "partitions_def": partitions, "kinds": {"polars"},
        "owners": [use_case.owner], "io_manager_key": "tables", "backfill_policy": dg.BackfillPolicy.single_run(),
    }  # fmt: skip
    simulated = "" if cohort.sites.column else " The split into hospitals is simulated: sites were not recorded."

    @dg.asset(**shared, description=f"{cohort.table.title}, validated against its codebook.{simulated}")
    def raw_cohort(context: dg.AssetExecutionContext, config: CohortConfig) -> dict[str, pl.DataFrame]:
        frame = cohort.load(Path(config.file) if config.file else file)
        site = cohort.assign_sites(frame)
        tables = {name: frame.filter(site == name) for name in context.partition_keys}
        for name, table in tables.items():
            _describe(context, name, table, cohort.table)
        return tables

    @dg.asset(**shared, description=f"Pseudonyms, days, coarse quasi-identifiers; rows below k = {use_case.k} flagged.")
    def deidentified(context: dg.AssetExecutionContext, raw_cohort) -> dict[str, pl.DataFrame]:
        from deidentification.pipeline import deidentify
        from deidentification.pseudonyms import load_key

        key = load_key(workspace.home / "pseudonym.key", workspace.pseudonym_key)
        lineage = column_lineage([use_case.key, "raw_cohort"], deidentified_origins(cohort.table))
        tables = {}
        for name in context.partition_keys:
            done = deidentify(raw_cohort[name].frame, cohort.table, key=key, k=use_case.k)
            tables[name] = done.frame
            facts = {"dagster/column_lineage": lineage, "k": use_case.k, **done.counts.to_json()}
            _describe(context, name, done.frame, done.schema, **facts)
        return tables

    return [raw_cohort, deidentified]  # type: ignore[return-value]


def _describe(context: dg.AssetExecutionContext, name: str, table: pl.DataFrame, schema: Schema, **facts: Any) -> None:
    shown = {"dagster/row_count": table.height, "dagster/column_schema": column_schema(schema), **facts}
    context.add_asset_metadata(shown, partition_key=name)
