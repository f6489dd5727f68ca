"""Distance of vectors to their nearest ones in another set, a block at a time.

Belongs here: that distance. Does not belong here: what it tells (``membership``, ``memorisation``).
"""

import numpy as np
from scipy.spatial.distance import cdist

PAIRS_AT_ONCE = 2_000_000


def nearest(queries: np.ndarray, references: np.ndarray, *, neighbours: int = 1) -> np.ndarray:
    """Mean Euclidean distance of each query to its nearest references, shape (queries,).

    Parameters
    ----------
    queries, references : numpy.ndarray, shape (rows, dimensions)
        At least one reference.
    neighbours : int
        At least 1; at most all references are used.
    """
    count = min(neighbours, len(references))
    step = max(1, PAIRS_AT_ONCE // len(references))
    blocks = [
        np.partition(cdist(queries[at : at + step], references), count - 1, axis=1)[:, :count].mean(axis=1)
        for at in range(0, len(queries), step)
    ]
    return np.concatenate(blocks) if blocks else np.zeros(0)


def nearest_places(queries: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place of the nearest reference of each query and its distance, each of shape (queries,)."""
    step = max(1, PAIRS_AT_ONCE // len(references))
    blocks = (cdist(queries[at : at + step], references) for at in range(0, len(queries), step))
    found = np.concatenate([block.argmin(axis=1) for block in blocks])
    return found, np.linalg.norm(queries - references[found], axis=1)
