"""Rows from a model of mbi 1.1, for the peers that pin it.

Its own ``MarkovRandomField.synthetic_data`` couples columns that are independent given their parents, because ranks
within a group of parents follow the order of rows, and takes parents from measured cliques where those of the junction
tree are needed. Both are mended in mbi 2 (github.com/ryan112358/mbi, pull request 145), which these peers do not
accept yet. Here the algorithm is randomised rounding as it was meant, so that a peer is judged by its mechanism.
"""

import numpy as np
from mbi import Dataset, MarkovRandomField, junction_tree, marginal_oracles


def mend():
    """Let every model draw by this module; as released, it draws by its own method."""
    MarkovRandomField.synthetic_data = synthetic_data


def synthetic_data(model, rows=None, method="round"):
    """As many rows as asked, column after column along the junction tree."""
    rows = max(1, int(rows or model.total))
    tree, order = junction_tree.make_junction_tree(model.domain, [set(c) for c in model.cliques])
    marginals = marginal_oracles.message_passing_stable(model.potentials.expand(list(tree.nodes)))
    drawn = {}
    for column in reversed(order):
        near = set().union(*(node for node in tree.nodes if column in node))
        parents = [name for name in drawn if name in near]
        weights = np.asarray(marginals.project((*parents, column)).datavector(flatten=False), dtype=float)
        drawn[column] = _given(weights, [drawn[name] for name in parents], rows)
    return Dataset({name: drawn[name] for name in model.domain.attrs}, model.domain)


def _given(weights, parents, rows):
    group = np.ravel_multi_index(parents, weights.shape[:-1]) if parents else np.zeros(rows, dtype=int)
    weights = weights.reshape(-1, weights.shape[-1])
    values = np.zeros(rows, dtype=int)
    for number in np.unique(group):
        members = group == number
        values[members] = _rounded(weights[number], members.sum())
    return values


def _rounded(weights, rows):
    expected = rows * weights / weights.sum()
    counts = np.floor(expected).astype(int)
    extra = rows - counts.sum()
    if extra > 0:
        rest = expected - counts
        counts[np.random.choice(len(rest), extra, False, rest / rest.sum())] += 1  # noqa: NPY002, as the peer does
    return np.random.permutation(np.repeat(np.arange(len(counts)), counts))  # noqa: NPY002
