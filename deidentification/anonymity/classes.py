"""A table compressed to its classes: rows with equal quasi-identifiers counted once, and rolled up level by level.

Belongs here: counting classes and judging them by a privacy model at a node of the lattice. Does not belong here: the
order in which nodes are tried (``lattice``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from deidentification.anonymity.hierarchy import Hierarchy
from deidentification.anonymity.models import Anonymity, distances, diversities

_WIDEST_KEY = 2**62
_WORTH_A_PART = 50_000


@dataclass(frozen=True, eq=False)
class Sensitive:
    """A sensitive column: each row's value as a number, how many values there are, and whether they are ordered."""

    name: str
    codes: np.ndarray
    values: int
    ordered: bool


@dataclass(frozen=True, eq=False)
class Classes:
    """Classes at one node of the lattice.

    Parameters
    ----------
    node : tuple of int
        The level of each hierarchy that ``codes`` is written in.
    codes : tuple of numpy.ndarray of int32, each of shape (classes,)
        One per quasi-identifier.
    rows : numpy.ndarray of int64, shape (classes,)
    sensitive : tuple of (class, value, rows) arrays
        For each sensitive column the rows per class and value.
    """

    node: tuple[int, ...]
    codes: tuple[np.ndarray, ...]
    rows: np.ndarray
    sensitive: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...] = ()


@dataclass(frozen=True, eq=False)
class Judgement:
    """How a node did.

    Parameters
    ----------
    small : int
        Rows in classes below k.
    suppressed : int
        Rows in classes that break any demand.
    loss : float
        Mean loss of certainty over all cells, a suppressed cell losing all.
    """

    small: int
    suppressed: int
    loss: float


def compress(codes: Sequence[np.ndarray], sensitive: Sequence[Sensitive]) -> tuple[Classes, np.ndarray]:
    """Classes of a table at the lowest node.

    Parameters
    ----------
    codes : sequence of numpy.ndarray of int32, shape (rows,)
        One per quasi-identifier, see ``Hierarchy.codes``.

    Returns
    -------
    Classes, and the class of each row as numpy.ndarray of int64, shape (rows,)
    """
    single = np.ones(len(codes[0]), dtype=np.int64)
    labels, members = _grouped(_keys(codes))
    found = tuple(_summed(labels, s.codes, single) for s in sensitive)
    rows = np.bincount(labels, minlength=len(members))
    return Classes((0,) * len(codes), tuple(c[members] for c in codes), rows, found), labels


def rolled_up(classes: Classes, hierarchies: Sequence[Hierarchy], node: tuple[int, ...]) -> tuple[Classes, np.ndarray]:
    """The classes at a more general node, and which of them each former class went to."""
    codes = _translated(classes, hierarchies, node)
    labels, members = _grouped(_keys(codes))
    rows = np.bincount(labels, weights=classes.rows, minlength=len(members)).astype(np.int64)
    found = tuple(_summed(labels[inside], values, counts) for inside, values, counts in classes.sensitive)
    return Classes(node, tuple(c[members] for c in codes), rows, found), labels


def rows_below(classes: Classes, hierarchies: Sequence[Hierarchy], node: tuple[int, ...], k: int, enough: float) -> int:
    """Rows in classes below ``k`` at a node; counting may stop where there are more than ``enough``.

    A part of the classes, whole ones, chosen by their keys, is counted first: of a hopeless node it is enough.
    """
    table = pl.DataFrame({"key": _keys(_translated(classes, hierarchies, node)), "rows": classes.rows})
    parts = [pl.lit(True)]
    if table.height > _WORTH_A_PART:
        parts = [pl.col("key").hash() % 16 == 0, *parts]
    small = 0
    for part in parts:
        sizes = table.lazy().filter(part).group_by("key").agg(pl.col("rows").sum())
        small = int(sizes.filter(pl.col("rows") < k).select(pl.col("rows").sum()).collect().item())
        if small > enough:
            break
    return small


def judged(
    classes: Classes, hierarchies: Sequence[Hierarchy], node: tuple[int, ...], demand: Anonymity,
    sensitive: Sequence[Sensitive],
) -> tuple[Judgement, np.ndarray]:  # fmt: skip
    """How the classes do at a node, without the limit on suppression, and which of them keep their rows."""
    merged, labels = rolled_up(classes, hierarchies, node)
    large = merged.rows >= demand.k
    kept = large.copy()
    for column, found in zip(sensitive, merged.sensitive, strict=True):
        kept[kept] = _holds(found, np.flatnonzero(kept), column, demand)
    steps = zip(hierarchies, node, merged.codes, strict=True)
    lost = np.mean([h.levels[place].loss[codes] for h, place, codes in steps], axis=0)
    total = int(merged.rows.sum())
    loss = float((merged.rows * np.where(kept, lost, 1.0)).sum() / total)
    small, suppressed = (total - int(merged.rows[good].sum()) for good in (large, kept))
    return Judgement(small, suppressed, loss), kept[labels]


def _holds(found: tuple[np.ndarray, ...], wanted: np.ndarray, column: Sensitive, demand: Anonymity) -> np.ndarray:
    """Whether each wanted class holds the demands on one sensitive column."""
    good = np.ones(len(wanted), dtype=bool)
    if not len(wanted) or (demand.l is None and demand.t is None):
        return good
    classes, values, rows = found
    total = np.bincount(values, weights=rows, minlength=column.values)
    place = np.searchsorted(wanted, classes)
    hit = (place < len(wanted)) & (wanted[np.minimum(place, len(wanted) - 1)] == classes)
    cells = place[hit] * column.values + values[hit]
    counts = np.bincount(cells, weights=rows[hit], minlength=len(wanted) * column.values).reshape(len(wanted), -1)
    if demand.l is not None:
        good &= diversities(counts, demand.diversity) >= demand.l - 1e-9
    if demand.t is not None:
        good &= distances(counts, total, ordered=column.ordered) <= demand.t + 1e-9
    return good


def _translated(classes: Classes, hierarchies: Sequence[Hierarchy], node: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """The codes of the classes in the levels of another node."""
    steps = zip(hierarchies, classes.node, node, classes.codes, strict=True)
    return tuple(codes if a == b else _step(h, a, b)[codes] for h, a, b, codes in steps)


def _step(hierarchy: Hierarchy, lower: int, upper: int) -> np.ndarray:
    """The group at the upper level of each group at the lower one."""
    groups = np.empty(len(hierarchy.levels[lower].labels), dtype=np.int32)
    groups[hierarchy.levels[lower].groups] = hierarchy.levels[upper].groups
    return groups


def _keys(codes: Sequence[np.ndarray]) -> np.ndarray:
    """One number per row that is equal where all codes are equal; int64, shape (rows,)."""
    key, size = np.zeros(len(codes[0]), dtype=np.int64), 1
    for column in codes:
        count = int(column.max(initial=0)) + 1
        if size * count > _WIDEST_KEY:
            key, members = _grouped(key)
            size = len(members)
        key, size = key * count + column, size * count
    return key


def _grouped(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A dense number for each row's key, and a row of each number."""
    _, members, labels = np.unique(keys, return_index=True, return_inverse=True)
    return labels, members


def _summed(classes: np.ndarray, values: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = pl.DataFrame({"class": classes, "value": values, "rows": rows})
    summed = table.group_by("class", "value").agg(pl.col("rows").sum()).sort("class", "value")
    return summed["class"].to_numpy(), summed["value"].to_numpy(), summed["rows"].to_numpy()
