"""The asset of valuation: shares of hospitals in metadata, report and MLflow, and nothing of patients."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest
from mlflow import MlflowClient

from assets.cohort import cohort_assets
from assets.factory import storage, valuation_job
from assets.valuation import valuation_asset
from assets.workspace import Workspace
from hub.valuation.sealed import read_sealed
from records.files import sha256
from use_cases.registry import discover

USE_CASE = discover()["stroke"]
COHORT = USE_CASE.cohorts[0]


@pytest.fixture(scope="module")
def home(new_home: Callable[[], Path]) -> Path:
    folder = new_home()
    workspace = Workspace(folder, pseudonym_key="ab" * 32)
    first, last = COHORT.site_names[0], COHORT.site_names[-1]
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    instance = dg.DagsterInstance.ephemeral()
    parts = cohort_assets(USE_CASE, COHORT, None, workspace)
    assert dg.materialize(parts, instance=instance, resources=storage(workspace), tags=tags).success
    return folder


def valued(home: Path, **config) -> dg.ExecuteInProcessResult:
    workspace = Workspace(home, pseudonym_key="ab" * 32)
    parts = cohort_assets(USE_CASE, COHORT, None, workspace)
    asset = valuation_asset(USE_CASE, COHORT, workspace)
    return dg.materialize(
        [*parts, asset], selection=[asset], resources=storage(workspace), raise_on_error=False,
        run_config={"ops": {f"{USE_CASE.key}__valuation": {"config": config}}},
    )  # fmt: skip


@pytest.mark.slow
def test_hospitals_are_valued_and_only_their_numbers_are_told(home: Path) -> None:
    result = valued(home, floor=0.1, quality={"hospital_b": 0.5})
    assert result.success
    kept = json.loads((home / "storage" / USE_CASE.key / "valuation.json").read_bytes())
    sealed, report = read_sealed(kept["valuation"]), kept["valuation"]
    assert sealed.sha256 == kept["sha256"]
    assert [one["holder"] for one in report["holders"]] == sorted(COHORT.site_names)
    assert sum(float(one["share"]) for one in report["holders"]) == pytest.approx(1)
    files = {name: Workspace(home).table([USE_CASE.key, "deidentified"], name) for name in COHORT.site_names}
    assert report["versions"] == {name: sha256(file.read_bytes()) for name, file in files.items()}
    accounts = {name: f"account-{n}" for n, name in enumerate(sorted(COHORT.site_names))}
    split = sealed.split(accounts)
    assert split.quality[accounts["hospital_b"]] == Decimal("0.5")
    assert "hospital_a" in report["words"]["hospital_a"]["fi"]
    [made] = result.asset_materializations_for_node(f"{USE_CASE.key}__valuation")
    assert set(made.metadata) == {
        "shares",
        "sha256",
        "terms_sha256",
        "mlflow_run_id",
        "utility",
        "test_patients",
        "overlaps",
    }
    client = MlflowClient(Workspace(home).tracking_uri)
    run = client.get_run(str(made.metadata["mlflow_run_id"].value))
    assert {name for name in run.data.metrics if name.startswith("share/")} == {f"share/{n}" for n in COHORT.site_names}
    assert {f.path for f in client.list_artifacts(run.info.run_id)} >= {
        "valuation.json",
        "shares.png",
        "hospital_a.png",
    }
    fewer = {one["holder"]: float(one["share"]) for one in report["holders"]}
    assert valued(home, floor=0.1, quality={"hospital_b": 1.0}).success
    again = json.loads((home / "storage" / USE_CASE.key / "valuation.json").read_bytes())["valuation"]
    assert fewer["hospital_b"] <= next(float(one["share"]) for one in again["holders"] if one["holder"] == "hospital_b")


def test_unknown_terms_are_refused_by_name(home: Path) -> None:
    result = valued(home, utility="auc-linear")
    assert not result.success
    error = str(result.failure_data_for_node(f"{USE_CASE.key}__valuation").error)  # type: ignore[union-attr]
    assert "terms must be well formed, got utility" in error


def test_every_use_case_has_its_job() -> None:
    assert valuation_job("stroke") == "stroke_valuation"
