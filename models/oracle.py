"""The local marginal oracle: counts a table and adds discrete Gaussian noise.

Belongs here: the only place where a private synthesizer touches rows. Does not belong here: which marginals to ask.
"""

import random
from collections.abc import Sequence

import numpy as np

from models.noise import discrete_gaussian, exponential_mechanism


class TableOracle:
    """Answers contingency-table queries on encoded attributes.

    Parameters
    ----------
    attributes : mapping of str to (codes, levels)
        ``codes`` are level numbers of shape (rows,), one patient per row; ``levels`` their number.
    bits : random.Random or None
        See ``models.noise.discrete_gaussian``.
    """

    def __init__(self, attributes: dict[str, tuple[np.ndarray, int]], *, bits: random.Random | None = None) -> None:
        self.attributes = attributes
        self.bits = bits

    def measure(self, attributes: Sequence[str], *, sigma: float) -> np.ndarray:
        """Noisy counts over the attributes' levels; ``sigma`` 0 means exact. One patient changes one cell by one."""
        counts = self._counts(attributes)
        if sigma > 0:
            noise = discrete_gaussian(sigma, counts.size, self.bits)
            return (counts + noise.reshape(counts.shape)).astype(float)
        return counts.astype(float)

    def choose(
        self, candidates: Sequence[Sequence[str]], estimates: Sequence[np.ndarray], weights: Sequence[float],
        penalties: Sequence[float], *, epsilon: float,
    ) -> int:  # fmt: skip
        """See ``records.protocols.MarginalOracle``. One patient changes a score by at most the largest weight."""
        distances = [np.abs(self._counts(c) - e).sum() for c, e in zip(candidates, estimates, strict=True)]
        scores = np.asarray(weights) * (np.array(distances) - np.asarray(penalties))
        return exponential_mechanism(scores, max(weights), epsilon, self.bits)

    def _counts(self, attributes: Sequence[str]) -> np.ndarray:
        levels = [self.attributes[name][1] for name in attributes]
        flat = np.zeros(len(next(iter(self.attributes.values()))[0]), dtype=np.int64)
        for name, count in zip(attributes, levels, strict=True):
            flat = flat * count + self.attributes[name][0]
        return np.bincount(flat, minlength=int(np.prod(levels))).reshape(levels)
