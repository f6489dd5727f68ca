"""The sensor between the hub's statistics and Dagster: questions become runs.

Belongs here: launching each question once. Does not belong here: counting (``assets.statistics``).
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from assets.factory import statistics_job
from assets.requests import OpenHub
from assets.statistics import QUESTIONS
from orchestration.orders import EVERY_SECONDS, reached


def question_sensor(jobs: Sequence[Any], open_hub: OpenHub) -> dg.SensorDefinition:
    """Starts one run for each question that waits; the run key makes it once."""

    @dg.sensor(
        name="hub_questions", jobs=jobs, minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING, description="Starts one run for each question to the hub's statistics.",
    )  # fmt: skip
    def hub_questions(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        from hub.statistics.questions import waiting

        hub = reached(open_hub)
        if isinstance(hub, dg.SkipReason):
            return hub
        with hub.database.read() as session:
            asked = waiting(session)
        requests = [dg.RunRequest(run_key=q, job_name=statistics_job(u), partition_key=q) for q, u in asked]
        new = QUESTIONS.build_add_request([question for question, _ in asked])
        return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=[new] if asked else [])

    return hub_questions
