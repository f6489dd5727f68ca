"""Records ranked by distance from each test patient, ties told.

Belongs here: labelled records as numbers, distances in pieces, ranks. Does not belong here: values (``knn_shapley``), how a table
becomes numbers (``features``).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from records.errors import ParameterError

PIECE = 2_000_000  # distances held at once
DECIMALS = 9  # distances that differ by less are ties: rounding must not tell equal records apart


@dataclass(frozen=True)
class Labelled:
    """Records with a label.

    Parameters
    ----------
    features : numpy.ndarray of float, shape (rows, features)
        Finite.
    labels : numpy.ndarray of int, shape (rows,)
        0 to classes - 1.
    """

    features: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or self.labels.shape != self.features.shape[:1]:
            raise ParameterError(
                f"records must have one label each, got {self.features.shape} and {self.labels.shape}; align them"
            )
        if not np.isfinite(self.features).all():
            raise ParameterError("features must be finite, got infinity or nan; encode missing values first")

    @property
    def rows(self) -> int:
        """Number of records."""
        return len(self.labels)

    def at(self, rows: np.ndarray) -> "Labelled":
        """The records at ``rows`` (numbers or a mask)."""
        return Labelled(self.features[rows], self.labels[rows])


@dataclass(frozen=True)
class Ranks:
    """Some test patients' rankings of all records; equal distances form a group.

    Parameters
    ----------
    tests : slice
        Which test patients.
    order : numpy.ndarray of int, shape (tests, records)
        Record at each rank, nearest first.
    starts : numpy.ndarray of int
        Where groups begin in the flattened ``order``; a group never spans two test patients.
    """

    tests: slice
    order: np.ndarray
    starts: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """Records in each group."""
        return np.diff(self.starts, append=self.order.size)


def rankings(records: np.ndarray, tests: np.ndarray) -> Iterator[Ranks]:
    """Rankings of ``records`` by Euclidean distance, a piece of the test patients at a time.

    Parameters
    ----------
    records, tests : numpy.ndarray, shapes (records, features) and (tests, features)
    """
    different, which = np.unique(records, axis=0, return_inverse=True)
    step = max(1, PIECE // max(len(records), 1))
    for begin in range(0, len(tests), step):
        piece = tests[begin : begin + step]
        far = squared_distances(piece, different)[:, which.ravel()]
        order = np.argsort(far, axis=1, kind="stable")
        ranked = np.take_along_axis(far, order, axis=1)
        new = np.ones(ranked.shape, dtype=bool)
        new[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
        yield Ranks(slice(begin, begin + len(piece)), order, np.flatnonzero(new))


def squared_distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances, shape (len(one), len(other)), rounded so that ties are ties."""
    far = -2.0 * one @ other.T
    far += np.einsum("ij,ij->i", one, one)[:, None]
    far += np.einsum("ij,ij->i", other, other)
    return np.round(far, DECIMALS, out=far)


def together(parts: list[Labelled]) -> Labelled:
    """All records of several holders, in order."""
    return Labelled(np.concatenate([p.features for p in parts]), np.concatenate([p.labels for p in parts]))
