"""Cox regression over hospitals, against statsmodels and lifelines on the pooled table."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from lifelines import CoxPHFitter
from statsmodels.duration.hazard_regression import PHReg

from federation.models.cox import cox
from records.errors import ParameterError
from tests.federation.parties import a_job, computed, hospitals

NCCTG, POOLED, SCHEMA = hospitals("lung", "ncctg_lung")
NAMES = ["age", "sex", "karnofsky"]


def _known(names: list[str], pooled: pl.DataFrame = POOLED) -> pd.DataFrame:
    known = pooled.select(*names, "time", "event").drop_nulls()
    frame = pd.DataFrame({n: known[n].to_numpy() for n in names if n != "sex"} | {"time": known["time"].to_numpy()})
    frame["sex"] = (known["sex"] == "male").to_numpy().astype(float)
    frame["event"] = (known["event"] == "1").to_numpy().astype(int)
    return pd.DataFrame({n: frame[n] for n in [*names, "time", "event"]})


def test_pooled_coefficients_are_statsmodels():
    job = a_job("cox", [*NAMES, "time", "event"], parameters={"interval": 7})
    result = computed(cox, NCCTG, job)
    frame = _known(NAMES)
    weeks = np.ceil(frame["time"] / 7)
    reference = PHReg(weeks, frame[NAMES].to_numpy(float), status=frame["event"], ties="breslow").fit(disp=0, tol=1e-12)
    spread = frame[NAMES].to_numpy(float).std(axis=0)
    found = np.array([row["coefficient"] for row in result["coefficients"]])
    np.testing.assert_allclose(found * spread, reference.params * spread, rtol=0, atol=1e-5)
    np.testing.assert_allclose([row["se"] for row in result["coefficients"]], np.asarray(reference.bse), rtol=1e-3)
    assert [row["name"] for row in result["coefficients"]] == ["age", "sex: Male", "karnofsky"]
    assert result["events"] == frame["event"].sum()
    assert result["ties"] == "breslow"


def test_stratified_coefficients_are_lifelines():
    job = a_job("cox", [*NAMES, "time", "event"], parameters={"strata": "site"})
    result = computed(cox, NCCTG, job)
    sites = [_known(NAMES, site.table("ward", SCHEMA.names)).assign(party=i) for i, site in enumerate(NCCTG)]
    fitter = CoxPHFitter().fit(pd.concat(sites), "time", "event", strata=["party"], fit_options={"precision": 1e-12})
    found = [row["coefficient"] for row in result["coefficients"]]
    np.testing.assert_allclose(found, fitter.params_.to_numpy(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        [row["se"] for row in result["coefficients"]], fitter.standard_errors_.to_numpy(), rtol=1e-5
    )
    assert result["log_likelihood"] == pytest.approx(fitter.log_likelihood_, abs=1e-5)


@pytest.mark.slow
def test_time_is_coarsened_unless_asked_otherwise():
    result = computed(cox, NCCTG, a_job("cox", [*NAMES, "time", "event"]))
    assert result["interval"] == 4  # 1,501 days of the codebook in at most 400 points
    fitter = CoxPHFitter().fit(_known(NAMES), "time", "event")
    found = [row["coefficient"] for row in result["coefficients"]]
    np.testing.assert_allclose(found, fitter.params_.to_numpy(), rtol=0, atol=1e-2)


@pytest.mark.slow
def test_days_instead_of_weeks():
    job = a_job("cox", [*NAMES, "time", "event"], parameters={"interval": 1})
    result = computed(cox, NCCTG, job)
    frame = _known(NAMES)
    fitter = CoxPHFitter().fit(frame, "time", "event")
    found = [row["coefficient"] for row in result["coefficients"]]
    np.testing.assert_allclose(found, fitter.params_.to_numpy(), rtol=0, atol=1e-2)


def test_too_few_events_or_patients_give_no_model():
    result = computed(cox, NCCTG, a_job("cox", ["age", "time", "event"], minimum_count=170))
    assert result["coefficients"] is None
    assert result["suppressed"] == [{"what": "the model: events", "why": "fewer than 170 patients"}]


@pytest.mark.parametrize(
    ("columns", "parameters", "words"),
    [
        (["age", "time"], {}, "one event column"),
        (["time", "event"], {}, "must have covariates"),
        (["age", "time", "event"], {"strata": "sex"}, "strata must be site"),
        (["patient_id", "time", "event"], {}, "must hold levels or numbers"),
    ],
)
def test_bad_questions_are_refused(columns, parameters, words):
    with pytest.raises(ParameterError, match=words):
        computed(cox, NCCTG, a_job("cox", columns, parameters=parameters))
