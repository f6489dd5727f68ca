"""``dg launch --assets lung/release`` cannot go round the gate: exit code not 0, the old files unchanged."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.orchestration.commands import done, released

pytestmark = pytest.mark.slow
RUN = ("phaseiv", "run", "lung", "--refits", "0")
LAUNCH = ("dg", "launch", "--assets")


@pytest.fixture(scope="module")
def home(new_home: Callable[[], Path]) -> Path:
    return new_home()


@pytest.fixture(scope="module")
def run_again(home: Path) -> tuple[str, ...]:
    return released(home, *RUN)


def releases(home: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in sorted((home / "releases").rglob("*")) if p.is_file()}


def test_with_reports_of_another_candidate(home: Path, run_again: tuple[str, ...]) -> None:
    before = releases(home)
    config = {"ops": {"lung__synthetic": {"config": {"seed": 1}}}}
    code, output = done(home, *LAUNCH, "lung/synthetic", "--config-json", json.dumps(config))
    assert code == 0, output
    code, output = done(home, *LAUNCH, "lung/release")
    assert code != 0
    for report in ("utility", "fidelity", "privacy"):
        assert f"{report}: report of another candidate" in output
    assert releases(home) == before


def test_after_a_refused_candidate(home: Path, run_again: tuple[str, ...]) -> None:
    before = releases(home)
    code, output = done(home, *RUN, "--epsilon", "0")
    assert code == 1
    assert "lung__release failed: Release refused: no differential privacy" in output
    code, output = done(home, *LAUNCH, "lung/release")
    assert code != 0
    assert "Release refused: no differential privacy" in output
    assert releases(home) == before
    told = {path.name: json.loads(data) for path, data in before.items() if path.suffix == ".json"}
    assert told["evaluation.json"]["candidate_sha256"] == told["manifest.json"]["candidate_sha256"]
    assert told["evaluation.json"]["released"]
