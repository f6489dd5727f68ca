"""Each attack's score against a plain loop, and what it must rank first."""

import math

import numpy as np
import polars as pl
import pytest

from metrics.attacks import gen_lra as gen
from metrics.attacks import record_linkage as linkage
from metrics.attacks.density_ratio import density_ratio
from metrics.attacks.gen_lra import gen_lra
from metrics.attacks.nearest_copy import nearest_copy
from metrics.attacks.record_linkage import record_linkage
from metrics.attacks.suite import ATTACKS
from metrics.distance import Points, compared_columns, distances, points, rank_scales
from records.schema import Schema

Tables = tuple[Points, Points, Points]


@pytest.fixture(scope="module")
def tables(train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> Tables:
    """Candidates (half of them copied), synthetic, reference."""
    columns = compared_columns(schema)
    synthetic = pl.concat([train[:20], fresh[:60]])
    scales = rank_scales(synthetic, columns)
    first, second, third = (points(t, columns, scales) for t in (train[:40], synthetic, holdout[:50]))
    return first, second, third


@pytest.mark.parametrize("neighbours", [1, 3])
def test_gen_lra_equals_a_loop(tables: Tables, neighbours: int) -> None:
    candidates, synthetic, reference = tables
    to_synthetic, to_reference = distances(candidates, synthetic), distances(synthetic, reference)
    m, expected = reference.rows, []
    for own in to_synthetic.astype(float):
        score = 0.0
        for s in sorted(range(synthetic.rows), key=lambda s: own[s])[:neighbours]:
            real = [float(d) for d in to_reference[s]]
            width = 0.2 * sum(sorted(real)[:5]) / 5
            density = sum(math.exp(-d / width) for d in real) / m
            score += math.log((m * density + math.exp(-own[s] / width)) / ((m + 1) * density))
        expected.append(score)
    assert np.allclose(gen_lra(candidates, synthetic, reference, neighbours=neighbours), expected, atol=1e-4)


def test_record_linkage_equals_a_loop(tables: Tables) -> None:
    candidates, synthetic, reference = tables
    m, expected = reference.rows, []
    for x in range(candidates.rows):
        weights = []
        for s in range(synthetic.rows):
            total = 0.0
            for level in np.flatnonzero(candidates.levels[x] * synthetic.levels[s]):
                chance = (reference.levels[:, level].sum() + 1) / (m + 1)
                total -= math.log(0.01 + 0.99 * chance)
            for c in range(candidates.numbers.shape[1]):
                own, made = candidates.numbers[x, c], synthetic.numbers[s, c]
                tied = (np.abs(reference.numbers[:, c] - own) <= 1e-6).sum() + 1
                total -= math.log(0.01 + 0.99 * min(1.0, tied / (m + 1) + 2 * abs(float(own) - float(made))))
            weights.append(total)
        expected.append(max(weights))
    assert np.allclose(record_linkage(candidates, synthetic, reference), expected, atol=1e-3)


def test_density_ratio_equals_a_loop(tables: Tables) -> None:
    candidates, synthetic, reference = tables
    to_synthetic, to_reference = distances(candidates, synthetic), distances(candidates, reference)
    near = np.sort(to_reference, axis=1)[:, :5].mean(axis=1)
    expected = np.log((near + 1e-3) / (to_synthetic.min(axis=1) + 1e-3))
    assert np.allclose(density_ratio(*tables), expected, atol=1e-4)
    assert np.allclose(nearest_copy(*tables), -to_synthetic.min(axis=1), atol=1e-5)


@pytest.mark.parametrize("name", list(ATTACKS))
def test_copied_candidates_score_higher(tables: Tables, name: str) -> None:
    score = ATTACKS[name](*tables)
    assert score.shape == (40,)
    assert np.isfinite(score).all()
    assert np.median(score[:20]) > np.quantile(score[20:], 0.9)


@pytest.mark.parametrize("name", list(ATTACKS))
def test_one_row_of_each_table_is_enough(tables: Tables, name: str) -> None:
    score = ATTACKS[name](*(table[:1] for table in tables))
    assert np.isfinite(score).all()


def test_blocks_change_nothing(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = gen_lra(*tables), record_linkage(*tables)
    for module in (gen, linkage):
        monkeypatch.setattr(module, "PAIRS_AT_ONCE", 100)
    assert np.allclose(whole[0], gen_lra(*tables), atol=1e-4)
    assert np.allclose(whole[1], record_linkage(*tables), atol=1e-4)
