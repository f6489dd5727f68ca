"""The sensor for new cohort files.

Belongs here: noticing files. Does not belong here: reading them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from assets.factory import all_hospitals
from records.reading import READERS
from use_cases.registry import UseCase


def cohort_file_sensor(
    use_cases: dict[str, UseCase], cohorts: dict[str, str], inbox: Path, jobs: Sequence[Any]
) -> dg.SensorDefinition:
    """Starts a use case's job for each file in ``<inbox>/<use case>/`` that is new or changed."""

    @dg.sensor(
        name="cohort_file_arrival", jobs=jobs, minimum_interval_seconds=30,
        description="Runs a use case on each CSV or Parquet file that is new or changed in its inbox folder.",
    )  # fmt: skip
    def cohort_file_arrival(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        found = False
        for key, use_case in use_cases.items():
            tags = all_hospitals(use_case.chosen(cohorts.get(key))[0])
            for path in sorted((inbox / key).glob("*")):
                if path.name.endswith(READERS):
                    found = True
                    config = {"ops": {f"{key}__raw_cohort": {"config": {"file": str(path)}}}}
                    run_key = f"{key}/{path.name}/{path.stat().st_mtime_ns}"
                    yield dg.RunRequest(run_key=run_key, job_name=key, run_config=config, tags=tags)
        if not found:
            yield dg.SkipReason(f"no CSV or Parquet file in {inbox.name}/<use case>/")

    return cohort_file_arrival
