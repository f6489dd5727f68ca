"""Drawing many slices at once: a grid in mm, soft shapes, textures and averaging over pixels.

Belongs here: geometry without anatomy. Does not belong here: sizes and intensities of organs (``chest``, ``head``,
``pelvis``).

All shapes are arrays [n, H, W] of a share 0 to 1; parameters are arrays [n, 1, 1] in mm, so that each slice has its
own. Slices are drawn finer than the image and averaged, as a scanner averages over its pixels.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float32]


class Canvas:
    """A grid of ``fine`` points per pixel side and a generator for ``n`` slices.

    Parameters
    ----------
    x, y : numpy.ndarray of float32, [1, 1, W] and [1, H, 1]
        mm from the centre; x to the patient's left, y to posterior.
    """

    def __init__(self, n: int, size: tuple[int, int], spacing: tuple[float, float], rng: np.random.Generator) -> None:
        self.fine = 2
        self.n, self.size, self.rng = n, size, rng
        self.shape = (n, size[0] * self.fine, size[1] * self.fine)
        self.step = spacing[0] / self.fine
        self.y = self._axis(self.shape[1], spacing[0])[None, :, None]
        self.x = self._axis(self.shape[2], spacing[1])[None, None, :]

    def _axis(self, points: int, spacing: float) -> Array:
        return ((np.arange(points) - (points - 1) / 2) * spacing / self.fine).astype(np.float32)

    def inside(self, distance: Array, blur: float = 0.0) -> Array:
        """Share of each point inside, from the signed distance to the edge (mm, negative inside)."""
        return np.clip(0.5 - distance / (self.step + blur), 0, 1)

    def ellipse(
        self, cx: Array | float, cy: Array | float, a: Array | float, b: Array | float, *, tilt: Array | float = 0.0,
        wobble: Array | float = 0.0, power: float = 2.0,
    ) -> Array:  # fmt: skip
        """Signed distance (mm, about) to an ellipse; ``power`` above 2 makes it boxier, ``wobble`` swells its edge."""
        dx, dy = self.x - cx, self.y - cy
        cosine, sine = np.cos(tilt), np.sin(tilt)
        u, v = (dx * cosine + dy * sine) / a, (dy * cosine - dx * sine) / b
        radius = (np.abs(u) ** power + np.abs(v) ** power) ** (1 / power)
        return ((radius - 1 - wobble) * np.minimum(a, b)).astype(np.float32)

    def texture(self, length: float, *, per_slice: bool = True) -> Array:
        """Smooth noise of mean 0 and standard deviation 1 with the correlation length, mm."""
        sigma = length / self.step
        noise = self.rng.standard_normal(self.shape if per_slice else (1, *self.shape[1:]), dtype=np.float32)
        smooth = np.empty_like(noise)
        ndimage.gaussian_filter(noise, (0, sigma, sigma), output=smooth, mode="wrap")
        return smooth / smooth.std(axis=(1, 2), keepdims=True)

    def averaged(self, fine: Array) -> Array:
        """Mean over the points of each pixel, [n, h, w]."""
        h, w = self.size
        return fine.reshape(len(fine), h, self.fine, w, self.fine).mean(axis=(2, 4), dtype=np.float32)


def painted(image: Array, share: Array, value: Array | float) -> Array:
    """The image with the value laid over it where the share is 1, mixed where it is between."""
    return (image + share * (value - image)).astype(np.float32)


def drawn_mask(share: Array) -> NDArray[np.uint8]:
    """Pixels of which the lesion covers at least half of what it covers at most: small lesions keep a pixel."""
    most = share.max(axis=(1, 2), keepdims=True)
    return ((share >= most / 2) & (most > 0.05)).astype(np.uint8)
