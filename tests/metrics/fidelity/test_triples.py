"""Three-way total variation against histograms, and the choice of triples."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cityblock

from metrics.fidelity import triples as module
from metrics.fidelity.references import compared
from metrics.fidelity.triples import MOST_TRIPLES, triple_distances, triples
from records.schema import Column, Kind, Role, Schema

cases = st.tuples(
    st.lists(st.integers(1, 5), min_size=3, max_size=5), st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**31)
)


def by_histogram(first: np.ndarray, second: np.ndarray, levels: list[int]) -> float:
    edges = [np.arange(count + 1) - 0.5 for count in levels]
    shares = [np.histogramdd(table, bins=edges)[0].ravel() / len(table) for table in (first, second)]
    return cityblock(*shares) / 2


@pytest.mark.parametrize("most_cells", [1, 2_000_000])
@settings(max_examples=40, deadline=None)
@given(case=cases)
def test_equals_histogram_computation(most_cells: int, case: tuple[list[int], int, int, int]) -> None:
    levels, rows, others, seed = case
    rng = np.random.default_rng(seed)
    first, second = (rng.integers(0, levels, size=(n, len(levels))) for n in (rows, others))
    chosen = np.array(list(combinations(range(len(levels)), 3)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_CELLS", most_cells)
        found = triple_distances({"train": first, "other": second}, levels, chosen)["other"]
    expected = [by_histogram(first[:, t], second[:, t], [levels[i] for i in t]) for t in chosen]
    assert np.abs(found - expected).max() < 1e-9


def test_same_is_0_disjoint_is_1_and_empty_is_unknown() -> None:
    codes = {"train": np.zeros((9, 3), int), "same": np.zeros((4, 3), int), "far": np.ones((5, 3), int),
             "empty": np.zeros((0, 3), int)}  # fmt: skip
    found = triple_distances(codes, [2, 2, 2], np.array([[0, 1, 2]]))
    assert (found["same"][0], found["far"][0]) == (0, 1)
    assert np.isnan(found["empty"][0])


def test_all_triples_of_a_small_schema(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    tables = compared(train, holdout, fresh, schema, rng=np.random.default_rng(0))
    report = triples(tables, rng=np.random.default_rng(0))
    assert report.mean is not None
    assert report.max is not None
    assert (report.possible, report.measured) == (84, 84)
    assert report.mean["holdout"] < report.mean["independent_matched"]
    assert report.worst[0]["synthetic"] == report.max["synthetic"]
    assert len(report.worst[0]["labels"]) == 3


def test_many_columns_are_sampled_alike_for_one_seed() -> None:
    schema = _wide(16)
    frame = pl.DataFrame({c.name: ["0", "1"] * 30 for c in schema.columns}).cast(schema.polars())
    tables = compared(frame, frame, frame, schema, rng=np.random.default_rng(0))
    report, again = (triples(tables, rng=np.random.default_rng(3)) for _ in range(2))
    assert report.to_json() == again.to_json()
    assert report.possible == 560
    assert report.with_outcome >= 105  # all that hold the outcome: 15 * 14 / 2
    assert MOST_TRIPLES <= report.measured <= 2 * MOST_TRIPLES


def test_two_columns_have_a_reason() -> None:
    schema = _wide(2)
    frame = pl.DataFrame({c.name: ["0", "1"] * 30 for c in schema.columns}).cast(schema.polars())
    report = triples(compared(frame, frame, frame, schema, rng=np.random.default_rng(0)), rng=np.random.default_rng(0))
    assert report.reason == "fewer than three columns can be compared"
    assert report.mean is None


def _wide(columns: int) -> Schema:
    levels = {"0": "No", "1": "Yes"}
    roles = [Role.OUTCOME, *[Role.COVARIATE] * (columns - 1)]
    named = [
        Column(name=f"c{i}", label=f"C {i}", role=r, kind=Kind.CATEGORY, levels=levels) for i, r in enumerate(roles)
    ]
    return Schema(name="wide", title="Wide", columns=tuple(named))
