"""Estimates against scipy and statsmodels."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy.stats import chi2, chi2_contingency, mannwhitneyu
from statsmodels.duration.hazard_regression import PHReg

from models.inference.cox import cox_regression
from models.inference.estimates import chi_squared, cox, logistic, mann_whitney, mean, proportion
from records.outcome import binary_outcome
from tests.models.bundled import learnt_from


def test_mean_and_proportion() -> None:
    table, _ = learnt_from("byar_greene")
    found = mean("age")(table)
    known = table["age"].drop_nulls()
    assert found.value[0] == pytest.approx(known.mean())
    assert found.covariance[0, 0] == pytest.approx(known.std() ** 2 / known.len())  # type: ignore[operator]
    assert proportion("bone_metastasis", "1")(table).value[0] == pytest.approx((table["bone_metastasis"] == "1").mean())


def test_mann_whitney_is_the_area_under_the_curve() -> None:
    table, _ = learnt_from("byar_greene")
    found = mann_whitney("haemoglobin" if "haemoglobin" in table.columns else "age", "bone_metastasis")(table)
    name = "haemoglobin" if "haemoglobin" in table.columns else "age"
    known = table.select(name, "bone_metastasis").drop_nulls()
    groups = [known.filter(pl.col("bone_metastasis") == g)[name].to_numpy() for g in ("0", "1")]
    u = mannwhitneyu(groups[1], groups[0])
    assert found.value[0] + 0.5 == pytest.approx(u.statistic / (groups[0].size * groups[1].size))
    z = abs(found.value[0]) / np.sqrt(found.covariance[0, 0])
    assert 2 * (1 - chi2.cdf(z**2, 1)) / 2 == pytest.approx(u.pvalue, abs=0.05)


def test_chi_squared_statistic() -> None:
    table, schema = learnt_from("copenhagen")
    names = [c.name for c in schema.columns if c.levels and not c.missing and c.name != "event"][:2]
    found = chi_squared(*names)(table)
    wald = found.value @ np.linalg.pinv(found.covariance) @ found.value
    counts = table.group_by(names).len().pivot(names[1], index=names[0], values="len").fill_null(0)
    expected = chi2_contingency(counts.drop(names[0]).to_numpy(), correction=False)
    assert wald == pytest.approx(expected.statistic, rel=1e-6)


def test_logistic_is_that_of_statsmodels() -> None:
    table, schema = learnt_from("byar_greene")
    outcome = schema.outcomes[0]
    found = logistic(lambda t: binary_outcome(t, schema, outcome), ["age", "bone_metastasis"])(table)
    known = table.with_columns(binary_outcome(table, schema, outcome)).drop_nulls(["age", outcome.name])
    design = np.column_stack([known["age"].cast(pl.Float64), (known["bone_metastasis"] == "1").cast(pl.Float64)])
    fitted = sm.Logit(known[outcome.name].cast(pl.Float64).to_numpy(), sm.add_constant(design)).fit(disp=0)
    assert found.names == ("age", "bone_metastasis=1")
    assert found.value == pytest.approx(fitted.params[1:], rel=1e-5)
    assert found.covariance == pytest.approx(fitted.cov_params()[1:, 1:], rel=1e-4)


def test_cox_is_that_of_statsmodels() -> None:
    table, schema = learnt_from("byar_greene")
    time, event = schema.time.name, schema.event.name  # type: ignore[union-attr]
    found = cox(time, event, ["age", "bone_metastasis"])(table)
    known = table.select(time, event, "age", "bone_metastasis").drop_nulls()
    design = np.column_stack([known["age"].cast(pl.Float64), (known["bone_metastasis"] == "1").cast(pl.Float64)])
    status = (known[event] == "1").to_numpy().astype(int)
    fitted = PHReg(known[time].cast(pl.Float64).to_numpy(), design, status, ties="breslow").fit()
    assert found.value == pytest.approx(fitted.params, rel=1e-6)
    assert found.covariance == pytest.approx(fitted.cov_params(), rel=1e-6)


def test_cox_without_a_maximum_is_not_finite() -> None:
    constant = cox_regression(np.arange(1.0, 9), np.ones(8, dtype=bool), np.zeros((8, 1)))
    assert np.isnan(constant[0]).all()
