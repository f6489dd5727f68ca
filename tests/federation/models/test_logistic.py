"""Logistic regression over hospitals, against statsmodels on the pooled table."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from federation.models.logistic import logistic
from federation.site import TableSite
from records.errors import ParameterError
from records.schema import Column, Kind, Role, Schema
from tests.federation.parties import a_job, computed, hospitals

NCCTG, POOLED, SCHEMA = hospitals("lung", "ncctg_lung")
SUPPORT, SUPPORT_POOLED, SUPPORT_SCHEMA = hospitals("lung", "support2_lung")


def _reference(rows: pl.DataFrame, names: list[str], label: np.ndarray):
    blocks = [np.ones((rows.height, 1))]
    for name in names:
        column = SCHEMA[name]
        if column.kind is Kind.CATEGORY:
            codes = rows[name].cast(pl.String).to_numpy()
            blocks += [(codes == level).astype(float)[:, None] for level in list(column.levels)[1:]]
        else:
            blocks.append(rows[name].to_numpy().astype(float)[:, None])
    return sm.Logit(label, np.concatenate(blocks, axis=1)).fit(disp=0, method="newton", tol=1e-12)


def test_coefficients_are_the_pooled_ones():
    names = ["age", "sex", "weight_loss"]
    job = a_job("logistic", [*names, "time", "event"], parameters={"horizon": 365})
    result = computed(logistic, NCCTG, job)
    known = POOLED.select(*names, "time", "event").drop_nulls()
    died, time = (known["event"] == "1").to_numpy(), known["time"].to_numpy()
    labelled = (died & (time <= 365)) | (time >= 365)
    reference = _reference(known.filter(labelled), names, (died & (time <= 365))[labelled].astype(float))
    found = result["coefficients"]
    assert [row["name"] for row in found] == ["intercept", "age", "sex: Male", "weight_loss"]
    np.testing.assert_allclose([row["coefficient"] for row in found], reference.params, rtol=0, atol=1e-6)
    np.testing.assert_allclose([row["se"] for row in found], reference.bse, rtol=1e-6)
    np.testing.assert_allclose([row["p_value"] for row in found], reference.pvalues, rtol=1e-5)
    assert result["log_likelihood"] == pytest.approx(reference.llf, abs=1e-6)
    assert result["patients"] == int(labelled.sum())


def test_a_column_as_outcome_and_rare_levels_one_with_the_reference():
    job = a_job(
        "logistic", ["age", "ecog", "sex"], minimum_count=10, parameters={"outcome": "sex", "positive": ["male"]}
    )
    result = computed(logistic, NCCTG, job)
    known = POOLED.select("age", "ecog", "sex").drop_nulls()
    ecog = known["ecog"].cast(pl.String).to_numpy()
    matrix = np.column_stack([np.ones(len(ecog)), known["age"].to_numpy(), ecog == "1", ecog == "2"]).astype(float)
    reference = sm.Logit((known["sex"] == "male").to_numpy().astype(float), matrix).fit(disp=0, tol=1e-12)
    found = [row["coefficient"] for row in result["coefficients"]]
    np.testing.assert_allclose(found, reference.params, rtol=0, atol=1e-6)
    rare = {"what": "ecog: 3, one with the reference", "why": "fewer than 10 patients"}
    assert rare in result["suppressed"]


def test_three_hospitals_with_a_thousand_patients_and_twenty_columns():
    rng = np.random.default_rng(1)
    columns = [
        Column(name=f"x{i}", label="X", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=-6, maximum=6, step=0.001)
        for i in range(20)
    ]
    y = Column(name="y", label="Y", role=Role.OUTCOME, kind=Kind.CATEGORY, levels={"0": "no", "1": "yes"})
    schema = Schema(name="made", title="Made", columns=(*columns, y))
    x = np.clip(np.round(rng.normal(size=(3000, 20)), 3), -6, 6)
    label = rng.random(3000) < 1 / (1 + np.exp(-x @ rng.normal(0, 0.4, 20)))
    table = pl.DataFrame(x, schema=[c.name for c in columns]).with_columns(
        pl.Series("y", label.astype(int).astype(str), dtype=y.dtype)
    )
    sites = [TableSite({"ward": (schema, table[i::3])}) for i in range(3)]
    result = computed(logistic, sites, a_job("logistic", schema.names, parameters={"outcome": "y", "positive": ["1"]}))
    reference = sm.Logit(label.astype(float), sm.add_constant(x)).fit(disp=0, tol=1e-12)
    np.testing.assert_allclose([r["coefficient"] for r in result["coefficients"]], reference.params, rtol=0, atol=1e-6)


def test_too_few_events_give_no_model():
    job = a_job("logistic", ["age", "sex"], minimum_count=120, parameters={"outcome": "sex", "positive": ["male"]})
    result = computed(logistic, NCCTG, job)
    assert result["coefficients"] is None
    assert result["suppressed"] == [{"what": "the model: one class of the outcome", "why": "fewer than 120 patients"}]


@pytest.mark.parametrize(
    ("columns", "parameters", "words"),
    [
        (["age"], {"outcome": "sex", "positive": ["male"]}, "the outcome must be"),
        (["age", "sex"], {"outcome": "sex", "positive": []}, "the outcome must be"),
        (["age", "sex"], {"outcome": "sex", "positive": ["female", "male"]}, "the outcome must be"),
        (["age", "time"], {"horizon": 365}, "the outcome must be"),
        (["sex"], {"outcome": "sex", "positive": ["male"]}, "must have covariates"),
        (["sex", "patient_id"], {"outcome": "sex", "positive": ["male"]}, "must hold levels or numbers"),
    ],
)
def test_bad_questions_are_refused(columns, parameters, words):
    with pytest.raises(ParameterError, match=words):
        computed(logistic, NCCTG, a_job("logistic", columns, parameters=parameters))


def test_an_outcome_that_a_column_tells_surely_has_no_maximum():
    schema = SCHEMA.select(["sex", "event"])
    both = pl.DataFrame(
        {"sex": ["female"] * 20 + ["male"] * 20, "event": ["0"] * 20 + ["1"] * 20}, schema=schema.polars()
    )
    sites = [TableSite({"ward": (schema, both)})] * 3
    job = a_job("logistic", ["sex", "event"], parameters={"outcome": "event", "positive": ["1"]})
    with pytest.raises(ParameterError, match="one finite maximum"):
        computed(logistic, sites, job)
