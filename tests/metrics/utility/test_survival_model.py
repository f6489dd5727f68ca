"""Concordance and Cox regression against lifelines and statsmodels; copies agree, shuffled tables do not."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.utils import concordance_index
from statsmodels.duration.hazard_regression import PHReg

from metrics.utility.concordance import weighted_concordances
from metrics.utility.features import feature_columns
from metrics.utility.regression_terms import regression_terms
from metrics.utility.survival_model import Coefficients, CoxReport, cox_agreement, cox_regression, interval_overlap
from records.outcome import survival
from records.schema import Schema


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_concordance_equals_lifelines_with_ties_and_weights(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    score, time = rng.integers(0, 6, rows).astype(float), rng.integers(1, 8, rows).astype(float)
    event, times = rng.random(rows) < 0.7, rng.integers(1, 4, rows)
    found = weighted_concordances(score, time, event, np.vstack([np.ones(rows), times]))
    for value, repeats in zip(found, (np.ones(rows, dtype=int), times), strict=True):
        try:
            expected = concordance_index(*(np.repeat(x, repeats) for x in (time, -score, event)))
        except ZeroDivisionError:
            assert np.isnan(value)
        else:
            assert value == pytest.approx(expected, abs=1e-6)


def test_coefficients_equal_statsmodels(train: pl.DataFrame, schema: Schema) -> None:
    ends = survival(train, schema)
    terms = regression_terms(feature_columns(schema, schema.outcomes[0]), train, train)
    design = terms.design(train)
    found = cox_regression(design, ends)
    event = ends["event"].to_numpy().astype(float)
    expected = PHReg(ends["time"].to_numpy(), design, status=event, ties="efron").fit(disp=0)
    assert found.value == pytest.approx(expected.params, abs=1e-6)
    assert found.error == pytest.approx(expected.bse, abs=1e-6)
    assert np.exp(found.value[list(terms.names).index("age")]) > 1


def _agreement(train: pl.DataFrame, holdout: pl.DataFrame, synthetic: pl.DataFrame, schema: Schema) -> CoxReport:
    columns = feature_columns(schema, schema.outcomes[0])
    return cox_agreement(train, holdout, synthetic, schema, columns, rng=np.random.default_rng(0), bootstraps=100)


def test_exact_copy_overlaps_wholly_and_loses_nothing(
    train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema
) -> None:
    report = _agreement(train, holdout, train, schema)
    assert (report.interval_overlap, report.agreement, report.coverage) == pytest.approx((1.0, 1.0, 1.0))
    assert report.concordance_loss == {"value": 0.0, "lower": 0.0, "upper": 0.0}
    assert report.trtr_concordance["lower"] < report.trtr_concordance["value"] < report.trtr_concordance["upper"]
    assert report.trtr_concordance["value"] > 0.7


def test_shuffled_table_loses_concordance_and_coefficients(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, shuffled: pl.DataFrame, schema: Schema
) -> None:
    good, bad = (_agreement(train, holdout, table, schema) for table in (fresh, shuffled))
    assert good.interval_overlap > bad.interval_overlap + 0.15
    assert good.concordance_loss["value"] < 0.05 < bad.concordance_loss["lower"]
    assert bad.agreement < good.agreement
    json.dumps(good.to_json(), allow_nan=False)


def test_overlap_of_known_intervals() -> None:
    """(-1, 1) and (0, 2) share half of each; (-1, 1) and (3, 5) share nothing."""
    error = np.ones(2) / 1.959963984540054
    overlap = interval_overlap(Coefficients(np.zeros(2), error), Coefficients(np.array([1.0, 4.0]), error))
    assert overlap == pytest.approx([0.5, 0.0])


def test_no_follow_up_few_events_and_empty_tables_give_reasons(
    train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema
) -> None:
    without = schema.select([n for n in schema.names if n not in ("time", "event")])
    assert "no time and event" in _reason(cox_agreement(
        train, holdout, train, without, without.features(), rng=np.random.default_rng(0)
    ))  # fmt: skip
    assert "fewer than 10 events in synthetic" in _reason(_agreement(train, holdout, train.clear(), schema))
    healthy = train.with_columns(pl.lit("0").cast(train.schema["event"]).alias("event"))
    assert "fewer than 10 events" in _reason(_agreement(healthy, holdout, train, schema))


def _reason(report: CoxReport) -> str:
    assert report.interval_overlap is None
    return report.reason or ""
