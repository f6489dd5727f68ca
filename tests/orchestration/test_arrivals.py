"""The sensor asks for a run per new file."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from orchestration.definitions import build_definitions
from orchestration.settings import Settings
from use_cases.registry import discover


@pytest.mark.slow
def test_a_new_file_starts_a_run(tmp_path: Path, new_home: Callable[[], Path]) -> None:
    settings = Settings(home=new_home(), inbox=tmp_path / "inbox")
    (tmp_path / "inbox" / "stroke").mkdir(parents=True)
    table = discover()["stroke"].cohorts[0].load().sample(420, seed=1)
    table.write_csv(tmp_path / "inbox" / "stroke" / "new.csv")
    definitions = build_definitions(settings)
    repository = definitions.get_repository_def()
    sensor = repository.get_sensor_def("cohort_file_arrival")
    with dg.instance_for_test() as instance:
        context = dg.build_sensor_context(instance=instance, repository_def=repository)
        (request,) = sensor.evaluate_tick(context).run_requests  # type: ignore[misc]
        job = definitions.resolve_job_def(str(request.job_name))
        result = job.execute_in_process(run_config=request.run_config, instance=instance, raise_on_error=False)
    # 420 patients: whether one noisy draw passes the gate is luck.
    assert {event.step_key for event in result.all_events if event.is_step_failure} <= {"stroke__release"}
    assert "420" in (settings.home / "reports" / "stroke.html").read_text()
