"""Risk of simulated patients against risks that are known."""

import polars as pl
import pytest

from metrics.utility.progression_risk import cox_risk, risk_report, simulated_risk
from records.longitudinal import Records
from use_cases.longitudinal_cohort import longitudinal_cohort

COHORT = longitudinal_cohort("pbcseq")
SCHEMA = COHORT.records
HORIZON = 1826.0


@pytest.fixture(scope="module")
def records() -> Records:
    return COHORT.load()


def test_risk_is_the_incidence_among_a_patients_histories(records: Records) -> None:
    ends = pl.DataFrame({"follow_up": [100, 2000, 300, 2000, 2000, 2000], "event": ["death"] + ["censored"] * 5})
    patients = records.patients[:6].with_columns(
        ends["follow_up"], ends["event"].cast(records.patients.schema["event"])
    )
    risk = simulated_risk(Records(patients, records.visits), SCHEMA, "death", HORIZON, each=3)
    assert risk == pytest.approx([1 / 3, 0.0])


def test_a_perfect_risk_is_perfect_and_the_censored_are_left_out(records: Records) -> None:
    patients = records.patients
    died = ((patients["event"] == "death") & (patients["follow_up"] <= HORIZON)).to_numpy()
    report = risk_report(died.astype(float), records, SCHEMA, "death", HORIZON, seed=0)
    assert report.auc == 1.0
    assert report.brier == 0.0
    early = ((patients["event"] == "censored") & (patients["follow_up"] < HORIZON)).sum()
    assert report.rows == 312 - early
    assert report.events == died.sum()


def test_cox_predicts_patients_it_has_not_seen(records: Records) -> None:
    ids = records.patients["patient_id"].sample(fraction=1.0, shuffle=True, seed=1)
    train, test = (records.of("patient_id", part) for part in (ids[:218], ids[218:]))
    report = risk_report(cox_risk(train, test, SCHEMA, "death", HORIZON), test, SCHEMA, "death", HORIZON, seed=0)
    assert report.auc > 0.8
    assert report.auc_lower < report.auc < report.auc_upper
    assert report.mean_risk == pytest.approx(report.observed, abs=0.12)
    assert report.to_json()["calibration"]
