"""Belief propagation against the joint table written out, and learning against the truth."""

from itertools import combinations
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.estimation import Measurement, estimate, estimated_total, expected_error
from models.graphical_model import GraphicalModel, assembled, stratified
from models.junction_tree import junction_tree, tree_cells

NAMES = "abcdef"
GRAPHS = st.tuples(
    st.lists(st.integers(2, 4), min_size=3, max_size=6), st.sets(st.sampled_from(list(combinations(range(6), 2)))),
    st.integers(0, 2**32 - 1),
)  # fmt: skip


def model_of(graph: tuple[list[int], set[tuple[int, int]], int]) -> tuple[GraphicalModel, np.ndarray]:
    """A random model and its joint table."""
    sizes, edges, seed = graph
    levels = dict(zip(NAMES, sizes, strict=False))
    pairs = [(NAMES[a], NAMES[b]) for a, b in edges if b < len(sizes)]
    tree = junction_tree(levels, pairs)
    rng = np.random.default_rng(seed)
    factors = [(rng.normal(size=[levels[a] for a in c]), c) for c in [*pairs, *((n,) for n in levels)]]
    joint = np.zeros(sizes)
    for table, names in factors:
        joint = joint + table.reshape([levels[n] if n in names else 1 for n in levels])
    joint = np.exp(joint)
    return GraphicalModel(tree, assembled(tree, factors)), joint / joint.sum()


def summed(joint: np.ndarray, wanted: tuple[int, ...]) -> np.ndarray:
    kept = sorted(wanted)
    table = joint.sum(axis=tuple(i for i in range(joint.ndim) if i not in wanted))
    return np.transpose(table, [kept.index(i) for i in wanted])


@settings(max_examples=60, deadline=None)
@given(GRAPHS)
def test_marginals_are_those_of_the_joint_table(graph: tuple[list[int], set[tuple[int, int]], int]) -> None:
    model, joint = model_of(graph)
    assert sum(p.size for p in model.potentials) == model.tree.cells
    for wanted in [(0,), (2, 0), (1, 2), (2, 1, 0)]:
        assert model.project([NAMES[i] for i in wanted]) == pytest.approx(summed(joint, wanted), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(GRAPHS)
def test_evidence_conditions(graph: tuple[list[int], set[tuple[int, int]], int]) -> None:
    model, joint = model_of(graph)
    allowed = np.arange(joint.shape[1]) == 1
    conditional = summed(joint * allowed.reshape([1, -1] + [1] * (joint.ndim - 2)), (0, 2))
    found = model.project(["a", "c"], model.marginals({"b": allowed}))
    assert found == pytest.approx(conditional / conditional.sum(), abs=1e-12)
    assert (model.sample(20, np.random.default_rng(0), {"b": allowed})["b"] == 1).all()


@settings(max_examples=30, deadline=None)
@given(GRAPHS)
def test_running_intersection(graph: tuple[list[int], set[tuple[int, int]], int]) -> None:
    tree = model_of(graph)[0].tree
    for child, parent in enumerate(tree.parents):
        earlier = set().union(*tree.cliques[:child])
        shared = set(tree.cliques[child]) & earlier
        assert shared == set(tree.separators[child])
        assert parent is None or shared <= set(tree.cliques[parent])
    assert tree.cells == tree_cells(tree.levels, tree.cliques)


def test_samples_follow_the_joint_table() -> None:
    model, joint = model_of(([3, 2, 4, 2], {(0, 1), (1, 2), (2, 3), (0, 3)}, 5))
    drawn = model.sample(100_000, np.random.default_rng(0))
    flat = np.ravel_multi_index([drawn[n] for n in NAMES[:4]], joint.shape)
    found = np.bincount(flat, minlength=joint.size) / 100_000
    assert np.abs(found - joint.ravel()).sum() / 2 < 0.01


def test_estimation_recovers_exact_marginals_of_a_loop() -> None:
    _, joint = model_of(([3, 2, 4, 2], {(0, 1), (1, 2), (2, 3), (0, 3)}, 7))
    levels = dict(zip(NAMES, joint.shape, strict=False))
    loop = [(0, 1), (1, 2), (2, 3), (0, 3)]
    measured = [Measurement(tuple(NAMES[i] for i in p), 1000 * summed(joint, p), 1.0) for p in loop]
    tree = junction_tree(levels, [m.attributes for m in measured])
    model, _ = estimate(tree, measured, [], [], steps=3000, tolerance=1e-12)
    for m in measured:
        assert 1000 * model.project(m.attributes) == pytest.approx(m.counts, abs=0.01)


def test_noise_is_weighed_by_its_precision() -> None:
    good = Measurement(("a",), np.array([30.0, 70.0]), 1.0)
    bad = Measurement(("a",), np.array([300.0, -100.0]), 100.0)
    model, _ = estimate(junction_tree({"a": 2}, [("a",)]), [good, bad], [], [], steps=500, tolerance=1e-12)
    assert model.project(["a"]) == pytest.approx([0.3, 0.7], abs=0.001)
    assert estimated_total([good, bad]) == pytest.approx(100, abs=0.1)
    assert expected_error([good]) == pytest.approx(2 * np.sqrt(2 / np.pi) / 200)


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


def test_size_cap_counts_fill_in() -> None:
    levels = dict.fromkeys(NAMES[:4], 10)
    loop = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")]
    assert tree_cells(levels, loop) == 2 * prod([10, 10, 10])
