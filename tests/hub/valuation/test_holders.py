"""Values of holders: axioms to 1e-9, textbook games, and bounds that hold."""

from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hub.valuation.games import FunctionGame, members, table
from hub.valuation.holders import banzhaf, permutation_shapley, reused_banzhaf, shapley
from records.errors import ParameterError

EXACT = 1e-9
UTILITY = st.floats(-1, 1)


@st.composite
def games(draw: st.DrawFn, most: int = 5) -> np.ndarray:
    return draw(arrays(float, 2 ** draw(st.integers(1, most)), elements=UTILITY))


def as_game(utilities: np.ndarray, spread: float = 2.0) -> FunctionGame:
    players = len(utilities).bit_length() - 1
    return FunctionGame(players, lambda c: utilities[int(c @ (1 << np.arange(players)))], spread)


def swapped(utilities: np.ndarray, one: int, other: int) -> np.ndarray:
    """The game after two holders changed places."""
    there = members(len(utilities).bit_length() - 1)
    there[:, [one, other]] = there[:, [other, one]]
    return utilities[there @ (1 << np.arange(there.shape[1]))]


@given(games())
def test_shapley_values_add_up(utilities: np.ndarray) -> None:
    assert shapley(utilities).sum() == pytest.approx(utilities[-1] - utilities[0], abs=EXACT)


@given(games(), st.data())
def test_holders_who_bring_the_same_get_the_same(utilities: np.ndarray, data: st.DataObject) -> None:
    players = len(utilities).bit_length() - 1
    one, other = (data.draw(st.integers(0, players - 1)) for _ in range(2))
    fair = (utilities + swapped(utilities, one, other)) / 2
    for value in (shapley, banzhaf):
        found = value(fair)
        assert found[one] == pytest.approx(found[other], abs=EXACT)


@given(games(4))
def test_a_holder_who_changes_nothing_gets_nothing(utilities: np.ndarray) -> None:
    with_null = np.concatenate([utilities, utilities])  # the last holder is in the second half
    for value in (shapley, banzhaf):
        found = value(with_null)
        assert found[-1] == pytest.approx(0, abs=EXACT)
        np.testing.assert_allclose(found[:-1], value(utilities), atol=EXACT)


@given(games(4), UTILITY, UTILITY)
def test_values_are_linear_in_the_game(utilities: np.ndarray, a: float, b: float) -> None:
    other = np.roll(utilities, 1) ** 2
    for value in (shapley, banzhaf):
        np.testing.assert_allclose(
            value(a * utilities + b * other), a * value(utilities) + b * value(other), atol=EXACT
        )


def test_textbook_games() -> None:
    gloves = np.array([0, 0, 0, 0, 0, 1, 1, 1], float)  # one right glove (holder 2), two left ones
    np.testing.assert_allclose(shapley(gloves), [1 / 6, 1 / 6, 2 / 3])
    there = members(4)  # the weighted vote [51; 40, 30, 20, 10]
    vote = (there @ [40, 30, 20, 10] >= 51).astype(float)
    np.testing.assert_allclose(shapley(vote), [5 / 12, 3 / 12, 3 / 12, 1 / 12])
    np.testing.assert_allclose(banzhaf(vote), [5 / 8, 3 / 8, 3 / 8, 1 / 8])


def test_a_table_asks_the_game_for_every_coalition() -> None:
    utilities = np.arange(16.0)
    np.testing.assert_array_equal(table(as_game(utilities)), utilities)


def test_estimates_add_up_and_keep_their_bounds() -> None:
    """200 estimates at delta 0.2: more than 60 broken bounds would have a chance below 1e-3 even if the bounds were tight."""
    rng, broken = np.random.default_rng(3), 0
    utilities = np.random.default_rng(1).random(2**5)
    for _ in range(200):
        estimate = permutation_shapley(as_game(utilities, 1.0), rng, permutations=30, delta=0.2)
        assert estimate.values.sum() == pytest.approx(utilities[-1] - utilities[0], abs=EXACT)
        broken += bool((np.abs(estimate.values - shapley(utilities)) > estimate.bounds).any())
    assert broken <= 60


def test_reused_coalitions_estimate_banzhaf_within_the_bound() -> None:
    rng, utilities = np.random.default_rng(4), np.random.default_rng(2).random(2**6)
    game = as_game(utilities, 1.0)
    estimates = [reused_banzhaf(game, rng, coalitions=200, delta=0.2) for _ in range(50)]
    assert sum(bool((np.abs(e.values - banzhaf(utilities)) > e.bounds).any()) for e in estimates) <= 20
    assert "Hoeffding, 200 draws" in str(estimates[0])


def test_variance_makes_the_bound_small() -> None:
    """An almost additive game: the empirical Bernstein bound is far below Hoeffding's."""
    worth = np.linspace(0, 0.02, 20)
    game = FunctionGame(20, lambda c: float(c @ worth), 1.0)
    estimate = permutation_shapley(game, np.random.default_rng(0), permutations=4000)
    assert estimate.method == "empirical Bernstein"
    assert estimate.bound < 0.02
    np.testing.assert_allclose(estimate.values, worth, atol=1e-12)


@settings(max_examples=20)
@given(games(4), st.integers(0, 9))
def test_many_permutations_come_to_the_exact_values(utilities: np.ndarray, seed: int) -> None:
    players = len(utilities).bit_length() - 1
    estimate = permutation_shapley(
        as_game(utilities), np.random.default_rng(seed), permutations=40 * factorial(players)
    )
    assert (np.abs(estimate.values - shapley(utilities)) <= estimate.bounds).all()


def test_bad_input_is_refused() -> None:
    game = FunctionGame(17, lambda c: 0.0, 1.0)
    with pytest.raises(ParameterError, match="at most 16 holders, got 17"):
        table(game)
    with pytest.raises(ParameterError, match="all coalitions, got 6"):
        shapley(np.zeros(6))
    with pytest.raises(ParameterError, match="between 0 and 1"):
        permutation_shapley(game, np.random.default_rng(0), delta=0.0)
    with pytest.raises(ParameterError, match="at least one holder"):
        FunctionGame(0, lambda c: 0.0, 1.0)
