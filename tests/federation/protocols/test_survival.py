"""Kaplan-Meier curves of real cohorts split by hospital, against lifelines on the pooled table."""

import numpy as np
import polars as pl
import pytest
from lifelines import KaplanMeierFitter

from federation.protocols.survival import kaplan_meier
from federation.site import TableSite
from records.errors import ParameterError
from tests.federation.parties import a_job, computed, hospitals

NCCTG, POOLED, SCHEMA = hospitals("lung", "ncctg_lung")


def _reference(rows: pl.DataFrame) -> KaplanMeierFitter:
    return KaplanMeierFitter().fit(rows["time"].to_numpy(), (rows["event"] == "1").to_numpy())


def test_with_steps_of_one_event_the_curve_is_lifelines():
    result = computed(kaplan_meier, NCCTG, a_job("kaplan_meier", ["time", "event"], minimum_count=1))
    curve, reference = result["curves"][0], _reference(POOLED)
    expected = reference.survival_function_at_times(curve["times"]).to_numpy()
    np.testing.assert_allclose(curve["survival"], expected, rtol=0, atol=1e-12)
    assert curve["median"] == reference.median_survival_time_
    table = reference.event_table
    assert curve["times"][1:] == table.index[table["observed"] > 0].tolist()
    assert curve["events"][1:] == table["observed"][table["observed"] > 0].tolist()
    assert curve["at_risk"][1:] == table["at_risk"][table["observed"] > 0].tolist()
    interval = reference.confidence_interval_.loc[curve["times"][1:-1]].to_numpy()
    np.testing.assert_allclose(np.stack([curve["lower"], curve["upper"]], axis=1)[1:-1], interval, atol=1e-9)


@pytest.mark.parametrize(("minimum", "distance"), [(5, 1e-3), (10, 1e-3), (20, 2e-3)])
def test_wider_steps_hold_enough_events_and_stay_on_the_curve(minimum: int, distance: float):
    job = a_job("kaplan_meier", ["time", "event", "sex"], minimum_count=minimum, parameters={"by": "sex"})
    result = computed(kaplan_meier, NCCTG, job)
    for curve, sex in zip(result["curves"], ("female", "male"), strict=True):
        expected = _reference(POOLED.filter(pl.col("sex") == sex)).survival_function_at_times(curve["times"]).to_numpy()
        np.testing.assert_allclose(curve["survival"], expected, rtol=0, atol=distance)
        assert min(curve["events"][1:]) >= minimum
        assert min(curve["at_risk"]) >= minimum
        assert len({len(curve[key]) for key in ("times", "survival", "lower", "upper", "at_risk", "events")}) == 1
    assert all(note["why"] == f"fewer than {minimum} events, or patients at risk" for note in result["suppressed"])


def test_coarser_time_asks_fewer_points():
    weekly = a_job("kaplan_meier", ["time", "event"], minimum_count=1, parameters={"interval": 7})
    result = computed(kaplan_meier, NCCTG, weekly)
    weeks = np.ceil(POOLED["time"].to_numpy() / 7) * 7
    reference = KaplanMeierFitter().fit(weeks, (POOLED["event"] == "1").to_numpy())
    expected = reference.survival_function_at_times(result["curves"][0]["times"]).to_numpy()
    np.testing.assert_allclose(result["curves"][0]["survival"], expected, atol=1e-12)


def test_a_group_that_is_too_small_has_no_curve():
    job = a_job("kaplan_meier", ["time", "event", "ecog"], minimum_count=10, parameters={"by": "ecog"})
    result = computed(kaplan_meier, NCCTG, job)
    tiny = result["curves"][3]
    assert (tiny["patients"], tiny["times"], tiny["survival"], tiny["median"]) == (None, [], [], None)
    assert {"what": "the curve of 3", "why": "fewer than 10 patients"} in result["suppressed"]


def test_nobody_dying_is_a_flat_curve():
    quiet = pl.DataFrame(
        {"time": [100] * 9, "event": ["0"] * 9}, schema={n: SCHEMA[n].dtype for n in ("time", "event")}
    )
    site = TableSite({"ward": (SCHEMA.select(["time", "event"]), quiet)})
    curve = computed(kaplan_meier, [site] * 3, a_job("kaplan_meier", ["time", "event"]))["curves"][0]
    assert (curve["times"], curve["survival"], curve["at_risk"]) == ([0], [1.0], [27])


@pytest.mark.parametrize(
    ("columns", "parameters", "words"),
    [
        (["time"], {}, "columns must hold one event column"),
        (["time", "event"], {"by": "sex"}, "by must be a category"),
        (["time", "event"], {"interval": 0}, "interval must be a whole number"),
    ],
)
def test_bad_questions_are_refused(columns, parameters, words):
    with pytest.raises(ParameterError, match=words):
        computed(kaplan_meier, NCCTG, a_job("kaplan_meier", columns, parameters=parameters))
