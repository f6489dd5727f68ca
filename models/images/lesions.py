"""Lesions as ellipses: a mask in six numbers, and back.

Belongs here: place, size, tilt and contrast of what a mask marks, and painting it. Does not belong here: statistics.

An ellipse of even weight has along each axis a variance of a quarter of the squared half axis, so that equal moments give
its outline.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
NUMBERS = 6
SMALLEST, LARGEST = np.log(0.005), np.log(0.5)  # log standard deviation as a share of the side
INSIDE, AROUND = 4.0, 9.0  # squared distance in standard deviations
MOST_TILT = 0.95


def present(masks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether anything is marked, [n]."""
    return np.asarray(masks.any(axis=(1, 2)))


def described(pixels: Floats, masks: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Centre (down, right), log sizes (down, right), tilt and contrast, all from -1 to 1; zeros where nothing is marked.

    Returns
    -------
    numpy.ndarray of float, [n, 6]
        The contrast is the mean inside less the mean around, in the unit of ``pixels``.
    """
    inside = (masks > 0).astype(np.float32)
    marked = inside.sum(axis=(1, 2))
    down, right = _axes(pixels.shape[1:])
    area = np.maximum(marked, 1)
    cy, cx = (inside * down).sum(axis=(1, 2)) / area, (inside * right).sum(axis=(1, 2)) / area
    dy, dx = down - cy[:, None, None], right - cx[:, None, None]
    vy, vx, c = ((inside * p).sum(axis=(1, 2)) / area for p in (dy * dy, dx * dx, dy * dx))
    # a pixel has a size of its own
    sy, sx = np.sqrt(vy + (2 / pixels.shape[1]) ** 2 / 12), np.sqrt(vx + (2 / pixels.shape[2]) ** 2 / 12)
    tilt = np.clip(c / (sy * sx), -MOST_TILT, MOST_TILT)
    shape = np.stack([cy, cx, _log_size(sy), _log_size(sx), tilt], axis=1)
    contrast = np.clip(_contrast(pixels, inside, _distance(shape, pixels.shape[1:])), -1, 1)
    return np.where(marked[:, None] > 0, np.concatenate([shape, contrast[:, None]], axis=1), 0.0)


def painted(pixels: Floats, numbers: Floats) -> tuple[Floats, NDArray[np.uint8]]:
    """Images with an ellipse of the wanted contrast, and its mask of 0 and 1."""
    numbers = np.clip(numbers, -1, 1)
    distance = _distance(numbers, pixels.shape[1:])
    inside = (distance <= np.maximum(INSIDE, distance.min(axis=(1, 2), keepdims=True))).astype(np.uint8)
    missing = numbers[:, 5] - _contrast(pixels, inside, distance)
    return pixels + missing[:, None, None] * inside, inside


def _axes(size: tuple[int, ...]) -> tuple[Floats, Floats]:
    down, right = ((2 * np.arange(length) + 1) / length - 1 for length in size)
    return down[None, :, None].astype(np.float32), right[None, None, :].astype(np.float32)


def _log_size(deviation: Floats) -> Floats:
    return np.clip(2 * (np.log(deviation / 2) - SMALLEST) / (LARGEST - SMALLEST) - 1, -1, 1)


def _size(number: Floats) -> Floats:
    return 2 * np.exp(SMALLEST + (number + 1) / 2 * (LARGEST - SMALLEST))


def _distance(numbers: Floats, size: tuple[int, ...]) -> Floats:
    """Squared distance of each pixel from the centre, in standard deviations."""
    down, right = _axes(size)
    cy, cx, y, x, tilt = (numbers[:, i][:, None, None] for i in range(5))
    tilt = np.clip(tilt, -MOST_TILT, MOST_TILT)
    dy, dx = (down - cy) / _size(y), (right - cx) / _size(x)
    return (dy * dy - 2 * tilt * dy * dx + dx * dx) / (1 - tilt * tilt)


def _contrast(pixels: Floats, inside: Floats | NDArray[np.uint8], distance: Floats) -> Floats:
    around = ((distance <= AROUND) & (inside == 0)).astype(np.float32)
    means = [(pixels * part).sum(axis=(1, 2)) / np.maximum(part.sum(axis=(1, 2)), 1) for part in (inside, around)]
    return np.where(around.any(axis=(1, 2)), means[0] - means[1], 0.0)
