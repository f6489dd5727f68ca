"""``phaseiv evaluate`` and ``compare`` on real patients: a copy, independent columns, a private table, and bad input."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import polars as pl
import pytest

from assets.workspace import Workspace
from hub.budget import BudgetLedger
from metrics.reporting.document import document_schema
from models.graphical_synthesizer import GraphicalSynthesizer
from orchestration.evaluation_input import Files, comparable, compared_tables
from orchestration.own_table import Allowance
from orchestration.private_test import answer_privately
from records.accounting import epsilon_to_rho
from records.errors import BudgetError, CodebookError, StorageError, TableError
from tests.orchestration.commands import done
from use_cases.registry import discover

COHORT = discover()["stroke"].cohort("copenhagen")
SCHEMA = comparable(COHORT.table)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Training and held-out patients, and a table made by our synthesizer."""
    folder, rng = tmp_path_factory.mktemp("tables"), np.random.default_rng(0)
    patients = COHORT.load()
    order = rng.permutation(patients.height)
    train, holdout = patients[order[:340]], patients[order[340:]]
    model = GraphicalSynthesizer(secure=False)
    model.fit(train.select(SCHEMA.names), SCHEMA, budget=epsilon_to_rho(1, 1e-5), rng=rng)
    tables = {"real": train, "holdout": holdout, "synthetic": model.sample(340, rng=rng)}
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    paths = [folder / f"{name}.parquet" for name in tables]
    return Files(*paths, COHORT.folder / "copenhagen.yaml")


def changed(files: Files, part: str, change: Callable[[pl.DataFrame], pl.DataFrame], folder: Path) -> Files:
    path = folder / f"{part}.parquet"
    change(pl.read_parquet(getattr(files, part))).write_parquet(path)
    return files._replace(**{part: path})


def test_tables_come_in_one_form(files: Files) -> None:
    tables = compared_tables(files)
    assert tables.schema.names == SCHEMA.names
    assert tables.synthetic.columns == SCHEMA.names
    assert set(SCHEMA.names) <= set(tables.train.columns)


def test_csv_from_another_tool_is_read(files: Files, tmp_path: Path) -> None:
    made = tmp_path / "made.csv"
    pl.read_parquet(files.synthetic).write_csv(made)
    assert compared_tables(files._replace(synthetic=made)).synthetic.equals(compared_tables(files).synthetic)


