"""Belief propagation against the joint table written out, and learning against the truth."""

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings

from models.estimation import Measurement, estimate, estimated_total, expected_error
from models.junction_tree import junction_tree, tree_cells
from tests.models.random_graphs import GRAPHS, NAMES, model_of


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
def test_running_intersection(graph: tuple[list[int], set[tuple[int, int]], int]) -> None:
    tree = model_of(graph)[0].tree
    for child, parent in enumerate(tree.parents):
        earlier = set().union(*tree.cliques[:child])
        shared = set(tree.cliques[child]) & earlier
        assert shared == set(tree.separators[child])
        assert parent is None or shared <= set(tree.cliques[parent])
    assert tree.cells == tree_cells(tree.levels, tree.cliques)


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


def test_size_cap_counts_fill_in() -> None:
    levels = dict.fromkeys(NAMES[:4], 10)
    loop = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")]
    assert tree_cells(levels, loop) == 2 * prod([10, 10, 10])
