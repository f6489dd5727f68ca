"""What a synthetic table says about a target: the queries of a shadow attack.

Belongs here: the five figures per target and table. Does not belong here: telling members by them
(``likelihood_ratio``) or making the tables (``shadow``).

Distance to the nearest synthetic record and to five, and the record linkage weight, follow copies; the counts of the
target's one- and two-way cells follow synthesizers that fit marginals. Each count's excess over the pool is divided by
the variance of a cell of that size, so that rare cells, which one patient moves most, weigh most; their sum is the
best linear test of membership for independent cells (Sankararaman et al.).

References
----------
Houssiau et al., 2022, arXiv:2211.06550 (TAPAS). Stadler, Oprisanu and Troncoso, 2022, USENIX Security. Homer et al.,
2008, PLoS Genetics 4:e1000167; Sankararaman et al., 2009, Nature Genetics 41:965.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from metrics.attacks.record_linkage import record_linkage
from metrics.distance import Points, nearest, points, rank_scales
from metrics.fidelity.total_variation import pair_shares
from records.discretisation import encode, value_levels
from records.schema import Column

QUERIES = ("nearest", "five nearest", "record linkage", "one-way cells", "two-way cells")
SMALLEST_DISTANCE = 1e-3
NEIGHBOURS = 5


@dataclass(frozen=True)
class Targets:
    """Targets in a pool: their points and the pool's, their cells and the share of the pool in each.

    Parameters
    ----------
    scales : dict
        Rank scales of the pool, the same for all tables.
    own, pool : Points
    cells : numpy.ndarray of int, shape (targets, columns)
        Position of each target's level among the levels of all columns.
    shares : numpy.ndarray, shape (targets, columns, columns)
        Share of the pool in each two-way cell of each target; one-way cells on the diagonal.
    rows : int
        Rows of the pool.
    """

    columns: Sequence[Column]
    scales: dict[str, np.ndarray]
    own: Points
    pool: Points
    cells: np.ndarray
    shares: np.ndarray
    rows: int


def targets_in(pool: pl.DataFrame, chosen: np.ndarray, columns: Sequence[Column], reference: np.ndarray) -> Targets:
    """The targets ``chosen`` of a pool (row numbers); rows ``reference`` of it tell which agreement is by chance."""
    scales = rank_scales(pool, columns)
    starts = np.concatenate([[0], np.cumsum(_levels(columns))[:-1]]).astype(int)
    cells = encode(pool[chosen], columns) + starts
    own, others = (points(pool[rows], columns, scales) for rows in (chosen, reference))
    return Targets(columns, scales, own, others, cells, _in_cells(pool, columns, cells), pool.height)


def queries(table: pl.DataFrame, targets: Targets) -> np.ndarray:
    """Answers of a synthetic table; higher if the target was learnt.

    Returns
    -------
    numpy.ndarray of float, shape (targets, 5)
        In the order of ``QUERIES``.
    """
    made = points(table, targets.columns, targets.scales)
    near = [-np.log(nearest(targets.own, made, neighbours=k) + SMALLEST_DISTANCE) for k in (1, NEIGHBOURS)]
    linkage = record_linkage(targets.own, made, targets.pool)
    shares = targets.shares
    excess = (_in_cells(table, targets.columns, targets.cells) - shares) / (shares * (1 - shares) + 1 / targets.rows)
    single = np.trace(excess, axis1=1, axis2=2)
    double = np.triu(excess, k=1).sum(axis=(1, 2))
    return np.column_stack([*near, linkage, single, double])


def _levels(columns: Sequence[Column]) -> list[int]:
    return [value_levels(c) + 1 for c in columns]


def _in_cells(table: pl.DataFrame, columns: Sequence[Column], cells: np.ndarray) -> np.ndarray:
    """Share of the table in each two-way cell of each target, shape (targets, columns, columns)."""
    shares = pair_shares(encode(table, columns), _levels(columns))
    return shares[cells[:, :, None], cells[:, None, :]]
