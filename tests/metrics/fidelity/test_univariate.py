"""Distances of single columns against scipy."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

from metrics.fidelity.references import compared
from metrics.fidelity.univariate import jensen_shannon, number_distances, univariate
from records.schema import Schema

numbers = st.lists(st.integers(-20, 20).map(lambda x: x / 4), min_size=1, max_size=40)
counts = st.integers(2, 8).flatmap(
    lambda k: st.tuples(*[st.lists(st.integers(0, 30), min_size=k, max_size=k).filter(any)] * 2)
)


@settings(max_examples=150, deadline=None)
@given(numbers, numbers)
def test_numbers_equal_scipy(first: list[float], second: list[float]) -> None:
    steps, area = number_distances(np.sort(first), np.sort(second))
    assert steps == pytest.approx(ks_2samp(first, second, method="asymp").statistic, abs=1e-9)
    assert area == pytest.approx(wasserstein_distance(first, second), abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(counts)
def test_categories_equal_scipy(case: tuple[list[int], list[int]]) -> None:
    first, second = (np.array(c) for c in case)
    expected = np.nan_to_num(jensenshannon(first, second, base=2))  # its root of -1e-17 is NaN
    assert jensen_shannon(first, second) == pytest.approx(expected, abs=1e-7)


def test_same_is_0_and_disjoint_is_1() -> None:
    assert number_distances(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == (0, 0)
    assert number_distances(np.array([0.0]), np.array([3.0, 5.0])) == (1, 4)
    assert jensen_shannon(np.array([3, 0]), np.array([9, 0])) == 0
    assert jensen_shannon(np.array([3, 0]), np.array([0, 5])) == 1


def test_report_reads_known_values_only(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    report = univariate(compared(train, holdout, fresh, schema, rng=np.random.default_rng(0)))
    marker = next(c for c in report.columns if c["name"] == "marker")
    known = [frame["marker"].drop_nulls().to_numpy() for frame in (train, fresh)]
    assert marker["kolmogorov_smirnov"]["synthetic"] == pytest.approx(ks_2samp(*known).statistic)
    assert marker["wasserstein"]["synthetic"] == pytest.approx(wasserstein_distance(*known) / 50)
    assert marker["jensen_shannon"] is None
    assert report.mean is not None
    assert set(report.mean) == {"kolmogorov_smirnov", "wasserstein", "jensen_shannon"}
    assert report.mean["jensen_shannon"]["independent"] == 0


def test_column_without_known_values_has_a_reason(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    broken = train.with_columns(marker=pl.lit(None, dtype=pl.Float64))
    report = univariate(compared(train, holdout, broken, schema, rng=np.random.default_rng(0))).to_json()
    marker = next(c for c in report["columns"] if c["name"] == "marker")
    assert marker["kolmogorov_smirnov"]["synthetic"] is None
    assert marker["reason"] == "no value is known in train or in the synthetic table"
    assert report["mean"]["kolmogorov_smirnov"]["synthetic"] is not None
