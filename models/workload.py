"""The questions a synthetic table should answer well: weighted marginals of two and three attributes.

Belongs here: which marginals count, and how much; public facts only. Does not belong here: choosing among them by
looking at the data (``aim``, ``mst``).
"""

from collections.abc import Mapping
from itertools import combinations
from math import prod

from models.attributes import CLASS, FOLLOW_UP
from models.junction_tree import Clique

MOST_CELLS = 5000


def workload(levels: Mapping[str, int], task: str | None) -> dict[Clique, float]:
    """Weight of every marginal: pairs count 1, what follows the task more.

    Parameters
    ----------
    levels : mapping of str to int
    task : str or None
        Attribute that holds the class of the primary outcome.

    Returns
    -------
    dict of Clique to float
        Pairs of attributes; time x event with a covariate; and the class with two covariates.
    """
    pairs = {pair: 1.0 for pair in combinations(levels, 2) if set(pair) != {FOLLOW_UP, CLASS}}
    if task is None:
        return pairs
    others = [a for a in levels if a not in (task, FOLLOW_UP)]
    triples = {(one, other, task): 1.0 for one, other in combinations(others, 2)}
    pairs |= {pair: 2.0 for pair in pairs if task in pair}
    return {c: w for c, w in (pairs | triples).items() if prod(levels[a] for a in c) <= MOST_CELLS}


def public_start(levels: Mapping[str, int], task: str | None) -> list[Clique]:
    """Marginals to measure whatever the data: every covariate with the class, or alone if there is no task."""
    others = [name for name in levels if name not in (task, FOLLOW_UP)]
    return [(name, task) for name in others] if task else [(name,) for name in others]
