"""A bad cohort file fails the first step with a clear error; every former output stays byte for byte."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from orchestration.definitions import build_definitions
from orchestration.settings import Settings
from tests.orchestration.commands import quick
from use_cases.registry import discover

pytestmark = pytest.mark.slow
GOOD = discover()["stroke"].cohorts[0].load()
CSV = GOOD.write_csv().encode()
FIRST = GOOD.head(1)


def csv(table: pl.DataFrame) -> bytes:
    return table.write_csv().encode()


BAD = {
    "missing column": (csv(GOOD.drop("age")), "age must be in the table"),
    "unknown level": (csv(GOOD.with_columns(sex=pl.lit("zebra"))), "sex must hold levels of the codebook, got 492"),
    "out of bounds": (csv(GOOD.with_columns(age=pl.lit(8866))), "age must lie within"),
    "wrong type": (csv(GOOD.with_columns(age=pl.lit("zebra"))), "age must be of type integer, got 492"),
    "duplicate patient": (csv(pl.concat([GOOD, FIRST])), "must name each patient once, got 1 repeated rows"),
    "header only": (csv(GOOD.clear()), "must have rows, got 0 rows"),
    "empty file": (b"", "must hold a table, got an empty file"),
    "not UTF-8": (CSV + "9,\xe4\n".encode("latin-1"), "must be UTF-8"),
    "all missing": (
        csv(GOOD.with_columns(cholesterol=None)),
        "cholesterol must hold values, got 492 rows, all missing",
    ),
    "one class": (csv(GOOD.with_columns(event=pl.lit("0"))), "death_1y must have both classes, got 1"),
}


@pytest.fixture(scope="module")
def home(new_home: Callable[[], Path]) -> Path:
    folder = new_home()
    assert run(folder, None).success
    return folder


def run(home: Path, file: Path | None) -> dg.ExecuteInProcessResult:
    settings = Settings(home=home, cohorts={"stroke": str(file)} if file else {})
    with dg.instance_for_test() as instance:
        job = build_definitions(settings).resolve_job_def("stroke")
        return job.execute_in_process(run_config=quick("stroke"), instance=instance, raise_on_error=False)


def stored(home: Path) -> dict[Path, bytes]:
    folders = ("storage", "releases", "reports", "measurements")
    return {p: p.read_bytes() for f in folders for p in sorted((home / f).rglob("*")) if p.is_file()}


def words(result: dg.ExecuteInProcessResult) -> str:
    """All that the run's log tells of its failures, with causes and stack traces."""
    return "\n".join(str(event.event_specific_data) for event in result.all_events if event.is_failure)


@pytest.mark.parametrize("name", [*BAD, "truncated Parquet"])
def test_former_outputs_stay(name: str, home: Path, tmp_path: Path) -> None:
    if name == "truncated Parquet":
        file, rule = tmp_path / "new.parquet", "must be a whole Parquet file"
        GOOD.write_parquet(file)
        file.write_bytes(file.read_bytes()[:-100])
    else:
        file, (data, rule) = tmp_path / "new.csv", BAD[name]
        file.write_bytes(data)
    before = stored(home)
    result = run(home, file)
    assert [e.step_key for e in result.all_events if e.is_step_failure] == ["stroke__raw_cohort"]
    assert rule in words(result)
    assert "zebra" not in words(result)
    assert "8866" not in words(result)
    assert stored(home) == before


def test_the_next_run_recovers(home: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_bytes(b"")
    assert not run(home, tmp_path / "new.csv").success
    assert run(home, None).success
