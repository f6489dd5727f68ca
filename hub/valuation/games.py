"""A game of holders: the utility of every coalition.

Belongs here: the contract of a game and its table of all coalitions. Does not belong here: utilities (``utility``), values
(``holders``).
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from records.errors import ParameterError

MOST_EXACT = 16


class Game(Protocol):
    """Holders 0 to ``players`` - 1; ``spread`` is the largest utility less the smallest, known beforehand."""

    @property
    def players(self) -> int:
        """Number of holders."""
        ...

    @property
    def spread(self) -> float:
        """Largest possible difference of two utilities."""
        ...

    def value(self, coalition: np.ndarray) -> float:
        """Utility of the holders whose place in ``coalition`` (bool) is true."""
        ...

    def along(self, order: Sequence[int]) -> np.ndarray:
        """Utilities as holders come in ``order``, from nobody to all: shape (players + 1,)."""
        ...


class FunctionGame:
    """A game from a function of the coalition."""

    def __init__(self, players: int, worth: Callable[[np.ndarray], float], spread: float) -> None:
        if players < 1:
            raise ParameterError(f"a game must have at least one holder, got {players}; name the holders")
        self.players, self.spread, self._worth = players, spread, worth

    def value(self, coalition: np.ndarray) -> float:
        """See ``Game``."""
        return float(self._worth(coalition))

    def along(self, order: Sequence[int]) -> np.ndarray:
        """See ``Game``."""
        there = np.zeros(self.players, dtype=bool)
        found = [self.value(there)]
        for player in order:
            there[player] = True
            found.append(self.value(there))
        return np.array(found)


def members(players: int) -> np.ndarray:
    """All coalitions, shape (2**players, players): row c holds the bits of c, holder 0 the lowest."""
    return (np.arange(2**players)[:, None] >> np.arange(players) & 1).astype(bool)


def table(game: Game) -> np.ndarray:
    """Utility of each coalition, shape (2**players,), in the order of ``members``.

    Raises
    ------
    ParameterError
        There are too many holders to look at every coalition.
    """
    if game.players > MOST_EXACT:
        raise ParameterError(
            f"exact values must have at most {MOST_EXACT} holders, got {game.players}; estimate by permutations"
        )
    return np.array([game.value(coalition) for coalition in members(game.players)])
