"""The only wiring point: every use case's definitions, the sweep job and the sensor.

Belongs here: ``build_definitions``. Does not belong here: knowledge of any one disease.
"""

import dagster as dg

from assets.factory import build_use_case, computation_job, on_demand_job, statistics_job, storage
from assets.images.factory import build_images, images_on_demand_job
from assets.market import build_market, told_budgets
from orchestration.orders import order_sensors
from orchestration.questions import question_sensor
from orchestration.sensors import cohort_file_sensor
from orchestration.settings import Settings
from records.errors import ParameterError
from use_cases.registry import discover

# Steps start as forks of one warm process: the heavy libraries are imported once, not once per step.
WARM = ["assets.factory", "mlflow.tracking", "sklearn.ensemble", "lifelines", "matplotlib.pyplot"]
EXECUTOR = dg.multiprocess_executor.configured(
    {"max_concurrent": 2, "start_method": {"forkserver": {"preload_modules": WARM}}}
)


def build_definitions(settings: Settings) -> dg.Definitions:
    """All definitions under the given settings.

    Raises
    ------
    ParameterError
        A cohort is set for a use case that does not exist, or does not exist itself.
    """
    workspace = settings.workspace()
    use_cases = discover()
    for name, chosen in (("COHORTS", settings.cohorts), ("IMAGES", settings.images)):
        if unknown := sorted(chosen.keys() - use_cases.keys()):
            raise ParameterError(
                f"PHASEIV_{name} must name use cases of {', '.join(use_cases)}, got {', '.join(unknown)}; mend the setting"
            )
    parts = [
        build_use_case(u, workspace, settings.open_hub, settings.cohorts.get(key), settings.federation.get(key))
        for key, u in use_cases.items()
    ]
    images = [build_images(u, workspace, settings.open_hub, settings.images.get(key)) for key, u in use_cases.items()]
    sweep = dg.define_asset_job(
        "privacy_utility_sweep",
        dg.AssetSelection.assets(*[[key, "privacy_utility_frontier"] for key in use_cases]),
        description="Candidates over epsilon and seeds, for all use cases; never released.",
    )
    jobs = [job for part in (*parts, *images) for job in part.jobs or []]
    ordered = {name(key) for key in use_cases for name in (on_demand_job, images_on_demand_job, computation_job)}
    on_demand = [job for job in jobs if job.name in ordered]
    answering = [job for job in jobs if job.name in {statistics_job(key) for key in use_cases}]
    arrivals = cohort_file_sensor(
        use_cases,
        settings.cohorts,
        settings.inbox or workspace.home / "inbox",
        [j for j in jobs if j.name in use_cases],
    )
    orders = order_sensors(on_demand, settings.open_hub, lambda hub: told_budgets(workspace, hub, use_cases))
    sensors = [arrivals, *orders, question_sensor(answering, settings.open_hub)]
    shared = dg.Definitions(jobs=[sweep], sensors=sensors, resources=storage(workspace), executor=EXECUTOR)
    return dg.Definitions.merge(*parts, *images, build_market(workspace, settings.open_hub), shared)


defs = build_definitions(Settings())
