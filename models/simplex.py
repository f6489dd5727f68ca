"""Noisy counts as shares.

Belongs here: projection on the probability simplex. Does not belong here: the counts (``event_tables``).
"""

import numpy as np


def to_shares(counts: np.ndarray) -> np.ndarray:
    """Noisy counts as shares: the closest point of the probability simplex after scaling by their sum."""
    scaled = counts / max(float(counts.sum()), 1.0)
    falling = np.sort(scaled)[::-1]
    excess = (np.cumsum(falling) - 1) / np.arange(1, counts.size + 1)
    return np.maximum(scaled - excess[np.flatnonzero(falling > excess)[-1]], 0)
