"""Selection of a tree of pairs (MST).

Belongs here: McKenna, Miklau and Sheldon (2021), Winning the NIST contest: one-way counts, a noisy maximum spanning
tree of mutual dependence, counts of its edges, a third of the budget each. Does not belong here: adaptive selection
(``aim``).
"""

from math import sqrt

import numpy as np

from models.junction_tree import Clique
from models.selection import Selection, measure_together
from records.privacy import Mechanism
from records.protocols import MarginalOracle


def spanning_tree(oracle: MarginalOracle, levels: dict[str, int], joined: list[Clique], *, rho: float) -> Selection:
    """Measure all attributes and a tree of pairs for ``rho`` in all.

    Parameters
    ----------
    joined : list of Clique
        Pairs that the structure ties together already, as follow-up and class.
    """
    done = measure_together(oracle, [(name,) for name in levels], rho / 3, "one-way counts")
    tree = _edges(oracle, done, levels, joined, rho / 3)
    done.mechanisms.append(Mechanism("exponential", "edges of the tree", rho / 3, max(1, len(tree))))
    if tree:
        edges = measure_together(oracle, tree, rho / 3, "counts of the tree's pairs")
        done.measurements += edges.measurements
        done.mechanisms += edges.mechanisms
    return done


def _edges(
    oracle: MarginalOracle, done: Selection, levels: dict[str, int], joined: list[Clique], rho: float
) -> list[Clique]:
    component = {name: {name} for name in levels}
    for one, other in joined:
        _join(component, one, other)
    rounds = len({id(group) for group in component.values()}) - 1
    shares = {m.attributes[0]: np.clip(m.counts, 0, None) for m in done.measurements}
    total = max(1.0, float(np.mean([counts.sum() for counts in shares.values()])))
    chosen: list[Clique] = []
    for _ in range(rounds):
        names = list(levels)
        open_pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if component[a] is not component[b]]
        estimates = [np.outer(shares[a] / max(shares[a].sum(), 1), shares[b]) for a, b in open_pairs]
        estimates = [e * total / max(e.sum(), 1) for e in estimates]
        ones, zeros = [1.0] * len(open_pairs), [0.0] * len(open_pairs)
        position = oracle.choose(open_pairs, estimates, ones, zeros, epsilon=sqrt(8 * rho / rounds))
        chosen.append(open_pairs[position])
        _join(component, *open_pairs[position])
    return chosen


def _join(component: dict[str, set[str]], one: str, other: str) -> None:
    merged = component[one] | component[other]
    for name in merged:
        component[name] = merged
