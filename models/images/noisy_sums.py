"""Sums over patients with discrete Gaussian noise: the only place where the simple image synthesizers touch pixels.

Belongs here: bounding what a patient adds, adding up, noise and its record. Does not belong here: what is added up.

Each slice gives a vector of at most a stated L2 norm, in the cell of its class. A patient adds the mean over all slices,
so that the patient's whole vector over all cells has at most that norm too, however many slices and classes there are (a
mean of vectors is never longer than the longest). It is counted in whole units of ``norm / 2^20``, rounded towards zero,
which makes no vector longer: sums are exact integers and sensitivity is exact.

References
----------
Canonne, Kamath and Steinke (2020), The discrete Gaussian for differential privacy, Theorem 4: noise of scale sigma on
integers of L2 sensitivity ``d`` costs ``d^2 / (2 sigma^2)`` in zCDP.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from records.noise import discrete_gaussian
from records.privacy import Mechanism

UNITS = 2**20
MOST_NUMBERS = 4_000_000  # of vectors held at once
_BELOW = 1 - 1e-9  # what floating point may add to a norm

Floats = NDArray[np.floating]
Vectors = Callable[[NDArray[np.int64]], Floats]


class NoisySums:
    """Sums over the patients of one cohort.

    Parameters
    ----------
    patients : numpy.ndarray of int, [n]
        Patient of each slice.
    seeded : numpy.random.Generator or None
        ``None`` draws exact noise from the operating system; a generator draws repeatable floating-point noise, for
        tests and benchmarks only.
    exact : bool
        No noise at all.

    Attributes
    ----------
    spent : list of Mechanism
        Every sum that was taken.
    """

    def __init__(
        self, patients: NDArray[np.int64], *, seeded: np.random.Generator | None = None, exact: bool = False
    ) -> None:
        self._order = np.argsort(patients, kind="stable")
        self._patient = np.unique(patients[self._order], return_inverse=True)[1]
        self._slices = np.bincount(self._patient)
        self.seeded, self.exact = seeded, exact
        self.spent: list[Mechanism] = []

    def __call__(
        self, vectors: Vectors, width: int, *, norm: float, rho: float, purpose: str,
        cells: NDArray[np.int64] | None = None, cell_count: int = 1,
    ) -> Floats:  # fmt: skip
        """Noisy sum of each cell.

        Parameters
        ----------
        vectors : callable
            Vectors [m, width] of the slices at given places; longer ones than ``norm`` are shortened to it.
        rho : float
            zCDP of the whole answer.
        cells : numpy.ndarray of int, [n] or None
            Cell of each slice, from 0 to ``cell_count - 1``; slices in no cell have -1.

        Returns
        -------
        numpy.ndarray of float, [cell_count, width]
        """
        total = np.zeros((cell_count, width), np.int64)
        for part in self._portions(width):
            places = self._order[part]
            units = _shortened(np.asarray(vectors(places), np.float64), norm) * (UNITS / norm)
            units /= self._slices[self._patient[part]][:, None]
            for cell in range(cell_count):
                chosen = np.ones(len(places), bool) if cells is None else cells[places] == cell
                total[cell] += _added(units[chosen], self._patient[part][chosen])
        return (total + self._noise(total.shape, rho, purpose)) * (norm / UNITS)

    def _portions(self, width: int) -> Iterator[slice]:
        """Slices of whole patients, as many as fit."""
        ends = np.cumsum(self._slices)
        start = 0
        while start < len(self._order):
            wanted = start + max(1, MOST_NUMBERS // width)
            fitting = ends[(ends > start) & (ends <= wanted)]
            end = int(fitting[-1]) if len(fitting) else int(ends[ends > start][0])
            yield slice(start, end)
            start = end

    def _noise(self, shape: tuple[int, int], rho: float, purpose: str) -> NDArray[np.int64]:
        if self.exact:
            return np.zeros(shape, np.int64)
        sigma, size = UNITS / math.sqrt(2 * rho), math.prod(shape)
        self.spent.append(Mechanism("discrete Gaussian", purpose, rho, queries=size, sigma=sigma / UNITS))
        if self.seeded is not None:
            return np.rint(self.seeded.normal(0, sigma, shape)).astype(np.int64)
        return discrete_gaussian(sigma, size).reshape(shape)


def noise_of(norm: float, rho: float | None) -> float:
    """Standard deviation of a sum's noise, in the unit of the sum; 0 without a budget."""
    return 0.0 if rho is None else norm / math.sqrt(2 * rho)


def _shortened(vectors: Floats, norm: float) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1)
    return vectors * np.minimum(1, norm / np.maximum(lengths, 1e-300))[:, None] * _BELOW


def _added(units: Floats, patients: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum of the patients' vectors, each rounded towards zero."""
    if not len(units):
        return np.zeros(units.shape[1], np.int64)
    first = np.flatnonzero(np.diff(patients, prepend=-1))
    return np.trunc(np.add.reduceat(units, first, axis=0)).astype(np.int64).sum(axis=0)
