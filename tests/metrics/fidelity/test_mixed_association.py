"""Measures of association against scipy and plain formulas."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import f_oneway, spearmanr
from scipy.stats.contingency import association, chi2_contingency

from metrics.fidelity.mixed_association import association_matrix, correlation_ratio, cramers_v, spearman
from records.discretisation import encode
from records.schema import Column, Kind, Schema

seeds = st.integers(0, 2**31)


def ranks(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1]


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(2, 30), st.integers(20, 80))
def test_spearman_equals_scipy_with_ties(seed: int, distinct: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(distinct, size=rows)
    second = first + rng.integers(distinct, size=rows)
    if np.ptp(first) and np.ptp(second):
        assert spearman(ranks(first), ranks(second)) == pytest.approx(spearmanr(first, second).statistic, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_correlation_ratio_equals_the_analysis_of_variance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    level = rng.permutation(np.arange(60) % 4)
    number = rng.normal(size=60) + rng.uniform(0, 2) * level
    statistic = f_oneway(*[number[level == i] for i in range(4)]).statistic
    assert correlation_ratio(number, level) == pytest.approx(np.sqrt(3 * statistic / (3 * statistic + 56)), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(2, 5), st.integers(2, 5))
def test_cramers_v_equals_a_plain_formula(seed: int, down: int, across: int) -> None:
    counts = np.random.default_rng(seed).integers(1, 30, size=(down, across)).astype(float)
    n = counts.sum()
    phi = chi2_contingency(counts, correction=False).statistic / n
    phi = max(0, phi - (down - 1) * (across - 1) / (n - 1))
    k, r = down - (down - 1) ** 2 / (n - 1), across - (across - 1) ** 2 / (n - 1)
    assert cramers_v(counts) == pytest.approx(min(1, np.sqrt(phi / (min(k, r) - 1))), abs=1e-12)


def test_correction_of_cramers_v_vanishes_in_large_tables() -> None:
    counts = np.array([[4000, 1000, 500], [1000, 5000, 700]])
    assert cramers_v(counts.astype(float)) == pytest.approx(association(counts, method="cramer"), abs=1e-3)


def test_corrected_cramers_v_is_near_0_without_association() -> None:
    rng = np.random.default_rng(0)
    found = [
        cramers_v(np.histogram2d(*rng.integers(6, size=(2, 100)), bins=6)[0]) for _ in range(50)
    ]  # fmt: skip
    assert np.mean(found) < 0.12  # uncorrected: about .22


def test_single_level_has_no_association() -> None:
    assert np.isnan(cramers_v(np.array([[5.0, 6.0], [0.0, 0.0]])))
    assert np.isnan(correlation_ratio(np.arange(5.0), np.zeros(5, int)))
    assert np.isnan(correlation_ratio(np.ones(6), np.arange(6) % 2))
    assert np.isnan(spearman(np.zeros(5, int), np.arange(5)))


def test_matrix_takes_complete_rows_of_each_pair(train: pl.DataFrame, schema: Schema) -> None:
    columns = [schema[name] for name in ("age", "marker", "stage", "smoker")]
    matrix = association_matrix(train, encode(train, columns), columns)
    both = train.drop_nulls(["age", "marker"])
    assert matrix[0, 1] == pytest.approx(spearmanr(both["age"], both["marker"]).statistic, abs=1e-12)
    three = train.drop_nulls(["marker", "stage"])
    level = three["stage"].cast(pl.Enum(["i", "ii", "iii"])).to_physical().to_numpy().astype(int)
    assert matrix[1, 2] == pytest.approx(correlation_ratio(three["marker"].to_numpy(), level), abs=1e-12)
    assert np.array_equal(matrix, matrix.T)
    assert np.array_equal(np.diag(matrix), np.ones(4))


def test_few_complete_rows_have_no_association() -> None:
    column = [Column(name=n, label=n, role="covariate", kind=Kind.NUMBER, minimum=0, maximum=99) for n in "ab"]  # type: ignore[arg-type]
    frame = pl.DataFrame({"a": [*range(19), None], "b": range(20)}, schema={"a": pl.Float64, "b": pl.Float64})
    assert np.isnan(association_matrix(frame, encode(frame, column), column)[0, 1])
