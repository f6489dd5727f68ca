"""The local marginal oracle: counts a table and adds discrete Gaussian noise.

Belongs here: the only place where a private synthesizer touches rows. Does not belong here: which marginals to ask.
"""

import random
from collections.abc import Sequence

import numpy as np

from models.graphical_model import summed
from models.junction_tree import Clique
from records.noise import discrete_gaussian, exponential_mechanism

MOST_TABLES, MOST_CELLS = 5000, 20_000  # kept counts: at most 0.8 GB, in practice a few MB


class TableOracle:
    """Answers contingency-table queries on encoded attributes.

    Parameters
    ----------
    attributes : mapping of str to (codes, levels)
        ``codes`` are level numbers of shape (rows,), one patient per row; ``levels`` their number.
    bits : random.Random or None
        See ``records.noise.discrete_gaussian``.
    exact : bool
        Answer without noise and choose the best candidate: no privacy at all.
    """

    def __init__(
        self, attributes: dict[str, tuple[np.ndarray, int]], *, bits: random.Random | None = None, exact: bool = False
    ) -> None:
        self.attributes = attributes
        self.bits = bits
        self.exact = exact
        self._counted: dict[frozenset[str], tuple[Clique, np.ndarray]] = {}

    def measure(self, attributes: Sequence[str], *, sigma: float) -> np.ndarray:
        """Noisy counts over the attributes' levels; ``sigma`` 0 means exact. One patient changes one cell by one."""
        counts = self._counts(attributes)
        if sigma > 0 and not self.exact:
            noise = discrete_gaussian(sigma, counts.size, self.bits)
            return (counts + noise.reshape(counts.shape)).astype(float)
        return counts.astype(float)

    def measure_all(self, many: Sequence[Sequence[str]], *, sigma: float) -> list[np.ndarray]:
        """``measure`` of each."""
        return [self.measure(attributes, sigma=sigma) for attributes in many]

    def choose(
        self, candidates: Sequence[Sequence[str]], estimates: Sequence[np.ndarray], weights: Sequence[float],
        penalties: Sequence[float], *, epsilon: float,
    ) -> int:  # fmt: skip
        """See ``records.protocols.MarginalOracle``. One patient changes a score by at most the largest weight."""
        # Larger tables first: pairs then come from the triples that hold them.
        exact = {
            i: self._counts(candidates[i]) for i in sorted(range(len(candidates)), key=lambda i: -len(candidates[i]))
        }
        distances = np.array([np.abs(exact[i] - estimate).sum() for i, estimate in enumerate(estimates)])
        scores = np.asarray(weights) * (distances - np.asarray(penalties))
        if self.exact:
            return int(scores.argmax())
        return exponential_mechanism(scores, max(weights), epsilon, self.bits)

    def _counts(self, attributes: Sequence[str]) -> np.ndarray:
        """Exact counts; rows are read once per set of attributes, and not at all where a larger table holds it."""
        wanted = frozenset(attributes)
        larger = self._counted.get(wanted) or next((t for k, t in self._counted.items() if k >= wanted), None)
        order, table = larger or (tuple(attributes), self._counted_rows(attributes))
        if len(self._counted) < MOST_TABLES and table.size <= MOST_CELLS:
            self._counted.setdefault(frozenset(order), (order, table))
        return summed(table, order, attributes)

    def _counted_rows(self, attributes: Sequence[str]) -> np.ndarray:
        levels = [self.attributes[name][1] for name in attributes]
        flat = np.zeros(len(next(iter(self.attributes.values()))[0]), dtype=np.int64)
        for name, count in zip(attributes, levels, strict=True):
            flat *= count
            flat += self.attributes[name][0]
        return np.bincount(flat, minlength=int(np.prod(levels))).reshape(levels)
