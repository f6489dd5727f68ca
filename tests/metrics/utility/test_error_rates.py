"""Type I error, power and coverage with synthesizers whose error rates are known."""

import json
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from metrics.discrimination import clopper_pearson
from metrics.utility.battery import battery
from metrics.utility.error_rates import ErrorRates, clustered_share, error_rates, permuted_outcome
from models.graphical_synthesizer import GraphicalSynthesizer
from records.accounting import epsilon_to_rho
from records.errors import ParameterError
from records.schema import Schema

Draw = Callable[[int, int], pl.DataFrame]


@pytest.fixture(scope="module")
def small(schema: Schema) -> Schema:
    return schema.select(["age", "stage", "smoker", "marker", "time", "event", "recurrence"])


def _rates(train: pl.DataFrame, schema: Schema, refit: Callable, repetitions: int) -> ErrorRates:
    rng = np.random.default_rng(0)
    return error_rates(train, schema, schema.outcomes[1], refit, repetitions=repetitions, rng=rng)


def _standard_error(found: dict[str, float]) -> float:
    return (found["upper"] - found["lower"]) / (2 * 1.96)


def test_permuting_keeps_outcome_and_covariates_apart_from_each_other(train: pl.DataFrame, schema: Schema) -> None:
    permuted = permuted_outcome(train, schema, schema.outcomes[1], np.random.default_rng(0))
    moved, kept = ["recurrence", "time", "event", "doctor_guess"], ["age", "stage", "marker", "smoker", "hospital"]
    assert permuted.select(kept).equals(train.select(kept))
    assert not permuted.select(moved).equals(train.select(moved))
    assert permuted.select(moved).sort(moved).equals(train.select(moved).sort(moved))


@pytest.mark.slow
def test_honest_synthesizer_is_wrong_in_five_percent(small: Schema, draw: Draw) -> None:
    """Fresh patients of the null population, whatever the training table: p-values are right.

    The bound of 3.3 standard errors is exceeded by a right rate in 0.1 % of seeds.
    """

    def fresh(train: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
        return permuted_outcome(draw(train.height, int(rng.integers(2**31))), small, small.outcomes[1], rng)

    rates = _rates(draw(300, 1), small, fresh, 120)
    for found in (rates.type_one, rates.type_one_real):
        assert abs(found["share"] - 0.05) < 3.3 * _standard_error(found)
        assert found["upper"] < 0.1


@pytest.mark.slow
def test_resampling_the_training_table_is_wrong_as_theory_says(small: Schema, draw: Draw) -> None:
    """A bootstrap copy doubles the variance of an estimate: |N(0, 2)| exceeds 1.96 in 16.6 % of cases.

    The bound of 3.3 standard errors is exceeded by a right rate in 0.1 % of seeds.
    """
    expected = 2 * norm.sf(1.959964 / np.sqrt(2))
    rates = _rates(draw(300, 1), small, lambda t, rng: t[rng.integers(t.height, size=t.height)], 120)
    for kind in ("mann_whitney", "logistic", "cox"):
        found = rates.tests[kind]["type_one"]
        assert abs(found["share"] - expected) < 3.3 * _standard_error(found)
    assert rates.type_one_real["upper"] < rates.type_one["lower"]
    assert {test["verdict"] for test in rates.tests.values()} <= {"not trusted", "unknown"}
    assert rates.coverage_real["share"] > 0.92
    assert rates.coverage["share"] < 0.88
    json.dumps(rates.to_json(), allow_nan=False)


def test_copying_is_as_good_as_the_real_table(small: Schema, draw: Draw) -> None:
    rates = _rates(draw(300, 1), small, lambda t, _: t, 20)
    assert rates.type_one == rates.type_one_real
    assert rates.power == rates.power_real
    assert rates.coverage == rates.coverage_real
    assert rates.power["share"] > 0.8


def test_independent_columns_find_nothing(small: Schema, draw: Draw) -> None:
    def shuffled(train: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
        return train.select(train[name][rng.permutation(train.height)] for name in train.columns)

    rates = _rates(draw(300, 1), small, shuffled, 30)
    assert rates.power["upper"] < 0.15 < rates.power_real["lower"]


@pytest.mark.slow
def test_private_table_is_anti_conservative(small: Schema, draw: Draw) -> None:
    """As Montoya Perez et al. (2024) found at epsilon 1 and few patients."""

    def private(train: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
        model = GraphicalSynthesizer(secure=False)
        model.fit(train.select(small.names), small, budget=epsilon_to_rho(1, 1e-5), rng=rng)
        return model.sample(train.height, rng=rng)

    rates = _rates(draw(300, 1), small, private, 15)
    assert rates.type_one["lower"] > 0.075
    assert rates.type_one_real["lower"] < 0.075


@given(st.integers(0, 40), st.integers(2, 40))
def test_one_test_per_table_has_clopper_pearsons_bounds(hits: int, trials: int) -> None:
    """Up to the factor trials / (trials - 1) of the variance."""
    hits = min(hits, trials)
    found = clustered_share((np.arange(trials) < hits).astype(float)[:, None])
    exact = clopper_pearson(hits, trials)
    assert found.value == exact.value
    assert (found.lower, found.upper) == pytest.approx((exact.lower, exact.upper), abs=0.06)


def test_the_same_test_done_ten_times_is_one_test() -> None:
    once = (np.random.default_rng(0).random((80, 1)) < 0.2).astype(float)
    one, ten = clustered_share(once), clustered_share(np.repeat(once, 10, axis=1))
    assert (ten.lower, ten.upper) == pytest.approx((one.lower, one.upper))
    assert np.isnan(clustered_share(np.full((3, 2), np.nan)).value)


def test_bad_repetitions_and_refits_are_refused(small: Schema, train: pl.DataFrame) -> None:
    with pytest.raises(ParameterError, match="repetitions must be at least 2"):
        _rates(train, small, lambda t, _: t, 1)
    with pytest.raises(ParameterError, match="as many rows"):
        _rates(train, small, lambda t, _: t.head(10), 2)


def test_battery_order_depends_on_the_schema_only(small: Schema, draw: Draw) -> None:
    orders = [[(a.test, a.column) for a in battery(draw(rows, 5), small, small.outcomes[1])] for rows in (5, 200)]
    assert orders[0] == orders[1]
