"""Random graphical models beside their joint tables, for property tests."""

from itertools import combinations

import numpy as np
from hypothesis import strategies as st

from models.graphical_model import GraphicalModel, assembled
from models.junction_tree import junction_tree

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
