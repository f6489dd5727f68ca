"""The search for the full-domain generalisation of least loss: every value of a column goes to the same level.

Belongs here: which nodes of the lattice are judged, and in what order. Does not belong here: judging one
(``classes``).

The loss of a node is at least that of its levels with no row suppressed, which the columns' own counts give without
grouping. So a node is judged only while that bound is below the best loss found; a node with too many rows below k
rules out all nodes below it (predictive tagging). The node in the middle of those that are left is judged next: it
rules out one side or the other. The result is the optimum, not an approximation.

References
----------
LeFevre, DeWitt & Ramakrishnan (2005). Incognito. SIGMOD. El Emam et al. (2009). A globally optimal k-anonymity method
(OLA). JAMIA 16(5). Kohlmayer et al. (2012). Flash. IEEE PASSAT.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deidentification.anonymity.classes import Classes, Judgement, Sensitive, judged, rolled_up, rows_below
from deidentification.anonymity.hierarchy import Hierarchy
from deidentification.anonymity.models import Anonymity


@dataclass(frozen=True, eq=False)
class Found:
    """The best node, how it did, which of the lowest classes are kept, and how many nodes were judged of how many."""

    node: tuple[int, ...]
    judgement: Judgement
    kept: np.ndarray
    judged: int
    nodes: int


def search(
    classes: Classes, hierarchies: Sequence[Hierarchy], demand: Anonymity, sensitive: Sequence[Sensitive]
) -> Found | None:
    """The node of least loss that holds the demand.

    Parameters
    ----------
    classes : Classes
        At the lowest node, see ``classes.compress``.

    Returns
    -------
    Found or None
        ``None`` if no node holds.
    """
    bounds = loss_bounds(classes, hierarchies)
    open_, limit = np.ones(bounds.shape, dtype=bool), demand.suppression * classes.rows.sum()
    best, best_loss, count, working = None, np.inf, 0, classes
    while open_.any():
        node = _middle(open_, bounds)
        working = _raised(working, open_, hierarchies)
        count += 1
        open_[node] = False
        if rows_below(working, hierarchies, node, demand.k, limit) > limit:
            _rule_out_below(open_, node)
            continue
        result, _ = judged(working, hierarchies, node, demand, sensitive)
        if result.suppressed > limit and demand.monotone:
            _rule_out_below(open_, node)
        elif result.suppressed <= limit and result.loss < best_loss:
            best, best_loss = node, result.loss
            open_ &= bounds < best_loss - 1e-12
    return (
        None
        if best is None
        else Found(best, *judged(classes, hierarchies, best, demand, sensitive), count, bounds.size)
    )


def loss_bounds(classes: Classes, hierarchies: Sequence[Hierarchy]) -> np.ndarray:
    """Loss of every node with no row suppressed; shape (levels of the first column, levels of the second, ...)."""
    total = np.zeros((1,) * len(hierarchies))
    for place, hierarchy in enumerate(hierarchies):
        share = np.bincount(classes.codes[place], weights=classes.rows, minlength=len(hierarchy.values))
        share = share / classes.rows.sum()
        losses = np.array([(share * level.loss[level.groups]).sum() for level in hierarchy.levels])
        total = total + losses.reshape([-1 if i == place else 1 for i in range(len(hierarchies))])
    return total / len(hierarchies)


def _rule_out_below(open_: np.ndarray, node: tuple[int, ...]) -> None:
    open_[tuple(slice(0, place + 1) for place in node)] = False


def _middle(open_: np.ndarray, bounds: np.ndarray) -> tuple[int, ...]:
    """The open node whose bound is the median."""
    places = np.flatnonzero(open_)
    order = np.argpartition(bounds.ravel()[places], len(places) // 2)
    return tuple(int(i) for i in np.unravel_index(places[order[len(places) // 2]], open_.shape))


def _raised(working: Classes, open_: np.ndarray, hierarchies: Sequence[Hierarchy]) -> Classes:
    """The classes at the lowest levels that are still open: fewer to group from now on."""
    axes = range(open_.ndim)
    corner = tuple(int(open_.any(axis=tuple(a for a in axes if a != axis)).argmax()) for axis in axes)
    return working if corner == working.node else rolled_up(working, hierarchies, corner)[0]
