"""Missing values: shares, patterns by hand, and small groups that stay hidden."""

from collections import Counter

import numpy as np
import polars as pl
import pytest

from metrics.fidelity.missingness import missingness
from metrics.fidelity.references import compared
from records.schema import Schema


def pattern_distance(first: pl.DataFrame, second: pl.DataFrame) -> float:
    """Total variation of patterns, by plain counting."""
    counts = [Counter(frame.select(pl.all().is_null()).rows()) for frame in (first, second)]
    return sum(
        abs(counts[0][p] / first.height - counts[1][p] / second.height) for p in counts[0].keys() | counts[1].keys()
    ) / 2  # fmt: skip


def test_shares_and_patterns_equal_plain_counts(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    report = missingness(compared(train, holdout, fresh, schema, rng=np.random.default_rng(0)))
    assert [c["name"] for c in report.columns] == ["marker", "stage"]
    assert report.columns[0]["train"] == pytest.approx(train["marker"].null_count() / train.height)
    assert report.pattern_tvd is not None
    names = ["marker", "stage"]
    for name, frame in (("synthetic", fresh), ("holdout", holdout)):
        expected = pattern_distance(train.select(names), frame.select(names))
        assert report.pattern_tvd[name] == pytest.approx(expected, abs=1e-12)


def test_values_missing_together_are_seen(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    def together(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(stage=pl.when(pl.col("marker").is_not_null()).then(pl.col("stage").fill_null("i")))

    report = missingness(compared(*map(together, (train, holdout, train)), schema, rng=np.random.default_rng(0)))
    assert report.pattern_tvd is not None
    assert report.pattern_tvd["synthetic"] == 0
    assert report.pattern_tvd["independent"] > 0.1
    assert [p["missing"] for p in report.patterns] == [[], ["Marker", "Stage <II>"]]


def test_rare_patterns_of_real_patients_do_not_show(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    rare = train.with_columns(marker=pl.col("marker").fill_null(1.0), stage=pl.col("stage").fill_null("i"))
    rare = rare.with_columns(marker=pl.when(pl.int_range(pl.len()) >= 2).then("marker"))
    report = missingness(compared(rare, holdout, rare, schema, rng=np.random.default_rng(0)))
    assert [p["missing"] for p in report.patterns] == [[]]
    assert report.patterns[0]["train"] == 1


def test_missing_values_that_go_with_the_outcome(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    sick = train.with_columns(marker=pl.when(pl.col("event") == "0").then(pl.col("marker").fill_null(1.0)))
    report = missingness(compared(train, holdout, sick, schema, rng=np.random.default_rng(0))).to_json()
    outcome = report["columns"][0]["outcome"]
    assert report["outcome"] == "Death within one year"
    assert outcome["synthetic"] > 0.5
    assert abs(outcome["train"]) < 0.2
    assert outcome["difference"] == pytest.approx(outcome["synthetic"] - outcome["train"])


def test_small_groups_have_no_association_with_the_outcome(
    train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema
) -> None:
    report = missingness(compared(train.head(100), holdout, train, schema, rng=np.random.default_rng(0))).to_json()
    assert report["columns"][0]["outcome"]["train"] is None
    assert report["columns"][0]["outcome"]["reason"].startswith("fewer than 20 patients")


def test_complete_schema_has_a_reason(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    complete = schema.select(n for n in schema.names if n not in ("marker", "stage"))
    report = missingness(compared(train, holdout, train, complete, rng=np.random.default_rng(0)))
    assert report.reason == "no column may be missing"
