"""Every cohort that takes the place of a bundled default by the one setting runs through the whole pipeline."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.definitions import build_definitions
from orchestration.settings import Settings
from tests.orchestration.commands import quick
from use_cases.registry import discover

Ran = tuple[dict[str, Any], list[str], Settings]


@pytest.fixture
def ran(new_home: Callable[[], Path]) -> Callable[[str, str], Ran]:
    """Runs a use case with a cohort setting; returns the report's summary, the failed steps and the settings."""

    def run(use_case: str, cohort: str) -> Ran:
        settings = Settings(home=new_home(), cohorts={use_case: cohort})
        job = build_definitions(settings).resolve_job_def(use_case)
        with dg.instance_for_test() as instance:
            result = job.execute_in_process(run_config=quick(use_case), instance=instance, raise_on_error=False)
        failed = [event.step_key or "" for event in result.all_events if event.is_step_failure]
        return json.loads(settings.workspace().report([use_case, "report"]).read_bytes()), failed, settings

    return run


def released_rows(settings: Settings, use_case: str, cohort: str) -> int:
    folder = settings.workspace().release(use_case, cohort)
    newest = folder / (folder / "latest").read_text().strip()
    return json.loads((newest / "manifest.json").read_bytes())["rows"]


@pytest.mark.slow
def test_ncctg_runs_with_its_real_institutions(ran: Callable[[str, str], Ran]) -> None:
    """228 patients: whether one noisy draw passes the gate is luck, so both verdicts are right if they are kept."""
    summary, failed, settings = ran("lung", "ncctg_lung")
    assert summary["n"] == 228
    assert summary["cohort"] == "ncctg_lung"
    sites = {path.stem for path in (settings.home / "storage" / "lung" / "deidentified").iterdir()}
    assert sites == set(discover()["lung"].cohort("ncctg_lung").site_names)
    assert failed == ([] if summary["released"] else ["lung__release"])
    assert (settings.home / "releases").exists() == summary["released"]
    page = settings.workspace().page("lung").read_text()
    assert "NCCTG" in page
    assert "The hospitals are simulated" not in page


@pytest.mark.slow
def test_smart_runs_as_the_second_stroke_cohort(ran: Callable[[str, str], Ran]) -> None:
    summary, failed, _ = ran("stroke", "smart_cerebrovascular")
    assert summary["n"] == 1147
    assert failed == ([] if summary["released"] else ["stroke__release"])


@pytest.mark.slow
def test_an_own_csv_runs_through(ran: Callable[[str, str], Ran], tmp_path: Path) -> None:
    table = discover()["stroke"].cohorts[0].load().sample(450, seed=2)
    table.write_csv(tmp_path / "own.csv")
    summary, failed, settings = ran("stroke", str(tmp_path / "own.csv"))
    assert failed == ([] if summary["released"] else ["stroke__release"])
    assert summary["n"] == 450
    assert not summary["released"] or released_rows(settings, "stroke", "copenhagen") > 0


@pytest.mark.slow
def test_the_international_stroke_trial_runs_to_a_release(ran: Callable[[str, str], Ran], shared_data: Path) -> None:
    summary, failed, settings = ran("stroke", f"international_stroke_trial={shared_data / 'ist.parquet'}")
    assert not failed
    assert summary["n"] == 19_435
    assert summary["tstr_auc"] > 0.75
    assert summary["trtr_auc"] - summary["tstr_auc"] < 0.05
    assert released_rows(settings, "stroke", "international_stroke_trial") > 10_000
