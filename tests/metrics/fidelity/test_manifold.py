"""Density, coverage, precision and recall against plain loops, and on tables whose order is known."""

import numpy as np
import polars as pl
import pytest

from metrics.distance import compared_columns, distances, points, rank_scales
from metrics.fidelity.manifold import LEVELS, NEIGHBOURS, ManifoldReport, ball_radii, manifold, scores
from metrics.fidelity.references import MATCHED, compared
from records.schema import Schema


@pytest.fixture(scope="module")
def report(train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> ManifoldReport:
    rng = np.random.default_rng(0)
    return manifold(compared(train, holdout, fresh, schema, rng=rng), rng=rng)


def test_scores_equal_plain_loops(train: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> None:
    columns = compared_columns(schema)
    scales = rank_scales(train, columns)
    real, table = points(train.head(60), columns, scales), points(fresh.head(45), columns, scales)
    own, between = distances(real, real), distances(real, table)
    radii = [sorted(own[i, j] for j in range(60) if j != i)[NEIGHBOURS - 1] for i in range(60)]
    inside = [[between[i, j] <= radii[i] for j in range(45)] for i in range(60)]
    found = scores(real, table, ball_radii(real))
    assert found.density == pytest.approx(sum(map(sum, inside)) / (NEIGHBOURS * 45))
    assert found.coverage == pytest.approx(sum(map(any, inside)) / 60)

    def outward(chosen: np.ndarray, numbers: np.ndarray, whole: tuple[np.ndarray, np.ndarray]) -> list[float]:
        centre = [part.mean(axis=0) for part in whole]
        return [
            real.categories - float(levels @ centre[0]) + float(np.abs(row - centre[1]).sum())
            for levels, row in zip(chosen, numbers, strict=True)
        ]

    from_real = outward(real.levels, real.numbers, (real.levels, real.numbers))
    to_real = outward(table.levels, table.numbers, (real.levels, real.numbers))
    curve = [np.mean([d <= np.quantile(from_real, level) for d in to_real]) for level in LEVELS]
    assert found.alpha_precision == pytest.approx(1 - 2 * np.abs(curve - LEVELS).mean(), abs=0.01)
    own_centre = outward(table.levels, table.numbers, (table.levels, table.numbers))
    nearest = [int(np.argmin(between[i])) for i in range(60)]
    reach = [np.quantile([own_centre[j] for j in nearest], level) for level in LEVELS]
    curve = [np.mean([inside[i][j] and own_centre[j] <= r + 1e-6 for i, j in enumerate(nearest)]) for r in reach]
    assert found.beta_recall == pytest.approx(1 - 2 * np.abs(curve - LEVELS).mean(), abs=0.01)


def test_references_keep_their_order(report: ManifoldReport) -> None:
    for figure in (report.density, report.coverage, report.beta_recall):
        assert figure is not None
        assert set(figure) == set(MATCHED)
        assert figure["holdout"] > figure["independent_matched"]
        assert figure["synthetic_matched"] == pytest.approx(figure["holdout"], abs=0.1)
    assert report.rows == 300


def test_copy_covers_everything(train: pl.DataFrame, schema: Schema) -> None:
    columns = compared_columns(schema)
    real = points(train, columns, rank_scales(train, columns))
    found = scores(real, real, ball_radii(real))
    assert found.coverage == 1
    assert found.density >= 1
    assert found.alpha_precision == pytest.approx(1, abs=0.01)
    assert found.beta_recall == pytest.approx(1, abs=0.01)


def test_collapsed_table_is_precise_but_covers_little(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    rng = np.random.default_rng(0)
    collapsed = fresh[np.repeat(np.arange(5), 100)]
    report = manifold(compared(train, holdout, collapsed, schema, rng=rng), rng=rng)
    assert report.coverage is not None
    assert report.beta_recall is not None
    assert report.coverage["synthetic_matched"] < 0.5 * report.coverage["holdout"]
    assert report.beta_recall["synthetic_matched"] < 0.5 * report.beta_recall["holdout"]


def test_few_rows_have_a_reason(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    rng = np.random.default_rng(0)
    report = manifold(compared(train, holdout.head(10), train, schema, rng=rng), rng=rng)
    assert report.density is None
    assert report.reason == "10 rows a table are too few for neighbours, at least 20 are needed"
