"""Trajectory metrics on real histories: further real patients are at the floor, broken ones are far from it."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter

from metrics.fidelity.competing_risks import cumulative_incidence
from metrics.fidelity.kaplan_meier import kaplan_meier
from metrics.fidelity.path_statistics import Frame, distances, scales, statistics
from metrics.fidelity.paths import Paths
from metrics.fidelity.trajectories import trajectories
from metrics.plots.trajectories import trajectories_plot
from records.longitudinal import Records
from use_cases.longitudinal_cohort import longitudinal_cohort

COHORT = longitudinal_cohort("pbcseq")
SCHEMA = COHORT.records


@pytest.fixture(scope="module")
def records() -> Records:
    return COHORT.load()


def halves(records: Records) -> tuple[Records, Records]:
    ids = records.patients["patient_id"].sample(fraction=1.0, shuffle=True, seed=3)
    return records.of("patient_id", ids[:156]), records.of("patient_id", ids[156:])


def test_incidence_is_that_of_lifelines(records: Records) -> None:
    paths = Paths.of(records, SCHEMA)
    grid = np.linspace(0, 4000, 30)
    found = cumulative_incidence(paths.end, paths.event, 2, grid)
    for kind in (1, 2):
        fitter = AalenJohansenFitter(seed=0, calculate_variance=False)
        fitter.fit(paths.end, paths.event, event_of_interest=kind)
        steps = fitter.cumulative_density_.iloc[:, 0]
        known = steps.to_numpy()[np.searchsorted(steps.index.to_numpy(), grid, side="right") - 1]
        assert found[kind - 1] == pytest.approx(known, abs=2e-3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3)), min_size=1, max_size=40))
def test_kinds_add_up_to_what_is_not_free_of_events(patients: list[tuple[int, int]]) -> None:
    time, event = (np.array(part) for part in zip(*patients, strict=True))
    grid = np.arange(11.0)
    free = kaplan_meier(time.astype(float), event > 0).at(grid)
    assert cumulative_incidence(time, event, 3, grid).sum(axis=0) == pytest.approx(1 - free)


def test_patients_drawn_again_keep_their_visits(records: Records) -> None:
    paths = Paths.of(records, SCHEMA)
    some = paths.drawn(np.array([7, 2, 7]))
    assert some.patients == 3
    assert (some.day[some.patient == 0] == some.day[some.patient == 2]).all()
    assert (some.day[some.patient == 1] == paths.day[paths.patient == 2]).all()
    whole = paths.drawn(np.arange(paths.patients))
    assert (whole.day == paths.day).all()


@pytest.mark.slow
def test_further_real_patients_are_at_the_floor(records: Records) -> None:
    one, other = halves(records)
    report = trajectories(one, other, SCHEMA, seed=0, bootstraps=20, splits=10)
    for sides in report.distances.values():
        assert sides["synthetic"] < 1.6 * sides["floor"] + 0.02


@pytest.mark.slow
def test_each_distance_sees_what_it_is_for(records: Records) -> None:
    rng = np.random.default_rng(0)
    shuffled = records.visits.with_columns(
        pl.col(c.name).sample(fraction=1.0, shuffle=True, seed=1) for c in SCHEMA.measurements
    )
    sick = records.visits.with_columns((pl.col("bilirubin") * 3).clip(0.1, 50))
    regular = records.visits.with_columns((pl.int_range(pl.len()).over("patient_id") * 100).alias("day"))
    fewer = records.visits.filter((pl.col("day") == 0) | pl.Series(rng.random(records.visits.height) < 0.4))
    early = records.patients.with_columns(pl.col("follow_up") // 3 + 1)
    changed = {
        "lag": Records(records.patients, shuffled), "mean": Records(records.patients, sick),
        "gaps": Records(records.patients, regular), "visits": Records(records.patients, fewer),
        "incidence": Records(early, records.visits), "change": Records(records.patients, shuffled),
    }  # fmt: skip
    frame = Frame.of(SCHEMA)
    truth = Paths.of(records, SCHEMA)
    whole = statistics(truth, frame)
    for name, broken in changed.items():
        apart = distances(whole, statistics(Paths.of(broken, SCHEMA), frame), scales(truth))
        assert apart[name] > {"lag": 0.4, "incidence": 0.2, "mean": 0.05, "change": 0.1}.get(name, 0.3)
    assert set(distances(whole, whole, scales(truth)).values()) == {0.0}


@pytest.mark.slow
def test_the_report_is_plain_and_can_be_drawn(records: Records) -> None:
    one, other = halves(records)
    report = trajectories(one, other, SCHEMA, seed=0, bootstraps=20, splits=2).to_json()
    assert report["patients"] == {"real": 156, "synthetic": 156}
    first = report["measurements"][0]
    assert first["name"] == "bilirubin"
    inside = [
        low <= x <= high
        for low, x, high in zip(first["mean_lower"], first["mean_real"], first["mean_upper"], strict=True)
    ]
    assert all(inside)
    assert report["incidence"]["events"]["death"]["at"]["5y"]["real"] == pytest.approx(0.28, abs=0.08)
    assert trajectories_plot(report, Paths.of(other, SCHEMA), note="a note")[:4] == b"\x89PNG"


@pytest.mark.slow
def test_a_single_synthetic_patient_can_be_compared(records: Records) -> None:
    made = records.of("patient_id", records.patients["patient_id"][:1])
    report = trajectories(records, made, SCHEMA, seed=0, bootstraps=2, splits=1)
    assert trajectories_plot(report.to_json())[:4] == b"\x89PNG"
