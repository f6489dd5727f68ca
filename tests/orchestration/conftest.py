"""What several test files of the orchestration share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestration.execution import materialise
from orchestration.settings import Settings
from use_cases.registry import discover


@pytest.fixture(scope="module")
def prepared(new_home: Callable[[], Path]) -> Iterator[Settings]:
    """A home whose stroke cohort is de-identified, with a hub in demo mode."""
    home = new_home()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home / "dagster"))
        patch.setenv("PHASEIV_HUB_DEMO", "true")
        (home / "dagster").mkdir()
        made = Settings(home=home)
        materialise("stroke", ["raw_cohort", "deidentified"], made)
        yield made


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the stroke cohort as ``stroke.csv``, and a home below it."""
    monkeypatch.setenv("PHASEIV_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    discover()["stroke"].cohorts[0].load().write_csv(tmp_path / "stroke.csv")
    return tmp_path
