"""Values of holders in a game: Shapley and Banzhaf, exact for few, estimated with a stated bound for many.

Belongs here: from utilities of coalitions to one number per holder. Does not belong here: utilities (``utility``).

References
----------
Shapley (1953), A value for n-person games. Banzhaf (1965), Weighted voting doesn't work. Castro, Gómez and Tejada (2009),
Polynomial calculation of the Shapley value based on sampling. Wang and Jia (2023), Data Banzhaf, AISTATS (maximum sample reuse).
Hoeffding (1963). Maurer and Pontil (2009), Empirical Bernstein bounds, COLT, Theorem 4.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import comb, log, sqrt

import numpy as np

from hub.valuation.games import Game, members
from records.errors import ParameterError


@dataclass(frozen=True)
class Estimate:
    """Estimated values: with probability ``1 - delta`` all are within ``bound`` of the exact ones.

    Parameters
    ----------
    values, bounds : numpy.ndarray, shape (players,)
    bound : float
        The largest of ``bounds``.
    method, draws : str, int
        Which inequality gave the bound, and permutations or coalitions drawn.
    """

    values: np.ndarray
    bounds: np.ndarray
    delta: float
    method: str
    draws: int

    @property
    def bound(self) -> float:
        """The largest bound."""
        return float(self.bounds.max())

    def __str__(self) -> str:
        return f"within {self.bound:.4f} with probability {1 - self.delta:g} ({self.method}, {self.draws:,} draws)"


def shapley(utilities: np.ndarray) -> np.ndarray:
    """Exact Shapley values from the utilities of all coalitions (``games.table``), shape (players,)."""
    players = _players(utilities)
    weights = np.array([1 / (players * comb(players - 1, s)) for s in range(players)])
    return _marginal(utilities, players, lambda sizes: weights[sizes])


def banzhaf(utilities: np.ndarray) -> np.ndarray:
    """Exact Banzhaf values (mean marginal over all coalitions), shape (players,); they do not add up to the utility of all."""
    players = _players(utilities)
    return _marginal(utilities, players, lambda sizes: np.full(len(sizes), 0.5 ** (players - 1)))


def permutation_shapley(
    game: Game,
    rng: np.random.Generator,
    *,
    permutations: int = 10_000,
    seconds: float | None = None,
    delta: float = 0.05,
) -> Estimate:
    """Shapley values by random orders of arrival, each with its reverse; they add up to the utility of all exactly.

    Parameters
    ----------
    permutations : int
        At most so many, rounded up to pairs.
    seconds : float or None
        Ends earlier after this time, but not before two pairs. The end depends on time alone, not on values.
    delta : float
        Chance that one of the bounds fails, 0 to 1.
    """
    _chance(delta)
    until = None if seconds is None else time.monotonic() + seconds
    total, squares, pairs = np.zeros(game.players), np.zeros(game.players), 0
    while pairs < max(2, (permutations + 1) // 2) and (pairs < 2 or until is None or time.monotonic() < until):
        order = rng.permutation(game.players)
        gained = (_gains(game, order) + _gains(game, order[::-1])) / 2
        total, squares, pairs = total + gained, squares + gained**2, pairs + 1
    mean = total / pairs
    spread = np.maximum(squares - pairs * mean**2, 0) / (pairs - 1)
    return _bounded(mean, spread, 2 * game.spread, pairs, delta)


def reused_banzhaf(game: Game, rng: np.random.Generator, *, coalitions: int = 10_000, delta: float = 0.05) -> Estimate:
    """Banzhaf values from random coalitions, each of which serves all holders (maximum sample reuse)."""
    _chance(delta)
    drawn = rng.random((coalitions, game.players)) < 0.5
    worth = np.array([game.value(coalition) for coalition in drawn])
    inside = drawn.sum(axis=0)
    outside = coalitions - inside
    if not (inside.all() and outside.all()):
        raise ParameterError(f"coalitions must be enough for all holders, got {coalitions}; draw more")
    values = worth @ drawn / inside - worth @ ~drawn / outside
    each = log(4 * game.players / delta) / 2
    bounds = game.spread * (np.sqrt(each / inside) + np.sqrt(each / outside))
    return Estimate(values, bounds, delta, "Hoeffding", coalitions)


def _bounded(mean: np.ndarray, variance: np.ndarray, width: float, pairs: int, delta: float) -> Estimate:
    """The smaller of two bounds, each of which takes half of ``delta``; a union over holders."""
    players = len(mean)
    hoeffding = np.full(players, width * sqrt(log(4 * players / delta) / (2 * pairs)))
    term = log(8 * players / delta)
    bernstein = np.sqrt(2 * variance * term / pairs) + 7 * width * term / (3 * (pairs - 1))
    method = "empirical Bernstein" if bernstein.max() < hoeffding.max() else "Hoeffding"
    return Estimate(mean, np.minimum(hoeffding, bernstein), delta, method, 2 * pairs)


def _gains(game: Game, order: np.ndarray) -> np.ndarray:
    found = np.empty(game.players)
    found[order] = np.diff(game.along(order.tolist()))
    return found


def _marginal(utilities: np.ndarray, players: int, weigh: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    sizes = members(players).sum(axis=1)
    found = np.empty(players)
    for player in range(players):
        without = np.flatnonzero(np.arange(len(utilities)) >> player & 1 == 0)
        found[player] = weigh(sizes[without]) @ (utilities[without | 1 << player] - utilities[without])
    return found


def _players(utilities: np.ndarray) -> int:
    players = len(utilities).bit_length() - 1
    if players < 1 or len(utilities) != 2**players:
        raise ParameterError(f"utilities must cover all coalitions, got {len(utilities)}; see games.table")
    return players


def _chance(delta: float) -> None:
    if not 0 < delta < 1:
        raise ParameterError(f"delta must be between 0 and 1, got {delta}; 0.05 is usual")
