"""The membership attack finds copies and accuses fresh patients at its stated rate only."""

import json
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy.spatial.distance import cdist

from metrics.attacks.membership import PrivacyReport, detectable_auc, privacy
from metrics.distance import compared_columns, distances, nearest, points, rank_scales
from metrics.gate import Limits
from records.schema import Schema

Draw = Callable[[int, int], pl.DataFrame]


def test_copies_are_caught(train: pl.DataFrame, holdout: pl.DataFrame, copied: pl.DataFrame, schema: Schema) -> None:
    report = privacy(train, holdout, copied, schema, rng=np.random.default_rng(0))
    assert report.auc_lower > 0.7
    assert report.tpr_at_fpr[0]["lower"] > 0.3
    assert report.exact_copies_train == 1
    assert report.exact_copies_excess == 1


def test_noisy_copies_are_caught(
    train: pl.DataFrame, holdout: pl.DataFrame, shuffled: pl.DataFrame, schema: Schema
) -> None:
    """Copies with every fourth cell replaced: no exact copy of note, still a leak."""
    rng = np.random.default_rng(0)
    noisy = train.with_columns(
        pl.when(pl.Series(rng.random(train.height) < 0.25)).then(shuffled[name]).otherwise(pl.col(name)).alias(name)
        for name in schema.names
    )
    assert privacy(train, holdout, noisy, schema, rng=rng).auc_lower > Limits().max_membership_auc_lower


def test_fresh_patients_are_accused_at_the_stated_rate(draw: Draw, schema: Schema) -> None:
    """40 perfect synthesizers: the 95 % interval misses 0.5 in more than 6 of them with probability 0.003."""
    misses, areas = 0, []
    for seed in range(40):
        tables = [draw(rows, 1000 + 3 * seed + i) for i, rows in enumerate((300, 150, 300))]
        report = privacy(*tables, schema, rng=np.random.default_rng(seed))
        misses += not report.auc_lower <= 0.5 <= report.auc_upper
        areas.append(report.auc)
        assert report.exact_copies_excess == 0
    assert misses <= 6
    assert abs(np.mean(areas) - 0.5) < 0.02


def test_chance_copies_are_no_excess(schema: Schema, draw: Draw) -> None:
    """A table of two columns repeats by chance; that is no copying."""
    small = schema.select(["smoker", "hospital"])
    report = privacy(draw(300, 1), draw(150, 2), draw(300, 3), small, rng=np.random.default_rng(0))
    assert report.exact_copies_train == 1
    assert report.exact_copies_excess == 0


@pytest.mark.parametrize("rows", [0, 1])
def test_tiny_candidates_do_not_crash(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema, rows: int
) -> None:
    report = privacy(train, holdout, fresh[:rows], schema, rng=np.random.default_rng(0)).to_json()
    json.dumps(report, allow_nan=False)
    assert (report["auc"] is None) == (rows == 0)


def test_too_few_candidates_give_a_reason(train: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> None:
    report: PrivacyReport = privacy(train, fresh[:5], fresh, schema, rng=np.random.default_rng(0))
    assert report.auc is None
    assert "too few" in report.reason


def test_subsampling_is_stated(train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> None:
    report = privacy(train, holdout, fresh, schema, rng=np.random.default_rng(0))
    assert report.subsampled == "drawn at random: 300 of 500 members"
    assert report.candidates == {"members": 300, "non_members": 300, "synthetic": 500, "reference": 150}


def test_distances_equal_scipy(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    columns = compared_columns(schema)
    scales = rank_scales(train, columns)
    first, second = points(train[:40], columns, scales), points(holdout[:30], columns, scales)
    expected = cdist(first.levels, second.levels, "cityblock") / 2 + cdist(first.numbers, second.numbers, "cityblock")
    assert np.allclose(distances(first, second), expected, atol=1e-5)
    assert np.allclose(nearest(first, second, neighbours=3), np.sort(expected, axis=1)[:, :3].mean(axis=1), atol=1e-5)


def test_more_candidates_detect_less() -> None:
    assert detectable_auc(1000, 1000) < detectable_auc(50, 50) < 0.7
