"""Copies found before valuation, and whose a copied record is.

Belongs here: groups of equal and nearly equal rows, credit for them, and holders who overlap more than chance. Does not belong here:
digests (``fingerprints``).

A group counts as one record. Its value is shared by those who hold it, or is its first holder's: under the first rule somebody with
two names gets two parts where a stranger holds the record too, under the second nobody gains by more names, but a thief who comes
first is taken for the owner. How alike rows must be follows from how alike patients of one hospital are: different patients may have
nearly equal rows where a table has few columns.

References
----------
Clopper and Pearson (1934) (exact binomial test). Yokoo, Sakurai and Matsubara (2004), GEB 46(1) (false names).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hub.valuation.fingerprints import BANDS, Fingerprints, joined
from records.errors import ParameterError

Rule = Literal["first", "shared"]
BY_CHANCE = 0.01  # of the rows of one hospital may look like copies of each other
FEWEST = 50
PIECE = 500
UNLIKELY = 1e-3  # chance to hold somebody's pay for an overlap that came by itself


@dataclass(frozen=True)
class Overlap:
    """``matched`` of the ``rows`` of a later holder look like an earlier one's; ``expected`` by chance.

    Where both are one holder: its rows look like each other more than other holders' do among themselves.
    """

    later: int
    earlier: int
    rows: int
    matched: int
    expected: float
    p_value: float


def likeness(prints: Sequence[Fingerprints]) -> int:
    """Equal bands from which on two rows count as copies: the median over holders of what chance needs, 2 to BANDS.

    The median, so that somebody who copies its own rows cannot blunt the search. Few rows cannot tell what chance does: holders
    with fewer than ``FEWEST`` have no say, and if all are small only rows that are equal in every band count.
    """
    needed = [_needed(one) for one in prints if len(np.unique(one.whole)) >= FEWEST]
    return int(np.ceil(np.median(needed))) if needed else BANDS


def groups(prints: Fingerprints, least: int) -> np.ndarray:
    """Number of the group of each row, shape (rows,): rows equal as a whole or in at least ``least`` bands, and chains of them."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    rows = len(prints.whole)
    _, first, which = np.unique(prints.whole, return_index=True, return_inverse=True)
    alike = [np.nonzero(np.triu(piece >= least, k=begin + 1)) for begin, piece in _common(prints.at(first))]
    ends = [(first[a + n * PIECE], first[b]) for n, (a, b) in enumerate(alike)]
    one = np.concatenate([np.arange(rows), *(a for a, _ in ends)])
    other = np.concatenate([first[which.ravel()], *(b for _, b in ends)])
    edges = coo_matrix((np.ones(len(one), dtype=bool), (one, other)), shape=(rows, rows))
    return connected_components(edges, directed=False)[1]


def credit(group: np.ndarray, holder: np.ndarray, registered: np.ndarray, rule: Rule) -> np.ndarray:
    """Part of each group that is each holder's, shape (holders, groups); columns add up to 1.

    Parameters
    ----------
    group, holder : numpy.ndarray of int, shape (rows,)
    registered : numpy.ndarray, shape (holders,)
        When each holder's data were registered, in any unit that has an order. Who comes at one time shares.
    """
    if rule not in ("first", "shared"):
        raise ParameterError(f"the rule of copies must be first or shared, got {rule}; choose one")
    holds = np.zeros((len(registered), int(group.max()) + 1), dtype=bool)
    holds[holder, group] = True
    if rule == "first":
        when = np.where(holds, np.unique(registered, return_inverse=True)[1][:, None], len(registered))
        holds &= when == when.min(axis=0)
    return holds / holds.sum(axis=0)


def overlaps(prints: Sequence[Fingerprints], registered: np.ndarray, least: int) -> list[Overlap]:
    """Holders whose rows look like an earlier holder's, or like each other, more often than rows of different patients do."""
    from scipy.stats import binom

    if len(prints) < 2:
        return []
    pairs = [(b, a) for a in range(len(prints)) for b in range(len(prints)) if a == b or registered[a] < registered[b]]
    different = [p.at(np.unique(p.whole, return_index=True)[1]) for p in prints]
    rows = np.array([len(d.whole) for d in different])
    matched = _matched(different, least)
    later, earlier = np.array(pairs).T
    # Twice what was seen and one more: a hospital without a twin is no proof that there are none.
    between = 2 * (matched[earlier, earlier] + 1) / (rows[earlier] + 1)
    own, couples = np.diag(matched), rows * (rows - 1)
    within = 2 * (own.sum() - own + 1) / (couples.sum() - couples + 1) * (rows - 1)
    chance = np.minimum(1.0, np.where(later == earlier, within[later], between))
    seen = matched[later, earlier]
    p_values = binom.sf(seen - 1, rows[later], chance)
    return [
        Overlap(b, a, int(rows[b]), int(seen[i]), float(chance[i] * rows[b]), float(p_values[i]))
        for i, (b, a) in enumerate(pairs)
        if p_values[i] <= UNLIKELY / len(pairs)
    ]


def _needed(prints: Fingerprints) -> int:
    """The fewest equal bands that at most ``BY_CHANCE`` of the different rows have with another."""
    different = prints.at(np.unique(prints.whole, return_index=True)[1])
    best = np.concatenate([_without_self(piece, begin).max(axis=1) for begin, piece in _common(different)])
    allowed = int(BY_CHANCE * len(best))
    return int(np.clip(np.sort(best)[::-1][min(allowed, len(best) - 1)] + 1, 2, BANDS))


def _matched(different: Sequence[Fingerprints], least: int) -> np.ndarray:
    """Rows of each holder (first axis) that look like one of each holder's (second), or like another of its own."""
    sizes = [len(d.whole) for d in different]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    best = [
        np.maximum.reduceat(_without_self(piece, begin), starts, axis=1) for begin, piece in _common(joined(different))
    ]
    return np.add.reduceat((np.concatenate(best) >= least).astype(np.int64), starts, axis=0)


def _without_self(piece: np.ndarray, begin: int) -> np.ndarray:
    np.fill_diagonal(piece[:, begin:], 0)
    return piece


def _common(prints: Fingerprints) -> Iterator[tuple[int, np.ndarray]]:
    """First row of a piece, and how many bands each of its rows has in common with every row, shape (piece, rows)."""
    from scipy.sparse import csr_matrix

    _, codes = np.unique(prints.bands, return_inverse=True)
    ends = np.arange(0, codes.size + 1, BANDS)
    marked = csr_matrix((np.ones(codes.size, np.int16), codes.ravel(), ends))
    turned = marked.T.tocsr()
    for begin in range(0, len(prints.whole), PIECE):
        yield begin, (marked[begin : begin + PIECE] @ turned).toarray()
