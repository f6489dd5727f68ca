"""Linear reconstruction finds copies, and exchanged controls keep it honest on fresh patients."""

import json
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy.optimize import lsq_linear

from metrics.attacks.cell_sums import cell_sums, fitted_bits, pairs_of
from metrics.attacks.reconstruction import reconstruction, secret_bits
from records.schema import Schema
from tests.models.bundled import learnt_from

Draw = Callable[[int, int], pl.DataFrame]


@pytest.fixture(scope="module")
def plain_schema(schema: Schema) -> Schema:
    """Without the column that gives the outcome away."""
    return schema.select([n for n in schema.names if n != "doctor_guess"])


def test_copies_of_few_columns_are_caught(train: pl.DataFrame, holdout: pl.DataFrame, plain_schema: Schema) -> None:
    report = reconstruction(train, holdout, train, plain_schema, rng=np.random.default_rng(0))
    assert report.secrets["smoker"].advantage_lower > 0
    assert report.worst.advantage_lower >= report.secrets["smoker"].advantage_lower


def test_a_bootstrap_copy_of_a_real_cohort_is_caught() -> None:
    patients, schema = learnt_from("support2_lung")
    rng = np.random.default_rng(0)
    patients = patients[rng.permutation(patients.height)]
    train, holdout = patients[:600], patients[600:]
    report = reconstruction(train, holdout, train[rng.integers(600, size=600)], schema, rng=rng)
    assert min(found.advantage_lower for found in report.secrets.values()) > 0.1


@pytest.mark.slow
def test_fresh_patients_show_no_advantage(draw: Draw, plain_schema: Schema) -> None:
    """40 perfect synthesizers: the 95 % interval of one secret misses 0 in more than 6 with probability 0.003."""
    found = []
    for seed in range(40):
        tables = [draw(rows, 7000 + 3 * seed + i) for i, rows in enumerate((400, 200, 400))]
        report = reconstruction(*tables, plain_schema, rng=np.random.default_rng(seed), bootstraps=200)
        found.append(report.secrets["smoker"])
    assert sum(not f.advantage_lower <= 0 <= f.advantage_upper for f in found) <= 6
    assert abs(np.mean([f.advantage for f in found])) < 0.03


def test_the_solution_is_the_bounded_least_squares(draw: Draw) -> None:
    rng = np.random.default_rng(0)
    patients, synthetic = rng.integers(4, size=(30, 3)), rng.integers(4, size=(80, 3))
    sums, sets = cell_sums(synthetic, rng.random(80) < 0.4), pairs_of(3)
    rows, wanted = [], []
    for columns in sets:
        cell, total, variance = sums(patients, columns)
        rows.append((cell == np.arange(len(total))[:, None]) / np.sqrt(variance)[:, None])
        wanted.append(total / np.sqrt(variance))
    matrix, target = np.vstack(rows), np.concatenate(wanted)
    best = lsq_linear(matrix, target, bounds=(0, 1), tol=1e-12)
    mine = fitted_bits(patients, sums, sets)
    assert np.all((mine >= 0) & (mine <= 1))
    assert np.sum((matrix @ mine - target) ** 2) / 2 <= best.cost * (1 + 1e-3) + 1e-6


def test_secrets_come_from_the_schema(train: pl.DataFrame, schema: Schema) -> None:
    bits = secret_bits(train, schema)
    assert list(bits) == ["death_1y", "smoker", "recurrence"]
    assert bits["recurrence"].words == "Recurrence: Yes or not" or bits["recurrence"].words == "Recurrence: No or not"
    assert bits["death_1y"](train).null_count() > 0


def test_figures_that_cannot_be_had_have_a_reason(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    rng = np.random.default_rng(0)
    assert "no row" in reconstruction(train, holdout, fresh[:0], schema, rng=rng).reason
    assert "too few" in reconstruction(train, holdout[:4], fresh, schema, rng=rng).reason
    assert "no column" in reconstruction(train, holdout, fresh, schema.select(["patient", "age"]), rng=rng).reason
    one_class = fresh.with_columns(pl.lit("0").cast(schema["smoker"].dtype).alias("smoker"))
    report = reconstruction(train, holdout, one_class, schema, rng=rng)
    assert "too few" in report.secrets["smoker"].reason
    json.dumps(report.to_json(), allow_nan=False)
