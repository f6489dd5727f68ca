"""The bundled cohorts are what their sources say, and no leaking column is a feature."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from deidentification.pipeline import deidentify
from deidentification.schema import released_schema
from metrics.utility.features import labelled
from records.outcome import binary_outcome
from use_cases.cohort import Cohort
from use_cases.registry import discover

ROWS = {"support2_lung": 908, "ncctg_lung": 228, "byar_greene": 502, "copenhagen": 492, "smart_cerebrovascular": 1147}
BUNDLED = [c for u in discover().values() for c in u.cohorts if c.source.bundled]
ALL = [c for u in discover().values() for c in u.cohorts]


@pytest.mark.parametrize("cohort", BUNDLED, ids=lambda c: c.name)
def test_rows_and_sites(cohort: Cohort) -> None:
    table = cohort.load()
    assert table.height == ROWS[cohort.name]
    assert set(cohort.assign_sites(table)) == set(cohort.site_names)


def test_patients_censored_before_the_horizon_have_no_label() -> None:
    cohort = discover()["lung"].cohort("ncctg_lung")
    label = binary_outcome(cohort.load(), cohort.table, cohort.table.outcomes[0])
    assert label.null_count() == 42


@pytest.mark.parametrize("cohort", ALL, ids=lambda c: c.name)
def test_no_leaking_column_is_a_feature_or_released(cohort: Cohort) -> None:
    leaking = {c.name for c in cohort.table.columns if c.leakage}
    after = {"time", "event", "dead_14d", "dependent_6m"}
    assert not (leaking | after) & {c.name for c in cohort.table.features()}
    assert not leaking & set(released_schema(cohort.table).names)


@pytest.mark.parametrize(
    "cohort", [c for c in BUNDLED if any(k.leakage for k in c.table.columns)], ids=lambda c: c.name
)
def test_no_leaking_value_reaches_a_classifier(cohort: Cohort) -> None:
    """The hospitals' tables hold the leaking columns; whatever stands in them, the classifier is given the same."""
    schema = released_schema(cohort.table)
    real = deidentify(cohort.load(), cohort.table, key=b"k" * 32, k=5).frame
    leaking = [c.name for c in cohort.table.columns if c.leakage]
    assert set(leaking) <= set(real.columns)
    other = real.with_columns(pl.col(leaking).shuffle(seed=1))
    assert not other.equals(real)
    for outcome in schema.outcomes:
        given, shuffled = (labelled(table, schema, outcome) for table in (real, other))
        assert np.array_equal(given.matrix, shuffled.matrix, equal_nan=True)
        assert given.matrix.shape[1] == len(schema.features()) - (outcome.column in [c.name for c in schema.features()])


def test_the_published_leaks_are_flagged() -> None:
    expected = {
        "support2_lung": {"num_sps", "num_surv2m", "num_surv6m", "fac_dnr", "fac_sfdm2", "num_adlp", "num_adls"},
        "byar_greene": {"num_sdate"},
        "international_stroke_trial": {"DASP14", "EXPD14", "EXPD6", "EXPDD"},
    }
    flagged = {c.name: {k.source for k in c.table.columns if k.leakage} for c in ALL}
    for name, sources in expected.items():
        assert flagged[name] == sources


def test_the_large_trial_loads(shared_data: Path) -> None:
    cohort = discover()["stroke"].cohort("international_stroke_trial")
    assert cohort.load(shared_data / "ist.parquet").height == 19_435
