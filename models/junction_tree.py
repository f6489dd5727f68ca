"""Junction trees: the cliques over which exact inference in a graphical model runs.

Belongs here: triangulation, maximal cliques, separators, and the size that bounds memory. Does not belong here:
numbers on the cliques (``graphical_model``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from math import prod

Clique = tuple[str, ...]


@dataclass(frozen=True)
class JunctionTree:
    """Maximal cliques of a triangulated graph, each after its parent.

    Parameters
    ----------
    levels : mapping of str to int
        Number of levels of each attribute; its order is the order of axes in every clique.
    cliques : tuple of Clique
    parents : tuple of int or None
        Index of each clique's parent; ``None`` for the root of a component.
    separators : tuple of Clique
        What a clique shares with its parent.
    """

    levels: Mapping[str, int]
    cliques: tuple[Clique, ...]
    parents: tuple[int | None, ...]
    separators: tuple[Clique, ...]
    holders: dict[frozenset[str], int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def cells(self) -> int:
        """Number of cells of all clique tables."""
        return sum(prod(self.levels[a] for a in clique) for clique in self.cliques)

    def holder(self, attributes: Iterable[str]) -> int:
        """Index of the smallest clique that contains ``attributes``.

        Raises
        ------
        KeyError
            No clique contains them.
        """
        wanted = frozenset(attributes)
        if wanted not in self.holders:
            sizes = {k: prod(self.levels[a] for a in c) for k, c in enumerate(self.cliques) if wanted <= set(c)}
            if not sizes:
                raise KeyError(tuple(attributes))
            self.holders[wanted] = min(sizes, key=sizes.__getitem__)
        return self.holders[wanted]


def junction_tree(levels: Mapping[str, int], measured: Iterable[Clique]) -> JunctionTree:
    """The junction tree of the graph in which every measured set is complete (Lauritzen and Spiegelhalter, 1988)."""
    order = {name: position for position, name in enumerate(levels)}
    cliques = [tuple(sorted(c, key=order.__getitem__)) for c in maximal_cliques(levels, measured)]
    joined: list[Clique] = []
    parents: list[int | None] = []
    separators: list[Clique] = []
    while cliques:
        overlaps = {(i, k): len(set(c) & set(j)) for i, c in enumerate(cliques) for k, j in enumerate(joined)}
        position, parent = max(overlaps, key=overlaps.__getitem__) if overlaps else (0, None)
        clique = cliques.pop(position)
        shared = () if parent is None else tuple(a for a in clique if a in joined[parent])
        joined.append(clique)
        parents.append(parent if shared else None)
        separators.append(shared)
    return JunctionTree(dict(levels), tuple(joined), tuple(parents), tuple(separators))


def maximal_cliques(levels: Mapping[str, int], measured: Iterable[Clique]) -> list[frozenset[str]]:
    """Maximal cliques after elimination in the greedy order of least table size (Kjaerulff, 1990)."""
    neighbours: dict[str, set[str]] = {name: set() for name in levels}
    for attributes in measured:
        for one, other in combinations(attributes, 2):
            neighbours[one].add(other)
            neighbours[other].add(one)
    sizes = {name: _table_size(levels, name, around) for name, around in neighbours.items()}
    found: list[frozenset[str]] = []
    while sizes:
        name = min(sizes, key=sizes.__getitem__)
        del sizes[name]
        around = neighbours.pop(name)
        clique = frozenset({name, *around})
        if not any(clique <= other for other in found):
            found.append(clique)
        for other in around:
            neighbours[other] |= around
            neighbours[other] -= {other, name}
            sizes[other] = _table_size(levels, other, neighbours[other])
    return found


def _table_size(levels: Mapping[str, int], name: str, around: set[str]) -> int:
    return levels[name] * prod([levels[other] for other in around])


def tree_cells(levels: Mapping[str, int], measured: Iterable[Clique]) -> int:
    """Cells of the junction tree that ``measured`` needs, without building it."""
    return sum(prod(levels[a] for a in clique) for clique in maximal_cliques(levels, measured))
