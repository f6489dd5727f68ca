"""One use case's assets, checks, job and schedule.

Belongs here: putting a use case's definitions together. Does not belong here: settings (``orchestration``).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from assets.checks import report_checks
from assets.cohort import cohort_assets
from assets.evaluation import evaluation_assets
from assets.federated import federated_assets
from assets.federated_jobs import Federation
from assets.federated_orders import computed_asset
from assets.images.io import ImageIOManager
from assets.io import ReportIOManager, TableIOManager
from assets.quality import quality_asset, quality_checks
from assets.release import release_asset
from assets.report import report_asset
from assets.requests import OpenHub, requested_asset
from assets.statistics import statistics_asset
from assets.sweep import frontier_asset
from assets.synthesis import synthetic_asset
from assets.valuation import valuation_asset
from assets.workspace import Workspace
from use_cases.cohort import Cohort
from use_cases.registry import UseCase


def build_use_case(
    use_case: UseCase,
    workspace: Workspace,
    open_hub: OpenHub,
    setting: str | None = None,
    researcher: Path | None = None,
) -> dg.Definitions:
    """All definitions of one use case.

    ``setting`` names the cohort, where it is read from, or both; ``researcher`` is the file by which the parties of a federation are found.
    """
    cohort, place = use_case.chosen(setting)
    pipeline = _pipeline(use_case, cohort, place, workspace)
    federation = Federation(use_case, cohort, workspace, researcher)
    requested = requested_asset(use_case, cohort, workspace, open_hub)
    statistics = statistics_asset(use_case, cohort, workspace, open_hub)
    computed, federated = computed_asset(federation, open_hub), federated_assets(federation)
    valuation = valuation_asset(use_case, cohort, workspace)
    title, one_process = use_case.title, dg.in_process_executor
    job = _job(use_case.key, pipeline, f"{title}: from the raw cohort to the release.", tags=all_hospitals(cohort))
    on_demand, answers, computations = (
        _job(name(use_case.key), [asset], f"{title}: {words}", executor_def=one_process)
        for name, asset, words in (
            (on_demand_job, requested, "one order of the hub, from learning to the repository."),
            (statistics_job, statistics, "one question of the hub's statistics, answered with noise."),
            (computation_job, computed, "one computation ordered at the hub, by hospitals that keep their data."),
        )
    )
    words = "statistics, models and a synthetic table from hospitals that keep their data."
    together = _job(federated_job(use_case.key), federated, f"{title}: {words}")
    words = "what each hospital's patients are worth, by the agreed rule."
    valuing = _job(valuation_job(use_case.key), [valuation], f"{title}: {words}")
    frontier = frontier_asset(use_case, cohort, workspace)
    return dg.Definitions(
        assets=[*pipeline, valuation, frontier, requested, statistics, computed, *federated],
        jobs=[job, on_demand, answers, computations, together, valuing],
        schedules=[_weekly(use_case, job)],
        asset_checks=[*report_checks(use_case), *quality_checks(use_case)],
    )


def _job(name: str, assets: Sequence[dg.AssetsDefinition], description: str, **settings: Any) -> Any:
    """A job that materialises the assets."""
    return dg.define_asset_job(name, dg.AssetSelection.assets(*assets), description=description, **settings)


def _weekly(use_case: UseCase, job: Any) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{use_case.key}_weekly", job=job, cron_schedule="0 3 * * 1",
        description="Every Monday at 3; a question that was answered before costs no budget.",
    )  # fmt: skip


def on_demand_job(use_case: str) -> str:
    """The job that works off orders of a use case."""
    return f"{use_case}_on_demand"


def computation_job(use_case: str) -> str:
    """The job that works off computations ordered at the hub."""
    return f"{use_case}_computation"


def federated_job(use_case: str) -> str:
    """The job that asks the parties of a federation."""
    return f"{use_case}_federated"


def valuation_job(use_case: str) -> str:
    """The job that values the hospitals of a use case."""
    return f"{use_case}_valuation"


def statistics_job(use_case: str) -> str:
    """The job that answers questions on a use case."""
    return f"{use_case}_statistics"


def storage(workspace: Workspace) -> dict[str, dg.IOManager]:
    """The IO managers that all use cases share."""
    return {
        "tables": TableIOManager(workspace),
        "reports": ReportIOManager(workspace),
        "images": ImageIOManager(workspace),
    }


def all_hospitals(cohort: Cohort) -> dict[str, str]:
    """Run tags that ask for every hospital's partition in one run."""
    names = cohort.site_names
    return {"dagster/asset_partition_range_start": names[0], "dagster/asset_partition_range_end": names[-1]}


def _pipeline(use_case: UseCase, cohort: Cohort, place: str | None, workspace: Workspace) -> list[dg.AssetsDefinition]:
    return [
        *cohort_assets(use_case, cohort, place, workspace),
        quality_asset(use_case, cohort, workspace),
        synthetic_asset(use_case, cohort, workspace),
        *evaluation_assets(use_case, cohort, workspace),
        report_asset(use_case, cohort, workspace),
        release_asset(use_case, cohort, workspace),
    ]
