"""Drawing many slices at once: a grid in mm, soft shapes, textures and averaging over pixels.

Belongs here: geometry without anatomy. Does not belong here: sizes and intensities of organs (``chest``, ``head``,
``pelvis``).

All shapes are arrays [n, H, W] of a share 0 to 1; parameters are arrays [n, 1, 1] in mm, so that each slice has its
own. Slices are drawn finer than the image and averaged, as a scanner averages over its pixels.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.floating]
_BLOCK = 8


class Canvas:
    """A grid of ``fine`` points per pixel side and a generator for ``n`` slices.

    Parameters
    ----------
    x, y : numpy.ndarray of float32, [1, 1, W] and [1, H, 1]
        mm from the centre; x to the patient's left, y to posterior.
    """

    def __init__(self, n: int, size: tuple[int, int], spacing: tuple[float, float], rng: np.random.Generator) -> None:
        self.fine = 2
        self.n, self.size, self.spacing, self.rng = n, size, spacing, rng
        self.shape = (n, size[0] * self.fine, size[1] * self.fine)
        self.step = spacing[0] / self.fine
        self.y = self._axis(self.shape[1], spacing[0])[None, :, None]
        self.x = self._axis(self.shape[2], spacing[1])[None, None, :]

    def _axis(self, points: int, spacing: float) -> Array:
        return ((np.arange(points) - (points - 1) / 2) * spacing / self.fine).astype(np.float32)

    def inside(self, distance: Array, blur: float = 0.0) -> NDArray[np.float32]:
        """Share of each point inside, from the signed distance to the edge (mm, negative inside)."""
        share = distance.astype(np.float32, copy=False) / np.float32(self.step + blur)
        np.subtract(np.float32(0.5), share, out=share)
        return np.clip(share, 0, 1, out=share)

    def ellipse(
        self, cx: Array | float, cy: Array | float, a: Array | float, b: Array | float, *, tilt: Array | float = 0.0,
        wobble: Array | float = 0.0, power: float = 2.0,
    ) -> Array:  # fmt: skip
        """Signed distance (mm, about) to an ellipse; ``power`` above 2 makes it boxier, ``wobble`` swells its edge."""
        # parameters in double precision would make every point so
        given = [np.asarray(value, np.float32) for value in (cx, cy, a, b, tilt, wobble)]
        n = np.broadcast_shapes((1, 1, 1), *(value.shape for value in given))[0]
        given = [np.broadcast_to(value, (n, *(value.shape[1:] or (1, 1)))) for value in given]
        distance = np.empty((n, *self.shape[1:]), np.float32)
        for part in blocks(n):
            distance[part] = self._ellipse(*(value[part] for value in given), power=power)
        return distance

    def _ellipse(self, cx: Array, cy: Array, a: Array, b: Array, tilt: Array, wobble: Array, power: float) -> Array:
        dx, dy = self.x - cx, self.y - cy
        if tilt.any():
            cosine, sine = np.cos(tilt), np.sin(tilt)
            dx, dy = dx * cosine + dy * sine, dy * cosine - dx * sine
        u, v = dx / a, dy / b
        u2, v2 = u * u, v * v
        square = u2 + v2
        radius = np.sqrt(square)
        if power != 2:
            # exact along the axes and the diagonals of a superellipse, without powers of every point
            radius = radius * (1 - (1 - 2 ** (1 / power - 0.5)) * 4 * u2 * v2 / np.maximum(square * square, 1e-6))
        return (radius - 1 - wobble) * np.minimum(a, b)

    def texture(self, length: float, *, per_slice: bool = True) -> Array:
        """Smooth noise of mean 0 and standard deviation 1 with the correlation length, mm."""
        sigma = length / self.step
        height, width = self.shape[1:]
        # one field 32 times the area of a slice, of which each slice gets a piece of its own
        field = self.rng.standard_normal((4 * height, 8 * width), dtype=np.float32)
        smooth = np.empty_like(field)
        ndimage.gaussian_filter(field, sigma, output=smooth, mode="wrap", truncate=3)
        smooth /= smooth.std()
        top = self.rng.integers(0, 3 * height, self.n if per_slice else 1)
        left = self.rng.integers(0, 7 * width, len(top))
        return np.stack([smooth[i : i + height, j : j + width] for i, j in zip(top, left, strict=True)])

    def averaged(self, fine: Array) -> Array:
        """Mean over the points of each pixel, [n, h, w]."""
        h, w = self.size
        return fine.reshape(len(fine), h, self.fine, w, self.fine).mean(axis=(2, 4), dtype=np.float32)


def painted(image: Array, share: Array, value: Array | float) -> Array:
    """The image with the value laid over it where the share is 1, mixed where it is between."""
    mixed = value - image
    mixed = np.multiply(
        mixed, share, out=mixed if mixed.shape == np.broadcast_shapes(mixed.shape, share.shape) else None
    )
    mixed += image
    return mixed.astype(np.float32, copy=False)


def blocks(n: int) -> Iterator[slice]:
    """Slices of an array of n, few enough at a time that what is computed of them stays in the processor's cache."""
    return (slice(at, at + _BLOCK) for at in range(0, n, _BLOCK))


def drawn_mask(share: Array) -> NDArray[np.uint8]:
    """Pixels of which the lesion covers at least half of what it covers at most: small lesions keep a pixel."""
    most = share.max(axis=(1, 2), keepdims=True)
    return ((share >= most / 2) & (most > 0.05)).astype(np.uint8)
