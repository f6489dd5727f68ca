"""Secret bits that fit a synthetic table's counts: the linear system of reconstruction and its solution.

Belongs here: cells, their shares, and bounded least squares. Does not belong here: whose bits, and what success means
(``reconstruction``).
"""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

Columns = tuple[int, ...]
CellSums = Callable[[np.ndarray, Columns], tuple[np.ndarray, np.ndarray, np.ndarray]]
MOST_SETS = 300
STEPS = 200
PRIOR_ROWS = 1.0


def pairs_of(columns: int) -> list[Columns]:
    """Each column alone and all pairs, at most 300 sets."""
    sets = [(i,) for i in range(columns)] + list(combinations(range(columns), 2))
    return sets[:MOST_SETS]


def cell_sums(synthetic: np.ndarray, secret: np.ndarray) -> CellSums:
    """How many of given patients should have the secret, cell by cell, as the synthetic table has it.

    Parameters
    ----------
    synthetic : numpy.ndarray of int, shape (rows, columns)
        Level numbers of the known columns.
    secret : numpy.ndarray of bool, shape (rows,)

    Returns
    -------
    callable
        ``(patients, set of columns) -> (cell of each patient, expected sum and its variance per cell)``. A cell
        without synthetic rows falls back to the overall share.
    """
    overall = float(secret.mean())

    def sums(patients: np.ndarray, columns: Columns) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        levels = [int(max(patients[:, i].max(), synthetic[:, i].max())) + 1 for i in columns]
        mine, theirs = (np.ravel_multi_index([table[:, i] for i in columns], levels) for table in (patients, synthetic))
        size, rows = (np.bincount(cell, minlength=int(np.prod(levels))) for cell in (mine, theirs))
        share = (np.bincount(theirs, secret, minlength=len(rows)) + PRIOR_ROWS * overall) / (rows + PRIOR_ROWS)
        variance = size * share * (1 - share) * (1 + size / (rows + PRIOR_ROWS))
        return mine, size * share, np.maximum(variance, 0.05)

    return sums


def fitted_bits(patients: np.ndarray, sums: CellSums, sets: Sequence[Columns]) -> np.ndarray:
    """Bits between 0 and 1 whose sums over the cells fit best.

    Parameters
    ----------
    patients : numpy.ndarray of int, shape (patients, columns)
    sets : sequence of tuple of int
        Columns that form cells together.

    Returns
    -------
    numpy.ndarray of float, shape (patients,)
    """
    rows, wanted, weights, start = [], [], [], np.zeros(len(patients))
    offset = 0
    for columns in sets:
        cell, total, variance = sums(patients, columns)
        rows.append(cell + offset)
        wanted.append(total / np.sqrt(variance))
        weights.append(1 / np.sqrt(variance))
        start += (total / np.maximum(np.bincount(cell, minlength=len(total)), 1))[cell] / len(sets)
        offset += len(total)
    at, weight, target = np.concatenate(rows), np.concatenate(weights), np.concatenate(wanted)
    who = np.tile(np.arange(len(patients)), len(sets))
    system = csr_matrix((weight[at], (at, who)), shape=(offset, len(patients)))
    transposed = system.T.tocsr()

    def loss(bits: np.ndarray) -> tuple[float, np.ndarray]:
        gap = system @ bits - target
        return float(gap @ gap) / 2, transposed @ gap

    found = minimize(
        loss,
        np.clip(start, 0, 1),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, 1)] * len(start),
        options={"maxiter": STEPS},
    )
    return found.x
