"""The local marginal oracle: counts a table and adds discrete Gaussian noise.

Belongs here: the only place where a private synthesizer touches rows. Does not belong here: which marginals to ask.
"""

import random
from collections.abc import Sequence

import numpy as np

from models.noise import discrete_gaussian


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
        levels = [self.attributes[name][1] for name in attributes]
        flat = np.ravel_multi_index([self.attributes[name][0] for name in attributes], levels)
        counts = np.bincount(flat, minlength=int(np.prod(levels)))
        if sigma > 0:
            counts = counts + discrete_gaussian(sigma, counts.size, self.bits)
        return counts.reshape(levels).astype(float)
