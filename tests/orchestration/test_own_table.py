"""A table the project never saw, with its own codebook, through the command line."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from orchestration.cli import app
from records.schema import Schema
from records.validation import validate

CODEBOOK = {
    "name": "clinic", "title": "A generated clinic",
    "columns": [
        {"name": "age", "label": "Age", "role": "quasi-identifier", "kind": "integer", "minimum": 18, "maximum": 90,
         "unit": "a", "step": 1},
        {"name": "ward", "label": "Ward", "role": "covariate", "kind": "category", "levels": {"a": "A", "b": "B"}},
        {"name": "lactate", "label": "Lactate", "role": "covariate", "kind": "number", "minimum": 0, "maximum": 20,
         "unit": "mmol/L", "missing": True, "bins": [1, 2, 4, 8], "step": 0.1},
        {"name": "died", "label": "Died", "role": "outcome", "kind": "category", "levels": {"0": "no", "1": "yes"}},
    ],
    "outcomes": [{"name": "died", "label": "Died", "column": "died", "positive": ["1"]}],
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHASEIV_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    rng = np.random.default_rng(0)
    died = rng.random(400) < 0.3
    lactate = np.where(died, 6.0, 1.5).round(1)
    pl.DataFrame(
        {"age": rng.integers(18, 91, 400), "ward": rng.choice(["a", "b"], 400),
         "lactate": lactate, "died": died.astype(int).astype(str)}
    ).write_csv(tmp_path / "clinic.csv")  # fmt: skip
    (tmp_path / "clinic.yaml").write_text(yaml.safe_dump(CODEBOOK), encoding="utf-8")
    return tmp_path


def called(files: Path, *more: str) -> tuple[int, str]:
    command = ["synthesize", "--schema", str(files / "clinic.yaml"), "--data", str(files / "clinic.csv"),
               "--out", str(files / "made.csv"), *more]  # fmt: skip
    result = CliRunner().invoke(app, command)
    return result.exit_code, result.output


def test_own_table_to_a_synthetic_one(files: Path) -> None:
    code, output = called(files, "--epsilon", "5")
    assert code == 0, output
    made = validate(
        pl.read_csv(files / "made.csv", schema_overrides={"died": pl.String}), Schema(**CODEBOOK), source="made"
    )
    assert 350 < made.height < 450
    means = made.group_by("died").agg(pl.col("lactate").mean()).sort("died")["lactate"]
    assert means[0] < 3 < means[1]
    manifest = json.loads((files / "made.csv.json").read_text())
    assert manifest["spend"]["epsilon"] <= 5
    assert manifest["model"]["family"] == "graphical model"


def test_given_holds(files: Path) -> None:
    assert called(files, "--rows", "20", "--given", "ward=b", "--given", "age=70")[0] == 0
    made = pl.read_csv(files / "made.csv")
    assert made.height == 20
    assert (made["ward"] == "b").all()
    assert (made["age"] == 70).all()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--epsilon", "-1"), "epsilon must lie between"),
        (("--given", "height=1"), "given must hold columns of clinic"),
        (("--given", "age"), "given"),
        (("--epsilon", "50"), "budget"),
        (("--synthesizer", "best"), "synthesizer must be one of"),
    ],
)
def test_bad_requests_write_nothing(files: Path, more: tuple[str, ...], words: str) -> None:
    (files / "made.csv").write_text("former", encoding="utf-8")
    code, output = called(files, *more)
    assert code == 1
    assert words in output
    assert (files / "made.csv").read_text() == "former"
    assert not (files / "made.csv.json").exists()


def test_a_bad_table_is_refused_with_counts_only(files: Path) -> None:
    table = pl.read_csv(files / "clinic.csv").with_columns(pl.lit("z").alias("ward"), pl.lit(300).alias("age"))
    table.write_csv(files / "clinic.csv")
    code, output = called(files)
    assert code == 1
    assert "2 problems" in output
    assert "400 rows" in output


def test_tables_for_inference_measure_what_the_analysis_names(files: Path) -> None:
    code, output = called(files, "--epsilon", "5", "--measure", "ward,died", "--tables", "6", "--rows", "300")
    assert code == 0, output
    made = pl.read_csv(files / "made.csv")
    assert made["table"].value_counts().sort("table")["count"].to_list() == [300] * 6
    model = json.loads((files / "made.csv.json").read_text())["model"]
    assert "ward x died" in model["graph"]
    code, output = called(files, "--epsilon", "1", "--measure", "ward,size")
    assert code == 1
    assert "marginals must name columns of clinic or class, got size" in output


def test_balance_draws_all_levels_equally(files: Path) -> None:
    code, output = called(files, "--epsilon", "5", "--balance", "died", "--rows", "100")
    assert code == 0, output
    assert pl.read_csv(files / "made.csv")["died"].sum() == 50
    code, output = called(files, "--balance", "died", "--given", "ward=a")
    assert code == 1
    assert "only one of given, balance and tables" in output


def test_impute_completes_the_patients_rows(files: Path) -> None:
    table = pl.read_csv(files / "clinic.csv", infer_schema=False)
    holes = table.with_columns(pl.when(pl.arange(table.height) % 4 > 0).then(pl.col("lactate")))
    holes.write_csv(files / "holes.csv")
    command = ["impute", "--schema", str(files / "clinic.yaml"), "--data", str(files / "holes.csv")]
    result = CliRunner().invoke(app, [*command, "--tables", "3", "--out", str(files / "full.parquet")])
    assert result.exit_code == 0, result.output
    assert "100 missing values" in result.output
    full = pl.read_parquet(files / "full.parquet")
    assert full.height == 1200
    assert full["lactate"].null_count() == 0
    hidden = full.filter(pl.col("row_number").cast(pl.Int64) % 4 == 0)
    by_outcome = hidden.group_by(pl.col("died").cast(pl.String)).agg(pl.col("lactate").mean()).sort("died")["lactate"]
    assert by_outcome[0] < 3 < by_outcome[1]
