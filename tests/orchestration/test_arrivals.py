"""The sensor asks for a run per new file; a killed run leaves the former release and the next one recovers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from orchestration.definitions import build_definitions
from orchestration.settings import Settings
from use_cases.registry import discover

PHASEIV = str(Path(sys.executable).parent / "phaseiv")


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
        assert job.execute_in_process(run_config=request.run_config, instance=instance).success
    assert "420" in (settings.home / "reports" / "stroke.html").read_text()


@pytest.mark.slow
def test_a_killed_run_changes_nothing_and_the_next_recovers(tmp_path: Path) -> None:
    environment = {**os.environ, "PHASEIV_HOME": str(tmp_path), "DAGSTER_HOME": str(tmp_path / "dagster")}
    command = [PHASEIV, "run", "stroke"]
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
    files = [p for p in (tmp_path / "releases").rglob("*") if p.is_file()]
    before = {p: p.read_bytes() for p in files}
    killed = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(9)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert {p: p.read_bytes() for p in files} == before
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
    assert {p: p.read_bytes() for p in files} == before
