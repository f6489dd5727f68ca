"""Predicates count what polars counts, and the correction of a control's size has no bias."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.attacks.control_size import control_rate, control_successes
from metrics.attacks.predicates import LARGEST, MISSING, Predicates, counts, numbered, singles
from metrics.attacks.risk import wilson
from metrics.attacks.singling_out import multivariate, random_predicates, univariate
from records.schema import Schema

NUMERIC = np.array([True, True, False])


def table(rows: int, seed: int) -> np.ndarray:
    """Two numbers, the first with missing values, and a category."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(2, rows)).round(1)
    numbers[0, rng.random(rows) < 0.1] = MISSING
    return np.vstack([numbers, rng.integers(4, size=rows)]).astype(float)


def by_polars(values: np.ndarray, predicates: Predicates) -> list[int]:
    frame = pl.DataFrame({str(i): column for i, column in enumerate(values)})
    found = []
    for at in range(len(predicates)):
        holds = pl.lit(True)
        for column, low, high, negated in zip(*(part[at] for part in vars(predicates).values()), strict=True):
            inside = pl.col(str(column)).is_between(low, high)
            holds &= (~inside & (pl.col(str(column)) != MISSING)) if negated else inside
        found.append(frame.filter(holds).height)
    return found


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), width=st.integers(1, 3))
def test_counts_equal_polars(seed: int, width: int) -> None:
    rng, values = np.random.default_rng(seed), table(700, seed)
    predicates = random_predicates(values, NUMERIC, 30, width, rng)
    expected = by_polars(values, predicates)
    assert counts(values, predicates).tolist() == expected
    assert singles(values, predicates).tolist() == [n == 1 for n in expected]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_formed_predicates_single_out_and_differ(seed: int) -> None:
    rng, values = np.random.default_rng(seed), table(300, seed)
    for predicates in (univariate(values, NUMERIC, 50, rng), multivariate(values, NUMERIC, 50, rng, width=2)):
        assert 0 < len(predicates) <= 50
        assert all(n == 1 for n in by_polars(values, predicates))
        assert len(predicates.distinct()) == len(predicates)


def test_order_of_conditions_makes_no_difference() -> None:
    columns, low, high = (
        np.array([[0, 2], [2, 0]]),
        np.array([[1.0, 3.0], [3.0, 1.0]]),
        np.array([[LARGEST, 3], [3, LARGEST]]),
    )
    assert len(Predicates(columns, low, high, np.zeros((2, 2), dtype=bool)).distinct()) == 1


def test_numbers_of_a_table(schema: Schema, train: pl.DataFrame) -> None:
    columns = [schema["stage"], schema["marker"]]
    found = numbered(pl.concat([train, train]), columns)
    rows = train.select("stage", "marker").unique()
    assert found.shape == (2, rows.height)
    assert (found == MISSING).sum() == rows.null_count().sum_horizontal().sum()


@pytest.mark.parametrize("control_rows", [250, 600, 1000])
def test_a_control_of_any_size_is_corrected_without_bias(control_rows: int) -> None:
    """40,000 independent predicates of fresh patients: the mean difference lies within 4 standard errors of 0."""
    rng = np.random.default_rng(control_rows)
    weight = rng.exponential(1 / 400, 40_000)
    in_train, in_control = rng.binomial(600, weight), rng.binomial(control_rows, weight)
    gap = (in_train == 1) - control_successes(in_train, in_control, 600, control_rows)
    assert abs(gap.mean()) < 4 * gap.std() / 200
    assert gap.std() / 200 < 0.005


def test_a_copied_patient_does_not_count_for_the_control() -> None:
    each = control_successes(np.array([1, 1, 0]), np.array([0, 1, 1]), 1000, 400)
    assert np.allclose(each, [0, (0.4 - 0.6) / 0.4, 1 / 0.4])


def test_equal_sizes_give_wilson() -> None:
    rng, values = np.random.default_rng(0), table(500, 1)
    predicates = multivariate(table(500, 0), NUMERIC, 100, rng, width=2)
    hits = int(singles(values, predicates).sum())
    found, expected = control_rate(table(500, 2), values, predicates), wilson(hits, len(predicates))
    assert np.allclose(
        [found.value, found.lower, found.upper], [expected.value, expected.lower, expected.upper], atol=1e-3
    )
