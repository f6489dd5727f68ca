"""Membership by the nearest synthetic record: the classical attack.

Belongs here: one score. Does not belong here: how candidates are drawn and judged (``suite``). The score takes no
account of how crowded the candidate's neighbourhood is, so that it accuses common patients; ``density_ratio`` does.

References
----------
Chen et al., 2020, CCS (GAN-Leaks, full black-box attack).
"""

import numpy as np

from metrics.distance import Points, nearest


def nearest_copy(candidates: Points, synthetic: Points, reference: Points) -> np.ndarray:
    """Minus the distance to the nearest synthetic record; ``reference`` is not used.

    Returns
    -------
    numpy.ndarray of float, shape (candidates.rows,)
        Higher is more likely a member.
    """
    return -nearest(candidates, synthetic)
