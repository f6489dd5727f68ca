"""Logits learnt from pair tables: the truth where there is much to learn from, what is public where noise drowns it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.additive_logit import PairTable, drawn, learn
from models.pair_effects import Axis, Effects, Grain, effects

GRAINS = st.sampled_from([Grain.CELLS, Grain.SELF, Grain.THIRDS, Grain.MOVES])
AXES = st.builds(Axis, st.integers(3, 9), st.booleans())


def table(grain: Grain, child: Axis, parent: Axis, cells: np.ndarray, sigma: float = 0.0) -> PairTable:
    seen = effects(child, parent, grain)
    return PairTable(seen, seen.grouped(cells), sigma)


def margin(child: Axis, cells: np.ndarray, sigma: float = 0.0) -> PairTable:
    return PairTable(effects(child, child, Grain.MARGIN), cells.sum(axis=1), sigma)


def fitted(cells: np.ndarray, sigma: float = 0.0, grain: Grain = Grain.CELLS) -> np.ndarray:
    child, parent = Axis(cells.shape[0]), Axis(cells.shape[1])
    levels = {"p": np.arange(parent.levels)}
    logit = learn(
        ["p"], levels, cells.sum(axis=0), margin(child, cells, sigma), [table(grain, child, parent, cells, sigma)]
    )
    odds = np.exp(logit.log_odds(levels, parent.levels))
    return (odds / odds.sum(axis=1, keepdims=True)).T


@settings(max_examples=60, deadline=None)
@given(AXES, GRAINS)
def test_groups_part_the_cells(axis: Axis, grain: Grain) -> None:
    seen = effects(axis, axis, grain)
    cells = np.arange(axis.levels**2, dtype=float).reshape(axis.levels, -1)
    assert seen.group.shape == cells.shape
    assert seen.grouped(cells).sum() == pytest.approx(cells.sum())
    assert len(seen.patterns) == len(seen.means) == len(seen.scales)
    weights = np.random.default_rng(0).normal(size=len(seen.means))
    assert (seen.spread(weights) * cells).sum() == pytest.approx(weights @ seen.patterns @ seen.grouped(cells))


def test_large_counts_are_met() -> None:
    cells = np.random.default_rng(0).dirichlet(np.ones(5), size=4).T * 20_000
    assert fitted(cells) == pytest.approx(cells / cells.sum(axis=0), abs=0.01)


def test_noise_that_drowns_a_table_leaves_what_is_public() -> None:
    rng = np.random.default_rng(0)
    cells = np.full((6, 6), 8.0) + rng.normal(0, 300, (6, 6))
    kept = fitted(cells, 300.0, Grain.MOVES)
    stays = np.diag(kept)
    assert (stays > 1 / 6).all()
    for parents in (fitted(cells, 3000.0),):
        assert np.abs(parents - parents.mean(axis=1, keepdims=True)).max() < 0.1


def test_two_parents_that_go_together_are_not_counted_twice() -> None:
    rng = np.random.default_rng(1)
    one = rng.integers(3, size=40_000)
    other = np.where(rng.random(one.size) < 0.9, one, rng.integers(3, size=one.size))
    child = (rng.random(one.size) < np.array([0.1, 0.4, 0.8])[one]).astype(int)
    axis, wide = Axis(2), Axis(3)
    cells = [np.bincount(child * 3 + p, minlength=6).reshape(2, 3).astype(float) for p in (one, other)]
    logit = learn(
        ["one", "other"], {"one": one, "other": other}, np.ones(one.size), margin(axis, cells[0]),
        [table(Grain.CELLS, axis, wide, c) for c in cells],
    )  # fmt: skip
    assert np.ptp(logit.effects[1][1] - logit.effects[1][0]) < 0.2
    assert np.ptp(logit.effects[0][1] - logit.effects[0][0]) > 3


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(0, 1000))
def test_draws_follow_the_odds(levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 2, levels)
    odds[rng.integers(levels)] = 0
    found = drawn(np.tile(odds, (20_000, 1)), rng)
    share = np.exp(odds) / np.exp(odds).sum()
    assert np.bincount(found, minlength=levels) / 20_000 == pytest.approx(share, abs=0.02)


def test_a_forbidden_level_is_never_drawn() -> None:
    odds = np.tile([-np.inf, 0.0, 0.0], (1000, 1))
    assert 0 not in drawn(odds, np.random.default_rng(0))


def test_precision_grows_with_noise() -> None:
    seen: Effects = effects(Axis(4), Axis(4), Grain.CELLS)
    counts = np.full(16, 20.0)
    weak, strong = seen.precision(counts, 1.0), seen.precision(counts, 50.0)
    assert (strong > weak).all()
    assert (weak > seen.precision(counts, 0.0)).all()
