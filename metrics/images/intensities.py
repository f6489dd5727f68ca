"""Pixels on one scale: 0 and 1 are the ends of the codebook's public window.

Belongs here: that scale and making images smaller on it. Does not belong here: what is computed from it (``features``,
``classifiers``).
"""

import numpy as np
from numpy.typing import NDArray

from records.images import ImageSchema, ImageTable

Pixels = NDArray[np.float32]


def unit_pixels(table: ImageTable, schema: ImageSchema) -> Pixels:
    """Pixels scaled to 0..1 by the public window, shape [n, h, w]."""
    low, high = schema.window
    return np.clip((table.pixels.astype(np.float32) - low) / (high - low), 0, 1, dtype=np.float32)


def pooled(pixels: Pixels, most: int) -> Pixels:
    """Mean over blocks so that neither side exceeds ``most`` pixels; rows and columns that fill no block are cut."""
    h, w = pixels.shape[1:]
    step = max(1, -(-max(h, w) // most))
    cut = pixels[:, : h - h % step, : w - w % step]
    return cut.reshape(len(pixels), h // step, step, w // step, step).mean(axis=(2, 4), dtype=np.float32)
