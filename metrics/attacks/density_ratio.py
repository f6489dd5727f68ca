"""Membership by overfitting: synthetic patients nearer to a candidate than the population explains.

Belongs here: one score. Does not belong here: how candidates are drawn and judged (``suite``).

The score is ``log(distance to the real reference / distance to the nearest synthetic patient)``. One synthetic
neighbour and the mean of five real ones were the strongest of the choices tried on noisy copies of a real cohort.

References
----------
van Breugel et al., 2023, AISTATS (DOMIAS).
"""

import numpy as np

from metrics.distance import Points, nearest

REFERENCE_NEIGHBOURS = 5
SMALLEST_DISTANCE = 1e-3


def density_ratio(candidates: Points, synthetic: Points, reference: Points) -> np.ndarray:
    """Log ratio of the distances to the reference and to the synthetic records.

    Returns
    -------
    numpy.ndarray of float, shape (candidates.rows,)
        Higher is more likely a member.
    """
    near_real = nearest(candidates, reference, neighbours=REFERENCE_NEIGHBOURS) + SMALLEST_DISTANCE
    return np.log(near_real / (nearest(candidates, synthetic) + SMALLEST_DISTANCE))
