"""Findings of one release, and the line that says which p-values may be trusted."""

import json

import numpy as np
import polars as pl

from metrics.utility.error_rates import ErrorRates
from metrics.utility.inference_validity import InferenceReport, _words_of_rates, inference_validity
from records.schema import Schema


def _validity(train: pl.DataFrame, synthetic: pl.DataFrame, schema: Schema) -> InferenceReport:
    return inference_validity(train, synthetic, schema, schema.outcomes[0], rng=np.random.default_rng(0))


def test_exact_copy_finds_the_same(train: pl.DataFrame, schema: Schema) -> None:
    report = _validity(train, train, schema)
    assert report.found["share"] == 1.0
    assert report.falsely_found["share"] == 0.0
    assert report.coverage["share"] == 1.0
    assert report.inflation == 0.0


def test_independent_columns_lose_the_findings(train: pl.DataFrame, shuffled: pl.DataFrame, schema: Schema) -> None:
    report = _validity(train, shuffled, schema)
    assert report.found["of"] >= 5
    assert report.found["share"] == 0.0
    assert report.coverage["share"] < 0.7
    assert report.inflation > 3


def test_fresh_patients_find_most_with_the_expected_inflation(
    train: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    """Two independent samples differ by the square root of two standard errors."""
    report = _validity(train, fresh, schema)
    assert report.found["share"] > 0.7
    assert 0.4 < report.inflation < 2.6


def test_opposite_finding_is_not_the_same_finding(train: pl.DataFrame, schema: Schema) -> None:
    report = _validity(train, train.with_columns(age=pl.lit(135, pl.Int64) - pl.col("age")), schema)
    age = {t["test"]: t for t in report.tests if t["column"] == "age"}
    assert age["logistic"]["finding"]
    assert not age["logistic"]["found"]


def test_without_a_synthesizer_nothing_is_trusted(train: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> None:
    report = _validity(train, fresh, schema).to_json()
    assert report["plain"].startswith("Do not trust p-values: how often they are wrong was not measured")
    assert "findings in real patients were found" in report["plain"]
    assert "sample_tables" in report["advice"]
    assert report["error_rates"] is None
    json.dumps(report, allow_nan=False)


def test_larger_table_is_cut_and_empty_table_has_a_reason(
    train: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    assert _validity(train, pl.concat([fresh, fresh]), schema).rows == train.height
    empty = _validity(train, fresh.clear(), schema)
    assert empty.found is None
    assert "no test could be done" in empty.reason


def test_refit_gives_error_rates_and_a_line(train: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> None:
    report = inference_validity(
        train, fresh, schema, schema.outcomes[0], rng=np.random.default_rng(0), repetitions=3,
        refit=lambda table, rng: table[rng.integers(table.height, size=table.height)],
    )  # fmt: skip
    assert report.error_rates.repetitions == 3
    assert "too few to tell" in report.plain or "Do not trust" in report.plain


def _rates(verdicts: dict[str, str]) -> ErrorRates:
    share = {"share": 0.23, "lower": 0.18, "upper": 0.29, "trials": 400}
    tests = {kind: {"type_one": share, "verdict": verdict} for kind, verdict in verdicts.items()}
    return ErrorRates(200, 0.05, share, share, None, None, None, None, tests)


def test_words() -> None:
    wrong = _words_of_rates(_rates({"mann_whitney": "not trusted"}))
    assert wrong.startswith("Do not trust p-values: a test (Mann-Whitney) that should be wrong in 5 % of cases was")
    assert "wrong in 23 % (18 to 29 %)" in wrong
    assert _words_of_rates(_rates({"cox": "trusted", "log_rank": "trusted"})) == (
        "p-values may be trusted for Cox regression and log-rank."
    )
    mixed = _words_of_rates(_rates({"cox": "trusted", "log_rank": "unknown", "logistic": "not trusted"}))
    assert mixed.startswith("Do not trust p-values of logistic regression:")
    assert "trusted for Cox regression." in mixed
    assert "For log-rank the repetitions were too few" in mixed
