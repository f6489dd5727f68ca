"""The distribution nearest to a sample's that has given moments: a weight for each of the sample's members.

Belongs here: mathematics of exponential tilting. Does not belong here: which moments, or images (``tilted``).

References
----------
Csiszar (1975), I-divergence geometry of probability distributions and minimization problems, Annals of Probability 3:146.
Dudik, Phillips and Schapire (2007), Maximum entropy density estimation with generalized regularization, JMLR 8:1217.
James and Stein (1961), Estimation with quadratic loss, Berkeley Symposium 4.1:361.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.floating]


def slopes(shown: Floats, change: Floats, unsure: Floats) -> Floats:
    """Slopes [d] such that weights ``exp(shown @ slopes)`` move the sample's mean by ``change``.

    Of all weights that do, these have the least Kullback-Leibler divergence from equal ones.

    Parameters
    ----------
    shown : numpy.ndarray of float, [m, d]
        Statistics of the sample.
    change : numpy.ndarray of float, [d]
    unsure : numpy.ndarray of float, [d]
        Variance with which each number of ``change`` is known: it is met that closely only.
    """
    centred = shown - shown.mean(axis=0)

    def loss(found: Floats) -> tuple[float, Floats]:
        weights, level = _normalised(centred @ found)
        value = level - float(found @ change) + float(found @ (unsure * found)) / 2
        return value, weights @ centred - change + unsure * found

    return minimize(loss, np.zeros(len(change)), jac=True, method="L-BFGS-B").x


def shrunk(change: Floats, unsure: Floats, blocks: list[int]) -> Floats:
    """Changes of blocks of moments: none where noise and chance alone would make as much.

    Parameters
    ----------
    blocks : list of int
        Lengths of the blocks, one after the other.
    """
    kept, start = change.copy(), 0
    for length in blocks:
        part = slice(start, start := start + length)
        known = unsure[part] > 0
        surplus = float((change[part][known] ** 2 / unsure[part][known]).mean()) - 1 if known.any() else 0.0
        kept[part] *= max(0.0, surplus) / (max(0.0, surplus) + 1)
    return kept


def effective_share(logits: Floats) -> float:
    """Effective share of a weighted sample, from 0 to 1 (Kish, 1965)."""
    weights, _ = _normalised(logits)
    return float(1 / (weights @ weights) / len(logits))


def _normalised(logits: Floats) -> tuple[Floats, float]:
    """Weights of sum 1, and the logarithm of what they were divided by."""
    highest = float(logits.max())
    weights = np.exp(logits - highest)
    total = float(weights.sum())
    return weights / total, highest + math.log(total)
