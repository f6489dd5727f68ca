"""Nearest-neighbour Shapley values: against every coalition, against pyDVL, the axioms, and ties."""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.valuation.games import FunctionGame, members, table
from hub.valuation.holders import shapley
from hub.valuation.knn_game import KnnGame
from hub.valuation.knn_shapley import Scoring, accuracy, balanced, knn_shapley
from hub.valuation.nearest import Labelled, squared_distances
from records.errors import ParameterError

SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int, rows: int, tests: int = 4, *, grid: int = 0) -> tuple[Labelled, Labelled]:
    """Records and test patients; ``grid`` > 0 puts them on few places, so that there are ties."""
    rng = np.random.default_rng(seed)
    features = rng.integers(0, grid, (rows + tests, 2)).astype(float) if grid else rng.normal(size=(rows + tests, 2))
    labels = np.concatenate([rng.integers(0, 2, rows), np.arange(tests) % 2])
    return Labelled(features[:rows], labels[:rows]), Labelled(features[rows:], labels[rows:])


def by_definition(records: Labelled, tests: Labelled, scoring: Scoring) -> np.ndarray:
    """Shapley values from the utility of every coalition; places at the last distance are shared."""
    far = squared_distances(tests.features, records.features)

    def worth(coalition: np.ndarray) -> float:
        total = 0.0
        for t in range(tests.rows):
            left = float(scoring.neighbours)
            for distance in np.unique(far[t, coalition]):
                there = coalition & (far[t] == distance)
                taken = min(left, there.sum())
                total += taken * scoring.scores[t, records.labels[there]].mean()
                left -= taken
        return total / (scoring.neighbours * tests.rows)

    return shapley(table(FunctionGame(records.rows, worth, 1.0)))


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 6), st.integers(1, 8), st.sampled_from([0, 2, 3]), st.sampled_from([accuracy, balanced]))
def test_the_closed_form_is_the_definition(seed: int, rows: int, neighbours: int, grid: int, rule) -> None:
    records, tests = drawn(seed, rows, grid=grid)
    scoring = rule(tests.labels, neighbours)
    found = knn_shapley(records, tests.features, scoring)
    np.testing.assert_allclose(found, by_definition(records, tests, scoring), atol=1e-12)


@given(SEEDS, st.integers(2, 60), st.integers(1, 9), st.sampled_from([0, 2, 4]))
def test_values_add_up_to_the_utility_of_all(seed: int, rows: int, neighbours: int, grid: int) -> None:
    records, tests = drawn(seed, rows, 10, grid=grid)
    scoring = balanced(tests.labels, neighbours)
    all_together = KnnGame([records], tests.features, scoring).value(np.array([True]))
    assert knn_shapley(records, tests.features, scoring).sum() == pytest.approx(all_together, abs=1e-9)


@given(SEEDS, st.integers(2, 40), st.integers(1, 7))
def test_equal_records_have_equal_values(seed: int, rows: int, neighbours: int) -> None:
    records, tests = drawn(seed, rows, 10)
    twice = Labelled(np.tile(records.features, (2, 1)), np.tile(records.labels, 2))
    mixed = np.random.default_rng(seed).permutation(2 * rows)
    values = np.empty(2 * rows)
    values[mixed] = knn_shapley(twice.at(mixed), tests.features, accuracy(tests.labels, neighbours))
    np.testing.assert_allclose(values[:rows], values[rows:], atol=1e-9)


@given(SEEDS, st.integers(2, 30))
def test_values_are_linear_in_the_scores(seed: int, rows: int) -> None:
    records, tests = drawn(seed, rows, 6)
    rng = np.random.default_rng(seed)
    one, other = (Scoring(rng.normal(size=(6, 2)), 3) for _ in range(2))
    both = Scoring(2 * one.scores - other.scores, 3)
    a, b, c = (knn_shapley(records, tests.features, s) for s in (one, other, both))
    np.testing.assert_allclose(c, 2 * a - b, atol=1e-9)


def test_a_record_whose_label_never_scores_has_no_value_beyond_what_it_displaces() -> None:
    """With room for all records nobody is displaced: a label that scores nothing is a null player."""
    records, tests = drawn(5, 6, 8)
    scoring = Scoring(np.column_stack([np.ones(8), np.zeros(8)]), 6)
    values = knn_shapley(records, tests.features, scoring)
    np.testing.assert_allclose(values[records.labels == 1], 0, atol=1e-12)
    assert (values[records.labels == 0] > 0).all()


@settings(max_examples=30)
@given(SEEDS, st.lists(st.integers(1, 8), min_size=1, max_size=4), st.sampled_from([0, 2, 3]), st.integers(1, 6))
def test_the_game_of_holders_ranks_as_the_pooled_records(
    seed: int, sizes: list[int], grid: int, neighbours: int
) -> None:
    records, tests = drawn(seed, sum(sizes), 6, grid=grid)
    holdings = [records.at(rows) for rows in np.split(np.arange(records.rows), np.cumsum(sizes)[:-1])]
    scoring = balanced(tests.labels, neighbours)
    game = KnnGame(holdings, tests.features, scoring)
    for coalition in members(len(sizes)):
        there = np.repeat(coalition, sizes)
        pooled = knn_shapley(records.at(there), tests.features, scoring).sum() if there.any() else 0.0
        assert game.value(coalition) == pytest.approx(pooled, abs=1e-9)
    for order in list(permutations(range(len(sizes))))[:3]:
        steps = [game.value(np.isin(np.arange(len(sizes)), order[:n])) for n in range(len(sizes) + 1)]
        np.testing.assert_allclose(game.along(order), steps, atol=1e-9)


def test_values_are_those_of_pydvl() -> None:
    """Breast cancer data of scikit-learn; values written by ``benchmarks/valuation_peer.py`` with pyDVL 0.10.0."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.preprocessing import scale

    published = json.loads((Path(__file__).parent / "pydvl_knn.json").read_text())
    features, labels = load_breast_cancer(return_X_y=True)
    known = Labelled(np.round(scale(features), 3), np.asarray(labels))
    records, tests = known.at(np.arange(400)), known.at(np.arange(400, 500))
    for neighbours, values in published["values"].items():
        found = knn_shapley(records, tests.features, accuracy(tests.labels, int(neighbours)))
        np.testing.assert_allclose(found, values, atol=1e-9)


def test_bad_input_is_refused() -> None:
    records, tests = drawn(1, 5)
    with pytest.raises(ParameterError, match="at least 1, got 0"):
        accuracy(tests.labels, 0)
    with pytest.raises(ParameterError, match="finite"):
        Labelled(np.full((2, 2), np.nan), np.zeros(2, int))
    with pytest.raises(ParameterError, match="one label each"):
        Labelled(np.zeros((3, 2)), np.zeros(2, int))
    with pytest.raises(ParameterError, match="show each label"):
        balanced(np.ones(4, int), 5)
    with pytest.raises(ParameterError, match="labels that test patients have"):
        knn_shapley(Labelled(records.features, records.labels + 2), tests.features, accuracy(tests.labels, 3))
