"""The nearest-neighbour game with holders as players.

Belongs here: the utility of a coalition of holders from each holder's nearest records. Does not belong here: values of records
(``knn_shapley``), which need no coalition.

At each test patient only the K nearest places of each holder matter; a place is a distance at which the holder has records. All places
of all holders are ranked once. A coalition's nearest places are then the smallest of its members' keys (rank, then place), and as
holders come one by one, only the patients near whom the new one has records are looked at again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hub.valuation.knn_shapley import Scoring
from hub.valuation.nearest import Labelled, squared_distances
from records.errors import ParameterError


@dataclass(frozen=True)
class _Places:
    """Places of all holders at each test patient, nearest first by holder, shape (tests, holders, K).

    ``far`` is infinite where a holder has no more records; ``count`` records lie there, which score ``score`` together.
    """

    far: np.ndarray
    count: np.ndarray
    score: np.ndarray

    @classmethod
    def of(cls, holdings: Sequence[Labelled], tests: np.ndarray, scoring: Scoring) -> "_Places":
        if not holdings:
            raise ParameterError("a game must have at least one holder, got 0; name the holders")
        found = [_nearest(held, tests, scoring) for held in holdings]
        return cls(*(np.stack(parts, axis=1) for parts in zip(*found, strict=True)))

    @cached_property
    def bits(self) -> int:
        """Bits of a key that say which place it is."""
        return max(1, int(np.prod(self.far.shape[1:]) - 1).bit_length())

    @cached_property
    def keys(self) -> np.ndarray:
        """Rank of the distance among all holders' (equal ones equal), then the place's own number; same shape as ``far``."""
        far = self.far.reshape(len(self.far), -1)
        order = np.argsort(far, axis=1, kind="stable")
        near = np.take_along_axis(far, order, axis=1)
        steps = np.zeros(near.shape, dtype=np.int64)
        # Infinitely far is no distance to share.
        steps[:, 1:] = (near[:, 1:] != near[:, :-1]) | np.isinf(near[:, 1:])
        rank = np.empty_like(steps)
        np.put_along_axis(rank, order, np.cumsum(steps, axis=1), axis=1)
        keys = rank << self.bits | np.arange(far.shape[1])
        return keys.astype(np.int32 if 2 * self.bits < 31 else np.int64).reshape(self.far.shape)

    @cached_property
    def tied(self) -> int:
        """The most holders' places at one distance from one test patient."""
        rank = self.keys.reshape(len(self.far), -1) >> self.bits
        flat = rank + rank.shape[1] * np.arange(len(rank))[:, None]
        return int(np.bincount(flat.ravel()).max())

    @cached_property
    def alone(self) -> bool:
        """Whether no two records lie at one distance."""
        return self.tied == 1 and bool((self.count <= 1).all())


class KnnGame:
    """Holders' records classify test patients; see ``games.Game``.

    Parameters
    ----------
    holdings : sequence of Labelled
        One per holder.
    tests : numpy.ndarray, shape (tests, features)
    """

    def __init__(self, holdings: Sequence[Labelled], tests: np.ndarray, scoring: Scoring) -> None:
        self._neighbours, self._places = scoring.neighbours, _Places.of(holdings, tests, scoring)
        self.players, self.spread = len(holdings), scoring.spread
        # Behind the last neighbour, places at the same distance share its score.
        self._kept = min(scoring.neighbours + self._places.tied - 1, self.players * scoring.neighbours)
        self._by_holder = np.ascontiguousarray(self._places.keys.swapaxes(0, 1))
        self._count, self._score = (
            np.ascontiguousarray(x.reshape(-1)) for x in (self._places.count, self._places.score)
        )
        self._first = np.arange(len(tests))[:, None] * (self.players * scoring.neighbours)

    def value(self, coalition: np.ndarray) -> float:
        """See ``games.Game``."""
        there = self._by_holder[np.asarray(coalition, dtype=bool)]
        if not len(there):
            return 0.0
        keys = there.swapaxes(0, 1).reshape(there.shape[1], -1)
        if keys.shape[1] > self._kept:
            keys = np.partition(keys, self._kept - 1, axis=1)[:, : self._kept]
        return float(self._scores(np.sort(keys, axis=1), slice(None)).mean())

    def along(self, order: Sequence[int]) -> np.ndarray:
        """See ``games.Game``."""
        keys = self._by_holder[order[0]].copy()
        scores = self._scores(keys, slice(None))
        found = [0.0, float(scores.mean())]
        for player in order[1:]:
            coming = self._by_holder[player]
            if keys.shape[1] < self._kept:
                keys = np.sort(np.concatenate([keys, coming], axis=1), axis=1)[:, : self._kept]
                scores = self._scores(keys, slice(None))
            else:
                self._joined(keys, coming, scores)
            found.append(float(scores.mean()))
        return np.array(found)

    def _joined(self, keys: np.ndarray, coming: np.ndarray, scores: np.ndarray) -> None:
        """Put a holder's places among the nearest, in place, where they are nearer than the last."""
        near = (coming < keys[:, -1:]).sum(axis=1)
        rows = np.flatnonzero(near)
        if len(rows):
            both = np.concatenate([keys[rows], coming[rows, : near.max()]], axis=1)
            both.sort(axis=1)
            keys[rows] = both[:, : self._kept]
            scores[rows] = self._scores(keys[rows], rows)

    def _scores(self, keys: np.ndarray, rows: slice | np.ndarray) -> np.ndarray:
        """Mean score of K neighbours at the test patients ``rows``; those at the last distance share the places that are left."""
        places = (keys & (1 << self._places.bits) - 1) + self._first[rows]
        score = self._score[places]
        if self._places.alone:
            return score[:, : self._neighbours].sum(axis=1) / self._neighbours
        rank, count = keys >> self._places.bits, self._count[places]
        last = np.minimum((np.cumsum(count, axis=1) < self._neighbours).sum(axis=1), keys.shape[1] - 1)
        border = np.take_along_axis(rank, last[:, None], axis=1)
        inside, at = rank < border, rank == border
        left, sharing = self._neighbours - (count * inside).sum(axis=1), np.maximum((count * at).sum(axis=1), 1)
        shared = (score * at).sum(axis=1) * np.minimum(left / sharing, 1)
        return ((score * inside).sum(axis=1) + shared) / self._neighbours


def _nearest(held: Labelled, tests: np.ndarray, scoring: Scoring) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance, records and their score at the K nearest places of one holder, each of shape (tests, K)."""
    far, places = squared_distances(tests, held.features), scoring.neighbours
    order = np.argsort(far, axis=1, kind="stable")
    far, score = (np.take_along_axis(x, order, axis=1) for x in (far, scoring.scores[:, held.labels]))
    new = np.ones(far.shape, dtype=bool)
    new[:, 1:] = far[:, 1:] != far[:, :-1]
    at = np.cumsum(new, axis=1) - 1
    within = at < places
    flat = (at + places * np.arange(len(far))[:, None])[within]
    nearest = np.full(len(far) * places, np.inf)
    nearest[flat] = far[within]
    count, scored = (np.bincount(flat, x, len(nearest)) for x in (None, score[within]))
    return tuple(x.reshape(len(far), places) for x in (nearest, count.astype(float), scored))  # type: ignore[return-value]
