"""Draws against the joint table written out."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models import conditional_sampling
from models.conditional_sampling import sample, sample_given, stratified
from tests.models.random_graphs import GRAPHS, NAMES, model_of


def test_samples_follow_the_joint_table() -> None:
    model, joint = model_of(([3, 2, 4, 2], {(0, 1), (1, 2), (2, 3), (0, 3)}, 5))
    drawn = sample(model, 100_000, np.random.default_rng(0))
    assert np.abs(shares(drawn, joint.shape) - joint).sum() / 2 < 0.01


@settings(max_examples=40, deadline=None)
@given(GRAPHS, st.sets(st.integers(0, 4), min_size=1, max_size=2), st.integers(0, 1))
def test_each_row_is_drawn_under_its_own_condition(
    graph: tuple[list[int], set[tuple[int, int]], int], fixed: set[int], other: int
) -> None:
    """4,000 rows of each of two conditions; the first attribute that is left may only take its lowest two levels."""
    model, joint = model_of(graph)
    fixed = {i for i in fixed if i < joint.ndim - 1}
    restricted = next(i for i in range(joint.ndim) if i not in fixed)
    allowed = np.arange(joint.shape[restricted]) < 2
    known = {NAMES[i]: np.repeat([0, other], 4000) for i in fixed}
    mask = {NAMES[restricted]: np.tile(allowed, (8000, 1))}
    drawn = sample_given(model, known, np.random.default_rng(0), mask)
    for half, level in ((slice(4000), 0), (slice(4000, 8000), other)):
        possible = np.moveaxis(joint, restricted, -1) * allowed
        conditional = np.moveaxis(possible, -1, restricted).copy()
        for i in fixed:
            at = np.arange(joint.shape[i]) == level
            conditional *= at.reshape([-1 if i == j else 1 for j in range(joint.ndim)])
        found = shares({name: codes[half] for name, codes in drawn.items()}, joint.shape)
        for i in range(joint.ndim):
            axes = tuple(j for j in range(joint.ndim) if j != i)
            expected = conditional.sum(axis=axes) / conditional.sum()
            assert np.abs(found.sum(axis=axes) - expected).max() < 0.05


def test_portions_give_what_one_pass_gives(monkeypatch) -> None:
    model, joint = model_of(([3, 2, 4, 2], {(0, 1), (1, 2), (2, 3), (0, 3)}, 5))
    known = {"a": np.random.default_rng(1).integers(3, size=60_000)}
    monkeypatch.setattr(conditional_sampling, "MOST_NUMBERS", 1)
    drawn = sample_given(model, known, np.random.default_rng(0))
    assert (drawn["a"] == known["a"]).all()
    expected = joint / joint.sum(axis=(1, 2, 3), keepdims=True) / 3
    assert np.abs(shares(drawn, joint.shape) - expected).sum() / 2 < 0.02


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 200), st.integers(0, 1000))
def test_stratified_draws_each_outcome_as_often_as_expected(conditions: int, outcomes: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.dirichlet(np.ones(outcomes), size=conditions)
    rows = rng.integers(conditions, size=n)
    drawn = stratified(table, rows, rng)
    for condition in range(conditions):
        counts = np.bincount(drawn[rows == condition], minlength=outcomes)
        assert np.abs(counts - table[condition] * (rows == condition).sum()).max() <= 1 + 1e-9


def shares(drawn: dict[str, np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    flat = np.ravel_multi_index([drawn[n] for n in NAMES[: len(shape)]], shape)
    return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape) / flat.size
