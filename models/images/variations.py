"""Variations of images that need no data: a random field, a mixture with another image, a small shift and stretch.

Belongs here: one image in, one like it out; the mask moves along. Does not belong here: choosing which are varied.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

from models.images.frequencies import Frequencies
from models.images.noisy_sums import Floats
from models.images.prior import FALL, SPREAD
from models.images.seen import Drawn

FIELD, MIXTURE, SHIFT, STRETCH = 0.5, 0.5, 0.04, 0.06  # at full step: of the prior's field, weight, of the side, factor


class Variations:
    """Variations of images of one size; images with masks are not mixed, since two lesions would fade."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._waves = Frequencies(size)
        amplitude = (1 + self._waves.radius) ** -FALL
        self._amplitude = amplitude * SPREAD * np.sqrt(len(self._waves) / (amplitude**2).sum())

    def __call__(
        self, pixels: Floats, others: Floats, masks: NDArray[np.uint8] | None, step: float, rng: np.random.Generator
    ) -> Drawn:  # fmt: skip
        """Varied images.

        Parameters
        ----------
        pixels, others : numpy.ndarray of float, [n, h, w]
            From -1 to 1; ``others`` may be mixed in.
        step : float
            How far, from 0 to 1.
        """
        strength = step * rng.random((len(pixels), 1, 1))
        if masks is None:
            weight = MIXTURE * step * rng.random((len(pixels), 1, 1))
            pixels = (1 - weight) * pixels + weight * others
        field = self._waves.backward(rng.normal(size=(len(pixels), len(self._waves))) * self._amplitude)
        pixels = np.array(pixels + FIELD * strength * field)
        masks = None if masks is None else masks.copy()
        for i in range(len(pixels)):
            matrix, offset = self._moved(step, rng)
            pixels[i] = affine_transform(pixels[i], matrix, offset, order=1, mode="nearest")
            if masks is not None:
                masks[i] = affine_transform(masks[i], matrix, offset, order=0)
        return Drawn(np.clip(pixels, -1, 1).astype(np.float32), masks)

    def _moved(self, step: float, rng: np.random.Generator) -> tuple[Floats, Any]:
        """Scale of each axis and offset about the middle."""
        size = np.array(self._waves.size)
        matrix = 1 + STRETCH * step * rng.uniform(-1, 1, 2)
        middle = (size - 1) / 2
        return matrix, middle - matrix * middle + SHIFT * step * rng.uniform(-1, 1, 2) * size
