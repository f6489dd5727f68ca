"""Running one job in this process behind a progress bar, and saying in words why it failed.

Belongs here: what ``phaseiv run`` and ``phaseiv sweep`` share. Does not belong here: commands (``cli``), or what a step
does.
"""

import logging
import shutil
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from orchestration.settings import Settings

LEAST_FREE_MIB = 16
OWN = ("records.errors", "federation.")
FULL_DISK = ("No space left", "disk is full", "disk I/O error", "must be written whole")


def execute(job: str, ops: dict[str, Any], settings: Settings) -> str | None:
    """Run one job; returns why it failed, or nothing.

    A run that fails, for whatever reason, leaves the former release, reports and tables as they were, or replaces
    each of them whole.
    """
    import dagster as dg
    from sqlalchemy.exc import SQLAlchemyError

    from records.errors import PhaseIVError

    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        if (free := shutil.disk_usage(settings.home).free // 2**20) < LEAST_FREE_MIB:
            return _full_disk(f"{free} MiB")
        from orchestration.definitions import build_definitions  # the settings' errors are raised here

        definition = build_definitions(settings).resolve_job_def(job)
        result = _behind_a_bar(job, definition, ops)
    except PhaseIVError as error:
        return str(error)
    except (SQLAlchemyError, OSError, dg.DagsterError) as error:
        return f"{job} failed: {_plain(str(error))}"
    failures = [event for event in result.all_events if event.is_step_failure]
    return "\n".join(f"{e.step_key} failed: {_words(e)}" for e in failures) or None


def _behind_a_bar(job: str, definition: Any, ops: dict[str, Any]) -> Any:
    """The job's result; raises what kept the job from running or from being recorded."""
    import dagster as dg
    import sqlalchemy.orm  # noqa: F401  before the threads start: two that import it at once see it half made
    from rich.progress import Progress

    steps, run_id = len(definition.graph.node_dict), str(uuid.uuid4())
    config = {"ops": ops, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

    # One instance for both threads: two that open a fresh home at once would both migrate its databases.
    with dg.DagsterInstance.get() as instance, Progress() as progress, ThreadPoolExecutor(1) as pool:
        work = pool.submit(
            definition.execute_in_process, run_config=config, instance=instance, raise_on_error=False, run_id=run_id
        )
        bar = progress.add_task(job, total=steps)
        while not work.done():
            wait([work], timeout=0.5)
            done = instance.get_run_stats(run_id).steps_succeeded if instance.has_run(run_id) else 0
            progress.update(bar, completed=done)
    return work.result()


def _words(event: Any) -> str:
    failure = event.step_failure_data
    if failure.user_failure_data is not None and failure.user_failure_data.description:
        return failure.user_failure_data.description
    cause = failure.error
    while cause is not None and cause.cause is not None:
        cause = cause.cause
    return _plain(_without_name(cause.message.strip(), cause.cls_name)) if cause else "unknown"


def _without_name(message: str, name: str | None) -> str:
    """What an error of ours says, without the name of its class."""
    kind, _, words = message.partition(": ")
    return words if kind.startswith(OWN) and kind.endswith(f".{name}") else message


def _plain(message: str) -> str:
    return _full_disk("a full one") if any(sign in message for sign in FULL_DISK) else message


def _full_disk(got: str) -> str:
    return (
        f"the disk of PHASEIV_HOME must have {LEAST_FREE_MIB} MiB free, got {got}; free space or choose another "
        "PHASEIV_HOME, the former outputs are unchanged"
    )


def materialise(use_case: str, names: Sequence[str], settings: Settings) -> None:
    """Some assets of a use case, for all its hospitals, in this process.

    Raises
    ------
    StorageError
        A step failed.
    """
    import dagster as dg

    from orchestration.definitions import build_definitions
    from records.errors import StorageError

    job = build_definitions(settings).resolve_job_def(use_case)
    wanted = [dg.AssetKey([use_case, name]) for name in names]
    config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            run_config=config, instance=instance, raise_on_error=False, asset_selection=wanted
        )
    if not result.success:
        failed = next(event for event in result.all_events if event.is_step_failure)
        raise StorageError(f"{use_case} must be prepared for the hub, got a failed step: {_words(failed)}")
