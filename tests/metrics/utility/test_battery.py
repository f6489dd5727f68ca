"""Every test of the battery against scipy, statsmodels and lifelines."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.statistics import multivariate_logrank_test
from scipy.stats import chi2_contingency, kstest, mannwhitneyu
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.stats.multitest import multipletests

from metrics.utility.battery import Association, battery, holm
from metrics.utility.survival_tests import cox_on_one, log_rank
from records.outcome import binary_outcome
from records.schema import Schema

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(train: pl.DataFrame, schema: Schema) -> dict[tuple[str, str], Association]:
    return {(t.test, t.column): t for t in battery(train, schema, schema.outcomes[0])}


def test_every_column_is_tested(found: dict[tuple[str, str], Association]) -> None:
    tests = {column: {t for t, c in found if c == column} for _, column in found}
    assert tests["age"] == {"mann_whitney", "logistic", "cox"}
    assert tests["stage"] == {"chi_squared", "log_rank"}
    assert tests["smoker"] == {"chi_squared", "logistic", "log_rank"}
    assert not {"doctor_guess", "time", "event", "hospital", "patient"} & set(tests)


def test_equal_to_scipy_and_statsmodels(
    train: pl.DataFrame, schema: Schema, found: dict[tuple[str, str], Association]
) -> None:
    table = train.with_columns(binary_outcome(train, schema, schema.outcomes[0]).alias("label"))
    known = table.drop_nulls(["label", "marker"])
    label, marker = known["label"].to_numpy(), known["marker"].to_numpy()
    expected = mannwhitneyu(marker[label], marker[~label], method="asymptotic").pvalue
    assert found["mann_whitney", "marker"].p_value == pytest.approx(expected)
    logit = sm.Logit(label.astype(float), sm.add_constant(marker)).fit(disp=0)
    assert found["logistic", "marker"].value == pytest.approx(logit.params[1], abs=1e-6)
    assert found["logistic", "marker"].p_value == pytest.approx(logit.pvalues[1], rel=1e-4)
    staged = table.drop_nulls(["label", "stage"])
    counts = staged.to_dummies("stage").group_by("label").agg(pl.col("^stage_.*$").sum()).drop("label").to_numpy()
    assert found["chi_squared", "stage"].p_value == pytest.approx(chi2_contingency(counts, correction=False).pvalue)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_log_rank_equals_lifelines(seed: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    time, event = rng.integers(1, 30, 80).astype(float), rng.random(80) < 0.6
    group = np.concatenate([np.arange(groups), rng.integers(groups, size=80 - groups)])
    expected = multivariate_logrank_test(time, group, event).p_value
    assert log_rank(time, event, group) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_cox_on_one_equals_statsmodels(train: pl.DataFrame) -> None:
    time, age = train["time"].to_numpy().astype(float), train["age"].to_numpy().astype(float)
    event = (train["event"].cast(pl.String) == "1").to_numpy()
    expected = PHReg(time, age[:, None], status=event.astype(float), ties="breslow").fit(disp=0)
    assert cox_on_one(time, event, age) == pytest.approx((expected.params[0], expected.bse[0]), rel=1e-5)
    assert np.isnan(cox_on_one(time, event, np.ones(time.size))[0])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_equals_statsmodels_and_ignores_unknown(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(expected)
    assert holm([*p_values, np.nan])[:-1] == pytest.approx(expected)


def test_p_values_of_independent_outcomes_are_uniform(train: pl.DataFrame, schema: Schema) -> None:
    """100 permutations: Kolmogorov-Smirnov rejects a true null in 0.1 % of seeds."""
    outcome = ["time", "event", "recurrence"]
    p_values: dict[str, list[float]] = {}
    for seed in range(100):
        order = np.random.default_rng(seed).permutation(train.height)
        permuted = train.with_columns(train[name][order] for name in outcome)
        for tested in battery(permuted, schema, schema.outcomes[1]):
            if tested.column == "age":
                p_values.setdefault(tested.test, []).append(tested.p_value)
    assert set(p_values) == {"mann_whitney", "logistic", "cox"}
    assert all(kstest(p, "uniform").pvalue > 0.001 for p in p_values.values())


def test_too_few_of_a_class_is_unknown(train: pl.DataFrame, schema: Schema) -> None:
    assert all(np.isnan(t.p_value) for t in battery(train.head(5), schema, schema.outcomes[0]))
    assert all(np.isnan(t.p_value) for t in battery(train.clear(), schema, schema.outcomes[0]))
