"""Total variation distance (TVD) of all one- and two-way marginals of two encoded tables.

Belongs here: the arithmetic on level numbers. Does not belong here: encoding (``records.discretisation``) or what a
distance means (``fidelity``).

All pairs are counted by one matrix product: with ``Z`` the 0/1 indicator matrix of all levels of all columns,
``Z.T @ Z`` holds every two-way table as a block and every one-way table on the diagonal of a diagonal block.
"""

from collections.abc import Sequence

import numpy as np

ROWS_AT_ONCE = 8192


def indicators(codes: np.ndarray, levels: Sequence[int]) -> np.ndarray:
    """0/1 indicators of every level of every column.

    Parameters
    ----------
    codes : numpy.ndarray of int, shape (rows, columns)
    levels : sequence of int
        Number of levels of each column; every code is below it.

    Returns
    -------
    numpy.ndarray of float32, shape (rows, sum(levels))
    """
    starts = np.concatenate([[0], np.cumsum(levels)[:-1]]).astype(int)
    matrix = np.zeros((len(codes), int(np.sum(levels))), dtype=np.float32)
    matrix[np.arange(len(codes))[:, None], codes + starts] = 1.0
    return matrix


def pair_shares(codes: np.ndarray, levels: Sequence[int]) -> np.ndarray:
    """Joint shares of all pairs of levels.

    Counts are exact: float32 holds integers to 2**24 and a block has at most ``ROWS_AT_ONCE`` rows.

    Returns
    -------
    numpy.ndarray of float, shape (sum(levels), sum(levels))
        Zero everywhere if the table has no row.
    """
    total = np.zeros((int(np.sum(levels)),) * 2)
    for start in range(0, len(codes), ROWS_AT_ONCE):
        block = indicators(codes[start : start + ROWS_AT_ONCE], levels)
        total += block.T @ block
    return total / max(len(codes), 1)


def pair_distances(first: np.ndarray, second: np.ndarray, levels: Sequence[int]) -> np.ndarray:
    """TVD of every pair of columns, from two results of ``pair_shares``.

    ``TVD(p, q) = sum(|p - q|) / 2`` over the cells of the two-way table.

    Returns
    -------
    numpy.ndarray of float, shape (columns, columns)
        Symmetric, 0 (same) to 1 (disjoint); the diagonal holds the one-way distances.
    """
    starts = np.concatenate([[0], np.cumsum(levels)[:-1]]).astype(int)
    gaps = np.abs(first - second)
    return np.add.reduceat(np.add.reduceat(gaps, starts, axis=0), starts, axis=1) / 2
