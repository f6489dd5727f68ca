"""Membership by record linkage: a synthetic patient who agrees with the candidate too well for chance.

Belongs here: one score. Does not belong here: how candidates are drawn and judged (``suite``).

In each column the chance ``p`` that a patient of the reference agrees with the candidate at least as well as the
synthetic patient does is small where a rare level is shared or a number is near. Record linkage adds up
``-log(p)``, so that a few columns copied exactly weigh more than many that are near by chance; the score is the
largest such weight over the synthetic patients. ``p`` is replaced by ``0.01 + 0.99 p``, so that no single column
decides. It is the strongest attack where a copy keeps most cells and has the others replaced: on copies of the
Copenhagen cohort with 30 % of the cells replaced its AUC was .87, that of the density ratio .67.

References
----------
Fellegi and Sunter, 1969, JASA 64:1183. Newcombe et al., 1959, Science 130:954 (weights by frequency).
"""

import numpy as np

from metrics.distance import Points

ERROR_SHARE = 0.01
# A block that stays in the processor's cache takes two thirds of the time of one that does not.
PAIRS_AT_ONCE = 250_000
SAME = 1e-6


def record_linkage(candidates: Points, synthetic: Points, reference: Points) -> np.ndarray:
    """Largest linkage weight between the candidate and a synthetic record.

    Returns
    -------
    numpy.ndarray of float, shape (candidates.rows,)
        Higher is more likely a member; 0 where no synthetic record agrees better than everybody does.
    """
    step = max(1, PAIRS_AT_ONCE // synthetic.rows)
    starts = range(0, candidates.rows, step)
    blocks = [_weights(candidates[i : i + step], synthetic, reference).max(axis=1) for i in starts]
    return np.concatenate(blocks).astype(float) if blocks else np.zeros(0)


def _weights(candidates: Points, synthetic: Points, reference: Points) -> np.ndarray:
    """Linkage weights, shape (candidates.rows, synthetic.rows)."""
    shares = (reference.levels.sum(axis=0) + 1) / (reference.rows + 1)
    total = (candidates.levels * _weight(shares)) @ synthetic.levels.T
    for own, made, real in zip(candidates.numbers.T, synthetic.numbers.T, reference.numbers.T, strict=True):
        # On a scale of ranks a band of half-width d holds about 2 d of all patients, and those who are tied.
        chance = np.abs(own[:, None] - made[None, :])
        chance *= 2
        chance += _share_tied(own, real)[:, None]
        total += _weight(np.minimum(chance, 1, out=chance))
    return total


def _weight(chance: np.ndarray) -> np.ndarray:
    return -np.log((ERROR_SHARE + (1 - ERROR_SHARE) * chance).astype(np.float32))


def _share_tied(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Share of the reference with the same value, counting the candidate itself, shape (values,)."""
    ordered = np.sort(reference)
    above, below = (np.searchsorted(ordered, values + d, side="right") for d in (SAME, -SAME))
    return ((above - below + 1) / (len(ordered) + 1)).astype(np.float32)
