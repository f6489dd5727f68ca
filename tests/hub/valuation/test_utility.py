"""Utilities: against scikit-learn, coalition by coalition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.metrics import log_loss, roc_auc_score

from hub.valuation.features import labelled
from hub.valuation.games import members, table
from hub.valuation.holders import permutation_shapley, shapley
from hub.valuation.knn_game import KnnGame
from hub.valuation.knn_shapley import accuracy
from hub.valuation.nearest import Labelled, together
from hub.valuation.utility import UTILITIES, LinearAucGame, auc, utility
from records.errors import ParameterError
from tests.hub.valuation.people import SCHEMA, of_nobody, patients


def holdings(count: int = 4) -> list[Labelled]:
    return [labelled(patients(s, 20 + 10 * s), SCHEMA, SCHEMA.outcomes[0])[0] for s in range(count)]


def test_auc_is_that_of_scikit_learn_with_ties() -> None:
    rng = np.random.default_rng(1)
    scores, labels = np.round(rng.normal(size=(3, 50)), 1), rng.integers(0, 2, 50)
    np.testing.assert_allclose(auc(scores, labels), [roc_auc_score(labels, s) for s in scores])
    assert auc(scores, np.ones(50)).tolist() == [0.5] * 3


def test_the_linear_game_is_ridge_regression_of_pooled_records() -> None:
    held, tests = holdings(), of_nobody(1)
    game = LinearAucGame(held, tests)
    values = game.values(members(4))
    for coalition, value in zip(members(4)[1:], values[1:], strict=True):
        pooled = together([h for h, there in zip(held, coalition, strict=True) if there])
        scores = Ridge(alpha=1.0).fit(pooled.features, pooled.labels).predict(tests.features)
        assert value == pytest.approx(roc_auc_score(tests.labels, scores) - 0.5, abs=1e-9)
    np.testing.assert_allclose(table(game), values)
    assert game.along([2, 0, 3, 1]).tolist() == [values[i] for i in (0, 4, 5, 13, 15)]


def scored(there: Labelled, tests: Labelled, neighbours: int) -> float:
    """Score of the nearest records, patient by patient; those at the last distance share the places that are left."""
    scores, total = accuracy(tests.labels, neighbours).scores, 0.0
    for patient, row in zip(tests.features, scores, strict=True):
        far, places = ((there.features - patient) ** 2).sum(axis=1), neighbours
        for distance in np.unique(far):
            group = row[there.labels[far == distance]]
            total += min(1.0, places / len(group)) * group.sum()
            places = max(0, places - len(group))
    return total / (neighbours * tests.rows)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 7), st.sampled_from([0.0, 1.0]))
def test_the_nearest_neighbour_game_is_its_definition_with_and_without_ties(seed: int, k: int, spread: float) -> None:
    rng = np.random.default_rng(seed)

    def some(rows: int) -> Labelled:
        return Labelled(rng.integers(0, 3, (rows, 2)) + spread * rng.normal(size=(rows, 2)), rng.integers(0, 2, rows))

    held, tests = [some(rows) for rows in rng.integers(1, 9, rng.integers(1, 6))], some(5)
    game, order = KnnGame(held, tests.features, accuracy(tests.labels, k)), rng.permutation(len(held)).tolist()
    expected = [scored(together([held[i] for i in order[: n + 1]]), tests, k) for n in range(len(held))]
    np.testing.assert_allclose(game.along(order), [0.0, *expected], atol=1e-12)
    np.testing.assert_allclose(game.along(order), [0.0, *expected], atol=1e-12)  # the game is as it was
    there = np.isin(np.arange(len(held)), order[:2])
    assert game.value(there) == pytest.approx(expected[min(1, len(held) - 1)], abs=1e-12)


def test_log_loss_is_that_of_scikit_learn_above_even_odds() -> None:
    from sklearn.linear_model import LogisticRegression

    held, tests = holdings(2), of_nobody(1)
    game = utility("log-loss").game(held, tests, 5)
    pooled = together(held)
    risk = (
        LogisticRegression(C=1.0, max_iter=300).fit(pooled.features, pooled.labels).predict_proba(tests.features)[:, 1]
    )
    expected = np.log(2) - log_loss(tests.labels, np.clip(risk, 1e-3, 1 - 1e-3))
    assert game.value(np.array([True, True])) == pytest.approx(expected)


@pytest.mark.parametrize("name", list(UTILITIES))
def test_every_utility_is_a_game_that_starts_at_nothing_and_keeps_its_spread(name: str) -> None:
    game = utility(name).game(holdings(3), of_nobody(2), 5)
    values = table(game)
    assert values[0] == 0
    assert np.ptp(values) <= game.spread
    assert utility(name).words["fi"]
    estimate = permutation_shapley(game, np.random.default_rng(0), permutations=4)
    assert estimate.values.sum() == pytest.approx(shapley(values).sum(), abs=1e-9)


def test_an_unknown_utility_is_refused() -> None:
    with pytest.raises(ParameterError, match="one of knn-balanced, knn-accuracy"):
        utility("accuracy")
