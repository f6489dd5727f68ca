"""The benchmark's scorer tells copies from shuffled columns, and its page hides no peer that failed."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from benchmarks.synthesis.__main__ import NON_PRIVATE, OURS, PEERS, REFERENCES, SCHEMA
from benchmarks.synthesis.ours import drawn_by_ours
from benchmarks.synthesis.page import FIGURES, table, write_page
from benchmarks.synthesis.peer import PEERS as RUNNERS
from benchmarks.synthesis.peer import said
from benchmarks.synthesis.scoring import scores
from deidentification.pipeline import deidentify
from deidentification.schema import released_schema
from records.schema import Schema
from use_cases.registry import discover

Scores = dict[str, Any]


@pytest.fixture(scope="module")
def halves() -> tuple[pl.DataFrame, pl.DataFrame, Schema]:
    """The trial of Byar and Greene, split at random."""
    cohort = discover()["prostate"].cohort("byar_greene")
    schema = released_schema(cohort.table)
    made = deidentify(cohort.load(), cohort.table, key=b"benchmark" * 4, k=5)
    patients = made.frame.select(schema.names)
    patients = patients[np.random.default_rng(0).permutation(patients.height)]
    return patients[:350], patients[350:], schema


@pytest.fixture(scope="module")
def copy(halves: tuple[pl.DataFrame, pl.DataFrame, Schema]) -> Scores:
    train, holdout, schema = halves
    return scores(train, train, holdout, schema)


@pytest.fixture(scope="module")
def independent(halves: tuple[pl.DataFrame, pl.DataFrame, Schema]) -> Scores:
    train, holdout, schema = halves
    return scores(drawn_by_ours("independent", train, schema, epsilon=0.0, seed=0)[0], train, holdout, schema)


def test_a_copy_is_at_no_distance_and_is_found_out(copy: Scores) -> None:
    assert copy["tvd2_train"] == 0
    assert copy["membership_auc"] > 0.99


def test_independent_columns_are_worse_and_private(copy: Scores, independent: Scores) -> None:
    assert independent["tvd2_train"] > 0.05
    assert independent["tvd2"] > copy["tvd2"]
    assert independent["tvd2_max"] > 1.3 * copy["tvd2_max"]
    assert independent["tstr"] < copy["tstr"]
    assert independent["km_gap"] > 2 * copy["km_gap"]
    assert abs(independent["membership_auc"] - 0.5) < 0.1


@pytest.fixture
def results() -> pl.DataFrame:
    """Two seeds of each, of which one peer failed once and another always."""
    rows = []
    for synthesizer, epsilon, tstr in [
        ("real", 0.0, 0.9), ("arfpy-arf", 0.0, 0.8), ("mst", 5.0, 0.75), ("dpmm-mst", 1.0, 0.6), ("mst", 1.0, 0.7),
        ("opendp-aim", 1.0, None), ("independent", 0.0, 0.5),
    ]:  # fmt: skip
        for seed in range(2):
            row = dict.fromkeys(SCHEMA) | {
                "cohort": "made_up", "synthesizer": synthesizer, "epsilon": epsilon, "seed": seed,
            }  # fmt: skip
            if tstr is None or (synthesizer, seed) == ("dpmm-mst", 1):
                row["error"] = "opendp aim: more than 1500 CPU s"
            else:
                row |= dict.fromkeys(FIGURES, tstr)
            rows.append(row)
    return pl.DataFrame(rows, schema=SCHEMA)


def test_the_table_goes_by_epsilon_then_utility_and_ends_without_privacy(results: pl.DataFrame) -> None:
    cells = [line.strip("| ").split(" | ") for line in table(results)[2:]]
    assert [row[0] for row in cells] == [
        "mst", "dpmm-mst", "opendp-aim", "mst", "real", "arfpy-arf", "independent",
    ]  # fmt: skip
    assert [row[1] for row in cells] == ["1", "1", "1", "5", "none", "none", "none"]


def test_the_page_lists_failed_peers_with_their_reason(results: pl.DataFrame, tmp_path: Path) -> None:
    write_page(results, tmp_path, limit=1500)
    page = (tmp_path / "synthesis.md").read_text(encoding="utf-8")
    assert "| opendp-aim | 1 | 0 of 2 | opendp aim: more than 1500 CPU s |" in page
    assert "| dpmm-mst | 1 | 1 of 2 | 0.600 |" in page
    assert "membership AUC" in page
    assert (tmp_path / "synthesis.png").stat().st_size > 10_000


def test_every_row_of_the_table_has_all_columns(results: pl.DataFrame) -> None:
    assert {line.count("|") for line in table(results)} == {len(FIGURES) + 6}


def test_names_are_distinct_and_every_peer_has_a_runner_and_an_environment() -> None:
    groups = (OURS, PEERS, REFERENCES, NON_PRIVATE)
    assert not any(set(a) & set(b) for a, b in itertools.combinations(groups, 2))
    wanted = (RUNNERS / "requirements.txt").read_text(encoding="utf-8")
    for package in {name.partition("-")[0] for name in (*PEERS, *NON_PRIVATE)}:
        assert (RUNNERS / f"run_{package}.py").exists()
        assert f"\n{package}: " in wanted


def test_a_peers_error_is_its_last_line_with_a_word() -> None:
    assert said('Traceback\nFFI("insufficient budget")\n")\n') == 'FFI("insufficient budget")'
    assert said("") == "failed without a word"
