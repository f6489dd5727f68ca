"""``phaseiv up``: Dagster, MLflow and the hub answer on this machine, and Ctrl-C or a stop leaves no process."""

import json
import os
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.orchestration.commands import PATIENCE, at_work, done, released, started, until

pytestmark = pytest.mark.slow
ASSETS = {
    "raw_cohort", "data_quality", "deidentified", "synthetic", "downstream_classifier", "fidelity_utility_report", "privacy_report",
    "report", "release", "privacy_utility_frontier", "requested", "statistics", "computed", "federated_statistics", "federated_model",
    "federated_synthetic", "valuation",
}  # fmt: skip
IMAGE_ASSETS = {
    "raw_cohort", "deidentified", "synthetic", "image_report", "report", "release", "decision_support", "requested",
}  # fmt: skip
USE_CASES = ("lung", "prostate", "stroke")
QUERY = """{
  assetNodes { assetKey { path } groupName description kinds owners { __typename } isPartitioned }
  repositoriesOrError { ... on RepositoryConnection { nodes {
    schedules { name cronSchedule } sensors { name } jobs { name } } } }
}"""


@dataclass(frozen=True)
class Servers:
    """The servers over one home, in which the stroke use case was run."""

    home: Path
    dagster: str
    mlflow: str
    hub: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answer(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def up(home: Path) -> tuple[Any, Servers]:
    ports = free_port(), free_port(), free_port()
    options = [f"--{name}-port={port}" for name, port in zip(("dagster", "mlflow", "hub"), ports, strict=True)]
    process = started(home, "phaseiv", "up", *options, PHASEIV_HUB_DEMO="true")
    servers = Servers(home, *(f"http://127.0.0.1:{port}" for port in ports))
    until(lambda: process.poll() is None and answers(f"{servers.dagster}/server_info"))
    until(lambda: process.poll() is None and answers(f"{servers.mlflow}/health"))
    until(lambda: process.poll() is None and answers(f"{servers.hub}/api/v1/health"))
    return process, servers


@pytest.fixture(scope="module")
def servers(new_home: Callable[[], Path]) -> Iterator[Servers]:
    home = new_home()
    released(home, "phaseiv", "run", "stroke", "--refits", "0")
    process, made = up(home)
    yield made
    os.killpg(process.pid, signal.SIGINT)  # Ctrl-C in a terminal reaches the whole group
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert made.dagster in output
    assert made.mlflow in output
    assert made.hub in output
    assert not at_work(home)


def test_graphql_lists_assets_schedules_and_the_sensor(servers: Servers) -> None:
    found = answer(f"{servers.dagster}/graphql", {"query": QUERY})["data"]
    nodes = {tuple(node["assetKey"]["path"]): node for node in found["assetNodes"]}
    tables = {(key, name) for key in USE_CASES for name in ASSETS}
    images = {(key, "phantom_images", name) for key in USE_CASES for name in IMAGE_ASSETS}
    assert set(nodes) == tables | images | {("market", "settlement")}
    for path, node in nodes.items():
        *group, name = path
        assert node["groupName"] == "_".join(group)
        assert node["description"]
        assert node["kinds"]
        if path not in tables:
            continue
        assert node["owners"]
        assert node["isPartitioned"] == (name in ("raw_cohort", "deidentified", "requested", "statistics", "computed"))
    (repository,) = found["repositoriesOrError"]["nodes"]
    assert {s["name"] for s in repository["schedules"]} == {*(f"{key}_weekly" for key in USE_CASES), "market_monthly"}
    assert {"cohort_file_arrival", "hub_orders"} <= {s["name"] for s in repository["sensors"]}
    assert {*USE_CASES, "privacy_utility_sweep"} <= {j["name"] for j in repository["jobs"]}


def test_mlflow_finds_the_synthesis_with_children_and_metrics(servers: Servers) -> None:
    api = f"{servers.mlflow}/api/2.0/mlflow"
    experiment = answer(f"{api}/experiments/get-by-name?experiment_name=stroke")["experiment"]["experiment_id"]
    runs = answer(f"{api}/runs/search", {"experiment_ids": [experiment]})["runs"]
    tags = {r["info"]["run_id"]: {t["key"]: t["value"] for t in r["data"]["tags"]} for r in runs}
    parents = [r for r in runs if "mlflow.parentRunId" not in tags[r["info"]["run_id"]]]
    parent = max(parents, key=lambda r: int(r["info"]["start_time"]))  # the gate may have refused one before it
    run_id = parent["info"]["run_id"]
    children = {r["info"]["run_name"]: r for r in runs if tags[r["info"]["run_id"]].get("mlflow.parentRunId") == run_id}
    assert set(children) == {"downstream classifier", "fidelity", "privacy"}
    params = {p["key"]: p["value"] for p in parent["data"]["params"]}
    assert {"synthesizer", "epsilon", "delta", "neighbouring", "seed", "data_version", "code_commit"} <= set(params)
    metrics = {m["key"]: m["value"] for m in parent["data"]["metrics"]}
    assert 0 < metrics["epsilon_spent"] <= 6
    assert {"tstr_auc", "trtr_auc"} <= {m["key"] for m in children["downstream classifier"]["data"]["metrics"]}
    assert all("dagster_run_id" in found for found in tags.values())
    files = {f["path"] for f in answer(f"{api}/artifacts/list?run_id={run_id}")["files"]}
    assert {"report.html", "manifest.json", "spend.json", "model.json"} <= files


def test_a_stopped_service_leaves_no_process(new_home: Callable[[], Path]) -> None:
    home = new_home()
    process, _ = up(home)
    process.send_signal(signal.SIGTERM)  # what a service manager sends, to the one process it knows
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert not at_work(home)


def test_a_taken_port_is_told_and_stops_both(new_home: Callable[[], Path]) -> None:
    home = new_home()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, output = done(
            home, "phaseiv", "up", "--dagster-port", str(free_port()), "--mlflow-port", port, "--no-hub"
        )
    assert code == 1
    assert "MLflow must keep running, got exit code" in output
    assert not at_work(home)


def test_a_hub_without_keys_is_not_started(new_home: Callable[[], Path]) -> None:
    home = new_home()
    code, output = done(home, "phaseiv", "up")
    assert code == 1
    assert "PHASEIV_HUB_MASTER_KEY must be set outside the demo" in output
    assert not at_work(home)
