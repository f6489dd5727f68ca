"""A federation of real processes with TLS, asked through Dagster: what comes out, and what it cost."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lifelines
import numpy as np
import polars as pl
import pytest

from orchestration.federation_demo import party_name
from tests.orchestration.commands import done
from use_cases.registry import discover

pytestmark = pytest.mark.slow
STROKE = discover()["stroke"]
COHORT = STROKE.cohorts[0]


@pytest.fixture(scope="module")
def demonstrated(new_home: Callable[[], Path]) -> Path:
    """A home in which the demonstration has run."""
    home = new_home()
    code, output = done(home, "phaseiv", "party", "demo", "stroke")
    assert code == 0, output
    return home


def stored(home: Path, asset: str) -> dict[str, Any]:
    return json.loads((home / "storage" / "stroke" / f"{asset}.json").read_bytes())


def hospitals(home: Path) -> dict[str, pl.DataFrame]:
    files = sorted((home / "storage" / "stroke" / "deidentified").glob("[!.]*.parquet"))
    return {file.stem: pl.read_parquet(file) for file in files}


def test_statistics_are_those_of_pooled_patients(demonstrated: Path) -> None:
    found, pooled = stored(demonstrated, "federated_statistics"), pl.concat(hospitals(demonstrated).values())
    assert found["count"]["result"]["patients"] == pooled.height
    means = {row["column"]: row["mean"] for row in found["moments"]["result"]["columns"]}
    assert means["age"] == pytest.approx(float(np.mean(pooled["age"].to_numpy())), abs=1e-6)
    (curve,) = found["kaplan_meier"]["result"]["curves"]
    fitted = lifelines.KaplanMeierFitter().fit(pooled["time"].to_numpy(), pooled["event"].to_numpy().astype(int))
    reference = fitted.survival_function_at_times(curve["times"]).to_numpy()
    assert np.abs(reference - np.array(curve["survival"])).max() < 0.01
    assert all(one["costs"]["bytes_between_parties"] > 0 for one in found.values())


def test_models_are_there_with_their_costs(demonstrated: Path) -> None:
    found = stored(demonstrated, "federated_model")
    assert {"logistic", "cox", "training"} <= set(found)
    assert 0.5 < found["training"]["result"]["evaluation"]["auc"] < 1
    names = [row["name"] for row in found["cox"]["result"]["coefficients"]]
    assert any("age" in name for name in names)


def test_the_synthetic_table_fits_the_codebook_and_was_paid_everywhere(demonstrated: Path) -> None:
    from deidentification.schema import released_schema
    from records.validation import validate

    frame = pl.read_parquet(demonstrated / "storage" / "stroke" / "federated_synthetic.parquet")
    validate(frame, released_schema(COHORT.table), source="federated_synthetic")
    assert 250 < frame.height < 450  # training patients: 340, with noise
    logs = {site: party_log(demonstrated, site) for site in hospitals(demonstrated)}
    debits = {site: [e["detail"]["rho"] for e in log if e["event"] == "budget.debited"] for site, log in logs.items()}
    assert len({tuple(rhos) for rhos in debits.values()}) == 1
    assert all(len(rhos) == 1 for rhos in debits.values())


def party_log(home: Path, site: str) -> list[dict[str, Any]]:
    name = party_name(site)
    config = home / "federation" / COHORT.name / name / f"{name}.yaml"
    code, output = done(home, "phaseiv", "party", "log", str(config), "--json")
    assert code == 0, output
    return [json.loads(line) for line in output.splitlines()]
