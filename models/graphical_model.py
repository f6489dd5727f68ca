"""A discrete graphical model on a junction tree: exact marginals.

Belongs here: belief propagation and projection on attributes. Does not belong here: learning the potentials
(``estimation``), drawing rows (``conditional_sampling``) or what the attributes mean (``attributes``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.junction_tree import Clique, JunctionTree

IMPOSSIBLE = -200.0

Labelled = tuple[np.ndarray, Clique]


@dataclass(frozen=True)
class GraphicalModel:
    """Log-potentials on the cliques of a junction tree.

    Parameters
    ----------
    tree : JunctionTree
    potentials : list of numpy.ndarray
        One per clique, axes in the order of the clique's attributes. ``IMPOSSIBLE`` marks structural zeros.
    """

    tree: JunctionTree
    potentials: list[np.ndarray]

    def marginals(self) -> list[np.ndarray]:
        """Probabilities of each clique's cells by belief propagation (Lauritzen and Spiegelhalter, 1988)."""
        return calibrated(self.tree, self.potentials)

    def project(self, attributes: Sequence[str], marginals: list[np.ndarray] | None = None) -> np.ndarray:
        """Joint probabilities of ``attributes``, in their order; they need not share a clique."""
        beliefs = self.marginals() if marginals is None else marginals
        try:
            holder = self.tree.holder(attributes)
        except KeyError:
            return _eliminated(self.tree, beliefs, attributes)
        return summed(beliefs[holder], self.tree.cliques[holder], attributes)


def calibrated(tree: JunctionTree, potentials: list[np.ndarray]) -> list[np.ndarray]:
    """Clique probabilities of log-potentials: a collecting and a distributing pass over the tree."""
    beliefs, messages = list(potentials), [np.zeros(())] * len(potentials)
    for child in range(len(beliefs) - 1, -1, -1):
        parent = tree.parents[child]
        if parent is not None:
            messages[child] = log_summed(beliefs[child], tree.cliques[child], tree.separators[child])
            beliefs[parent] = beliefs[parent] + expanded(messages[child], tree.separators[child], tree.cliques[parent])
    for child, parent in enumerate(tree.parents):
        if parent is None:
            beliefs[child] = beliefs[child] - log_summed(beliefs[child], tree.cliques[child], ())
            continue
        update = log_summed(beliefs[parent], tree.cliques[parent], tree.separators[child]) - messages[child]
        beliefs[child] = beliefs[child] + expanded(update, tree.separators[child], tree.cliques[child])
    return [np.exp(belief) for belief in beliefs]


def assembled(tree: JunctionTree, factors: Sequence[Labelled]) -> list[np.ndarray]:
    """Clique potentials: every factor added to a clique that holds its attributes."""
    potentials = [np.zeros([tree.levels[a] for a in clique]) for clique in tree.cliques]
    for table, attributes in factors:
        holder = tree.holder(attributes)
        clique = tree.cliques[holder]
        ordered = np.transpose(table, [attributes.index(a) for a in clique if a in attributes])
        potentials[holder] += expanded(ordered, attributes, clique)
    return potentials


def summed(table: np.ndarray, clique: Clique, attributes: Sequence[str]) -> np.ndarray:
    """Sums of ``table``, axes in ``clique``'s order, over all but ``attributes``, in the order of these."""
    kept = [a for a in clique if a in attributes]
    sums = table.sum(axis=tuple(i for i, a in enumerate(clique) if a not in attributes))
    return np.transpose(sums, [kept.index(a) for a in attributes])


def log_summed(table: np.ndarray, clique: Clique, kept: Clique) -> np.ndarray:
    """Logarithm of the sums of ``exp(table)``, axes in ``clique``'s order, over all attributes but ``kept``."""
    axes = tuple(i for i, a in enumerate(clique) if a not in kept)
    if not axes:
        return table
    highest = table.max(axis=axes, keepdims=True)
    return np.log(np.exp(table - highest).sum(axis=axes)) + highest.squeeze(axis=axes)


def expanded(table: np.ndarray, attributes: Clique, clique: Clique) -> np.ndarray:
    """``table`` with an axis of length 1 for each attribute of ``clique`` that it lacks."""
    shape = iter(table.shape)
    return table.reshape([next(shape) if a in attributes else 1 for a in clique])


def _eliminated(tree: JunctionTree, beliefs: list[np.ndarray], attributes: Sequence[str]) -> np.ndarray:
    """Joint of attributes in different cliques: conditionals multiplied along the tree, others summed out early."""
    needed = _subtree(tree, attributes)
    messages: dict[int, list[Labelled]] = {k: [] for k in needed}
    roots: list[Labelled] = []
    for child in sorted(needed, reverse=True):
        clique, parent = tree.cliques[child], tree.parents[child]
        separator = tree.separators[child] if parent in needed else ()
        margin = np.maximum(summed(beliefs[child], clique, separator), 1e-300)
        share = beliefs[child] / expanded(margin, separator, clique)
        operands = [(share, clique), *messages[child]]
        held = {a for _, names in operands for a in names}
        kept = tuple(a for a in tree.levels if a in held and (a in separator or a in attributes))
        target = roots if parent not in needed else messages[parent]  # type: ignore[index]
        target.append((_contracted(operands, kept), kept))
    return _contracted(roots, tuple(attributes))


def _contracted(operands: list[Labelled], kept: Clique) -> np.ndarray:
    labels = {name: i for i, name in enumerate(dict.fromkeys(a for _, names in operands for a in names))}
    flat = [part for table, names in operands for part in (table, [labels[a] for a in names])]
    # Looking for an order of contraction costs more than it saves where there is only one.
    return np.einsum(*flat, [labels[a] for a in kept], optimize=len(operands) > 2)


def _subtree(tree: JunctionTree, attributes: Sequence[str]) -> set[int]:
    """Cliques on the paths between those that hold ``attributes``."""
    paths = []
    for name in attributes:
        step: int | None = tree.holder([name])
        path = []
        while step is not None:
            path.append(step)
            step = tree.parents[step]
        paths.append(path)
    needed = set().union(*paths)
    for root in {path[-1] for path in paths}:
        together = [set(path) for path in paths if path[-1] == root]
        shared = set.intersection(*together)
        needed -= shared - {max(shared)}
    return needed