BAD = {
    "missing column": (lambda t: t.drop("age"), "synthetic: age must be in the table"),
    "extra column": (lambda t: t.with_columns(hair=pl.lit("red")), "1 more: hair"),
    "other type": (lambda t: t.with_columns(age=pl.lit("old")), "synthetic: age must be of type integer, got 340 rows"),
    "unknown level": (lambda t: t.with_columns(sex=pl.lit("x")), "synthetic: sex must hold levels of the codebook"),
    "few rows": (lambda t: t.head(49), "at least 50 rows, got 49"),
    "no rows": (lambda t: t.clear(), "got 0 rows"),
    "NaN only": (lambda t: t.with_columns(age=pl.lit(float("nan"))), "synthetic: age must hold values"),
    "out of bounds": (lambda t: t.with_columns(age=pl.lit(500)), "synthetic: age must lie within"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_synthetic_tables_are_told(files: Files, tmp_path: Path, name: str) -> None:
    change, words = BAD[name]
    with pytest.raises(TableError, match=words):
        compared_tables(changed(files, "synthetic", change, tmp_path))


def test_all_problems_of_all_tables_come_in_one_error(files: Files, tmp_path: Path) -> None:
    bad = changed(files, "synthetic", lambda t: t.drop("age").with_columns(sex=pl.lit("x")), tmp_path)
    bad = changed(bad, "holdout", lambda t: t.drop("sex"), tmp_path)
    with pytest.raises(TableError) as error:
        compared_tables(bad)
    assert {p.column for p in error.value.problems} >= {"synthetic: age", "synthetic: sex", "holdout: sex"}


def test_a_file_that_is_no_table_is_told(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(StorageError, match=r"broken.parquet must be a whole Parquet file"):
        compared_tables(files._replace(synthetic=path))


def test_a_codebook_without_outcome_is_told(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "bare.yaml"
    path.write_text("name: bare\ntitle: Bare\ncolumns:\n- {name: sex, label: Sex, role: covariate, kind: category, levels: {a: A, b: B}}\n")  # fmt: skip
    with pytest.raises(CodebookError, match="must name an outcome"):
        compared_tables(files._replace(codebook=path))


def evaluated(home: Path, files: Files, out: Path, *more: str) -> tuple[int, str]:
    named = [word for name in ("real", "holdout", "synthetic") for word in (f"--{name}", str(getattr(files, name)))]
    return done(home, "phaseiv", "evaluate", *named, "--schema", str(files.codebook), "--out", str(out), *more)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["overlap", "copy of the holdout"])
def test_a_split_that_is_none_writes_nothing(files: Files, tmp_path: Path, name: str) -> None:
    holdout, real = pl.read_parquet(files.holdout), pl.read_parquet(files.real)
    if name == "overlap":
        bad = changed(files, "holdout", lambda _: pl.concat([real.head(30), holdout]), tmp_path)
    else:
        bad = changed(files, "synthetic", lambda _: holdout.select(SCHEMA.names), tmp_path)
    out = tmp_path / "page.html"
    code, output = evaluated(tmp_path, bad, out)
    assert code == 1
    assert ("must not repeat training patients" if name == "overlap" else "must not repeat held-out patients") in output
    assert "Traceback" not in output
    assert not out.exists()


@pytest.mark.slow
def test_a_copy_and_independent_columns_are_refused_and_a_private_table_keeps_privacy(
    files: Files, tmp_path: Path
) -> None:  # fmt: skip
    real = pl.read_parquet(files.real).select(SCHEMA.names)
    rng = np.random.default_rng(1)
    tables = {
        "copy": lambda _: real[rng.integers(real.height, size=real.height)],
        "independent": lambda _: pl.DataFrame([real[c].gather(rng.permutation(real.height)) for c in real.columns]),
        "private": lambda t: t,
    }
    found = {}
    for name, change in tables.items():
        code, output = evaluated(tmp_path, changed(files, "synthetic", change, tmp_path), tmp_path / f"{name}.html")
        found[name] = json.loads((tmp_path / f"{name}.json").read_bytes())
        assert code == (0 if found[name]["verdict"]["released"] else 1), output
        jsonschema.validate(found[name], document_schema(), cls=jsonschema.Draft202012Validator)
        assert "Traceback" not in output
        assert "<img" in (tmp_path / f"{name}.html").read_text()
    failed = {n: {f["rule"] for f in d["verdict"]["findings"] if not f["passed"]} for n, d in found.items()}
    alarms = {"membership_auc_lower", "worst_attack_lower", "worst_attack_upper", "exact_copies_excess"}
    assert alarms <= failed["copy"]
    attacks = [a for a in found["copy"]["privacy"]["membership"]["attacks"] if a["group"] == "all"]
    assert len(attacks) == 4
    assert all(a["auc_lower"] > 0.55 for a in attacks)
    assert failed["independent"] & {"tstr_auc", "tstr_auc_lower", "tstr_loss"}
    usefulness = {"tstr_auc", "tstr_auc_lower", "tstr_loss", "mean_tvd2", "subgroup_loss", "broken_rows"}
    assert failed["private"] <= usefulness
    code, output = done(
        tmp_path, "phaseiv", "compare", *(str(tmp_path / f"{n}.json") for n in tables), "--out",
        str(tmp_path / "comparison.html"),
    )  # fmt: skip
    assert code == 0, output
    assert "refused" in (tmp_path / "comparison.html").read_text()


def test_an_outsider_gets_one_noisy_number_that_is_debited_once(files: Files, tmp_path: Path) -> None:
    workspace, allowance = Workspace(tmp_path), Allowance(1e-5, 1.0)

    def asked(epsilon: float) -> dict[str, Any]:
        return answer_privately(files.holdout, files.synthetic, files.codebook, epsilon, allowance, workspace)

    first = asked(5.0)
    spent = BudgetLedger(workspace.ledger_url).spent("copenhagen/test")
    assert spent == pytest.approx(epsilon_to_rho(5.0, 1e-5))
    assert first["auc_lower"] < first["auc"] < first["auc_upper"]
    assert first["spend"]["rho"] == pytest.approx(spent)
    assert asked(5.0) == first
    assert BudgetLedger(workspace.ledger_url).spent("copenhagen/test") == spent
    with pytest.raises(BudgetError, match="must fit what is left of its budget"):
        asked(4.9)
    assert len(list((tmp_path / "private_tests").iterdir())) == 1


@pytest.mark.slow
def test_what_the_command_cannot_do_is_told(files: Files, tmp_path: Path) -> None:
    for more, words in (
        (("--synthesizer", "magic"), "synthesizer must be one of"),
        (("--limits", str(files.codebook)), "must be a valid list of the gate's limits"),
        (("--out", str(tmp_path / "page.pdf")), "out must end in .html"),
    ):
        code, output = evaluated(tmp_path, files, tmp_path / "page.html", *more)
        assert code == 1
        assert words in output
    assert not list(tmp_path.glob("page*"))
