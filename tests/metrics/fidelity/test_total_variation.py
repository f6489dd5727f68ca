"""Total variation distances against an independent computation."""

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cityblock

from metrics.fidelity.total_variation import ROWS_AT_ONCE, pair_distances, pair_shares

tables = st.tuples(
    st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**31)
)


def plain_distance(first: np.ndarray, second: np.ndarray, levels: tuple[int, int]) -> float:
    """Two-way distance of two columns by histograms and scipy's city-block distance."""
    edges = [np.arange(count + 1) - 0.5 for count in levels]
    shares = [np.histogram2d(*table.T, bins=edges)[0].ravel() / len(table) for table in (first, second)]
    return cityblock(*shares) / 2


@settings(max_examples=60, deadline=None)
@given(tables)
def test_every_pair_equals_histogram_computation(case: tuple[list[int], int, int, int]) -> None:
    levels, rows, others, seed = case
    rng = np.random.default_rng(seed)
    first, second = (rng.integers(0, levels, size=(n, len(levels))) for n in (rows, others))
    found = pair_distances(pair_shares(first, levels), pair_shares(second, levels), levels)
    for i in range(len(levels)):
        for j in range(len(levels)):
            expected = plain_distance(first[:, [i, j]], second[:, [i, j]], (levels[i], levels[j]))
            assert abs(found[i, j] - expected) < 1e-9


def test_rows_in_blocks_give_exact_counts() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, [3, 4], size=(ROWS_AT_ONCE + 17, 2))
    counts = pair_shares(codes, [3, 4])[:3, 3:] * len(codes)
    assert np.abs(counts - np.histogram2d(*codes.T, bins=[np.arange(4) - 0.5, np.arange(5) - 0.5])[0]).max() < 1e-6


def test_thirty_columns_are_fast() -> None:
    codes = np.random.default_rng(0).integers(0, 11, size=(1000, 30))
    start = time.perf_counter()
    for _ in range(3):
        pair_distances(pair_shares(codes, [11] * 30), pair_shares(codes, [11] * 30), [11] * 30)
    assert time.perf_counter() - start < 1.0
