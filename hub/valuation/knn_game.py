"""The nearest-neighbour game with holders as players.

Belongs here: the utility of a coalition of holders from each holder's nearest records. Does not belong here: values of records
(``knn_shapley``), which need no coalition.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hub.valuation.knn_shapley import Scoring
from hub.valuation.nearest import Labelled, squared_distances


@dataclass(frozen=True)
class _Near:
    """At each test patient the K nearest distances: how many records lie there and what they score together.

    Shapes (tests, K). Unused places are infinitely far and hold no record.
    """

    far: np.ndarray
    count: np.ndarray
    score: np.ndarray

    @classmethod
    def of(cls, far: np.ndarray, score: np.ndarray, places: int) -> "_Near":
        return cls(far, np.ones_like(far), score).kept(places)

    def kept(self, places: int) -> "_Near":
        """Equal distances as one place, the nearest ``places`` of them."""
        order = np.argsort(self.far, axis=1, kind="stable")
        far, count, score = (np.take_along_axis(x, order, axis=1) for x in (self.far, self.count, self.score))
        tests, wide = far.shape
        new = np.zeros(far.shape, dtype=np.int64)
        new[:, 1:] = far[:, 1:] != far[:, :-1]
        at = np.cumsum(new, axis=1) + wide * np.arange(tests)[:, None]
        nearest = np.full(tests * wide, np.inf)
        nearest[at.ravel()] = far.ravel()
        added = [np.bincount(at.ravel(), x.ravel(), tests * wide).reshape(far.shape) for x in (count, score)]
        return _Near(*(x[:, :places] for x in (nearest.reshape(far.shape), *added)))

    def __add__(self, other: "_Near") -> "_Near":
        mine, theirs = (self.far, self.count, self.score), (other.far, other.count, other.score)
        joined = (np.concatenate(pair, axis=1) for pair in zip(mine, theirs, strict=True))
        return _Near(*joined).kept(self.far.shape[1])

    def utility(self, neighbours: int) -> float:
        """Mean score of K neighbours; those at the last distance share the places that are left."""
        before = np.cumsum(self.count, axis=1) - self.count
        taken = np.clip(neighbours - before, 0, self.count) / np.maximum(self.count, 1)
        return float((taken * self.score).sum() / (neighbours * len(self.far)))


class KnnGame:
    """Holders' records classify test patients; see ``games.Game``.

    Parameters
    ----------
    holdings : sequence of Labelled
        One per holder.
    tests : numpy.ndarray, shape (tests, features)
    """

    def __init__(self, holdings: Sequence[Labelled], tests: np.ndarray, scoring: Scoring) -> None:
        self._neighbours, self._near = scoring.neighbours, [self._nearest(h, tests, scoring) for h in holdings]
        empty = np.zeros((len(tests), scoring.neighbours))
        self._nobody = _Near(np.full_like(empty, np.inf), empty, empty)
        self.players, self.spread = len(holdings), scoring.spread

    @staticmethod
    def _nearest(held: Labelled, tests: np.ndarray, scoring: Scoring) -> _Near:
        far = squared_distances(tests, held.features)
        # A short list is filled up with places that nobody takes.
        short = max(0, scoring.neighbours - held.rows)
        near = _Near.of(
            np.pad(far, ((0, 0), (0, short)), constant_values=np.inf),
            np.pad(scoring.scores[:, held.labels], ((0, 0), (0, short))), scoring.neighbours,
        )  # fmt: skip
        nobody = np.isinf(near.far)
        return _Near(near.far, np.where(nobody, 0.0, near.count), np.where(nobody, 0.0, near.score))

    def value(self, coalition: np.ndarray) -> float:
        """See ``games.Game``."""
        near = self._nobody
        for player in np.flatnonzero(coalition):
            near = near + self._near[player]
        return near.utility(self._neighbours)

    def along(self, order: Sequence[int]) -> np.ndarray:
        """See ``games.Game``."""
        near, found = self._nobody, [0.0]
        for player in order:
            near = near + self._near[player]
            found.append(near.utility(self._neighbours))
        return np.array(found)
