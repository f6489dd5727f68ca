"""``phaseiv hub compute``: from a file to an order, and refusals in words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from hub import client
from hub.client import Hub
from hub.deployment import Deployment
from hub.people.roles import Role
from hub.web.application import build
from orchestration.cli import app
from tests.hub.computations.conftest import COUNT

Command = Callable[..., Result]


@pytest.fixture
def command(
    hub: Deployment, browser: Callable[..., Any], permit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """From a job's description to what the command says."""
    token = browser(Role.DEVELOPER).headers["Authorization"].removeprefix("Bearer ")
    remote = Hub("http://testserver", token, verbose=False, transport=TestClient(build(hub))._transport)
    monkeypatch.setattr(client, "Hub", lambda: remote)

    def called(job: Any) -> Result:
        (tmp_path / "job.yaml").write_text(yaml.safe_dump(job))
        return CliRunner().invoke(app, ["hub", "compute", permit, str(tmp_path / "job.yaml")])

    return called


def test_the_same_file_twice_is_one_order(command: Command) -> None:
    first, second = command(COUNT), command(COUNT)
    assert first.exit_code == 0, first.output
    assert "queued" in first.output
    assert "question sha256" in first.output
    assert first.output == second.output


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ({"kind": "count"}, "got no dataset_id, purpose"),
        ([1], "must hold the fields of a job"),
        (COUNT | {"permit_id": "another"}, "permit_id"),
        (COUNT | {"self": "x"}, "self"),
        (COUNT | {7: "x"}, "7"),
        (COUNT | {"epsilon": 99}, "epsilon"),
    ],
)
def test_a_file_that_is_no_job_is_refused_in_words(command: Command, job: Any, words: str) -> None:
    told = command(job)
    assert told.exit_code == 1
    assert isinstance(told.exception, SystemExit), "a refusal, no error inside"
    assert words in told.output
