"""Scores of members and controls by one attack, with a reference that never contains the candidate.

Belongs here: the protocol that all attacks share. Does not belong here: a score (``density_ratio``, ``gen_lra``,
``nearest_copy``, ``record_linkage``) or its verdict (``averaged_auc``).

The controls are cut in halves; each half is the attacker's reference for the other, so that all controls are used and
none is its own reference. Members are cut alike, so that a member and a control meet equal references.
"""

from collections.abc import Callable

import numpy as np

from metrics.distance import Points

Attack = Callable[[Points, Points, Points], np.ndarray]


def cross_fitted(attack: Attack, members: Points, controls: Points, synthetic: Points) -> tuple[np.ndarray, np.ndarray]:
    """Attack scores, each half against the reference that excludes it.

    Parameters
    ----------
    attack : callable
        ``(candidates, synthetic, reference)`` to scores, shape (candidates,), higher for members.
    members, controls : Points
        As many of each, in random order.

    Returns
    -------
    tuple of numpy.ndarray of float
        Scores of the members and of the controls, in their order.
    """
    half = controls.rows // 2
    halves = (slice(None, half), slice(half, None))
    scored = [
        [attack(table[own], synthetic, controls[reference]) for own, reference in (halves, halves[::-1])]
        for table in (members, controls)
    ]
    return np.concatenate(scored[0]), np.concatenate(scored[1])
