"""The asset of data quality: page and counts of checks, with OMOP where there is a mapping and by the codebook where not."""

import json
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets.io import ReportIOManager, TableIOManager
from assets.quality import CATEGORIES, quality_asset, quality_checks, quality_page_path
from assets.workspace import Workspace
from use_cases.registry import discover

PROSTATE = discover()["prostate"]
COHORT = PROSTATE.cohorts[0]


@pytest.mark.slow
@pytest.mark.parametrize("mapped", [True, False])
def test_the_asset_and_its_checks(mapped: bool, tmp_path: Path) -> None:
    cohort = COHORT if mapped else COHORT.model_copy(update={"folder": tmp_path})
    workspace = Workspace(home=tmp_path)
    asset, frame = quality_asset(PROSTATE, cohort, workspace), COHORT.load()

    @dg.asset(key_prefix="prostate", group_name="prostate", partitions_def=dg.StaticPartitionsDefinition(["a", "b"]), io_manager_key="tables",
              backfill_policy=dg.BackfillPolicy.single_run())  # fmt: skip
    def raw_cohort() -> dict[str, pl.DataFrame]:
        return {"a": frame.head(100), "b": frame.tail(-100)}

    resources = {"tables": TableIOManager(workspace), "reports": ReportIOManager(workspace)}
    tags = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "b"}
    definitions = dg.Definitions(
        assets=[raw_cohort, asset], asset_checks=quality_checks(PROSTATE), resources=resources,
        jobs=[dg.define_asset_job("all", [raw_cohort, asset])],
    )  # fmt: skip
    done = definitions.resolve_job_def("all").execute_in_process(tags=tags)
    assert done.success
    checks = {one.check_name: one for one in done.get_asset_check_evaluations()}
    assert set(checks) == {f"{category}_checks_pass" for category in CATEGORIES}
    report = json.loads(workspace.report(["prostate", "data_quality"]).read_bytes())
    for category in CATEGORIES:
        assert checks[f"{category}_checks_pass"].passed == (report["summary"][category]["failed"] == 0)
    page = quality_page_path(workspace, "prostate").read_text()
    assert ("standardConceptRecordCompleteness" in page) == mapped
    assert report["facts"]["uniqueness (checks)"].startswith("100 %")
