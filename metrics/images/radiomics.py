"""Radiomics of whole images: first-order statistics and a grey-level co-occurrence matrix.

Belongs here: features with names that a radiologist can read. Does not belong here: learnt or random features
(``features``), or distances on them (``frechet``).

Intensities are cut into 16 equal bins of the codebook's public window, never of the image's own range, so that a feature
means the same in every image. The matrix counts neighbours one pixel apart in the four directions of a slice, both ways.
These are 2D features of whole images under the definitions of the IBSI; they are not a validated radiomics product.

References
----------
Haralick, Shanmugam and Dinstein, 1973, IEEE Trans SMC 3:610. Zwanenburg et al., 2020, Radiology 295:328 (IBSI).
"""

import numpy as np
from numpy.typing import NDArray

from metrics.images.features import Extractor
from metrics.images.intensities import Pixels

BINS = 16
AT_ONCE = 256
DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1))
FIRST_ORDER = (
    "mean", "standard deviation", "skewness", "kurtosis", "10th percentile", "median", "90th percentile",
    "interquartile range", "mean absolute deviation", "entropy", "uniformity",
)  # fmt: skip
TEXTURE = (
    "contrast", "dissimilarity", "homogeneity", "angular second moment", "correlation", "joint entropy",
    "cluster shade", "cluster prominence",
)  # fmt: skip
NAMES = (*FIRST_ORDER, *TEXTURE)


def radiomics() -> Extractor:
    """First-order and co-occurrence features, shape [n, 19], in the order of ``NAMES``."""
    return Extractor(f"radiomics-first-order-glcm-{len(NAMES)}/bins-{BINS}", radiomic_features)


def radiomic_features(pixels: Pixels) -> np.ndarray:
    """Features of each image, shape [n, 19].

    Parameters
    ----------
    pixels : numpy.ndarray of float32, [n, h, w]
        In 0..1 of the public window.
    """
    if not len(pixels):
        return np.zeros((0, len(NAMES)))
    parts = (pixels[at : at + AT_ONCE] for at in range(0, len(pixels), AT_ONCE))
    return np.concatenate([np.column_stack([_first_order(part), _texture(part)]) for part in parts])


def _levels(pixels: Pixels) -> NDArray[np.int64]:
    return np.minimum((pixels * BINS).astype(np.int64), BINS - 1)


def _first_order(pixels: Pixels) -> np.ndarray:
    flat = pixels.reshape(len(pixels), -1).astype(float)
    mean = flat.mean(axis=1)
    centred = flat - mean[:, None]
    deviation = np.sqrt((centred**2).mean(axis=1))
    # A flat image has no skew; its kurtosis is taken as 0, not as undefined.
    scaled = centred / np.where(deviation > 0, deviation, 1)[:, None]
    low, quarter, median, three, high = np.percentile(flat, [10, 25, 50, 75, 90], axis=1)
    shares = _shares(_levels(pixels).reshape(len(pixels), -1), BINS)
    return np.column_stack(
        [mean, deviation, (scaled**3).mean(axis=1), (scaled**4).mean(axis=1), low, median, high, three - quarter,
         np.abs(centred).mean(axis=1), _entropy(shares), (shares**2).sum(axis=1)]
    )  # fmt: skip


def _shares(codes: NDArray[np.int64], levels: int) -> np.ndarray:
    """Share of each level in each row, shape (rows, levels)."""
    places = codes + levels * np.arange(len(codes))[:, None]
    return np.bincount(places.ravel(), minlength=levels * len(codes)).reshape(len(codes), levels) / codes.shape[1]


def _entropy(shares: np.ndarray) -> np.ndarray:
    return -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=1)


def co_occurrence(pixels: Pixels) -> np.ndarray:
    """Symmetric co-occurrence shares, mean of the four directions, shape [n, 16, 16]."""
    codes = _levels(pixels)
    total = np.zeros((len(pixels), BINS, BINS))
    for down, right in DIRECTIONS:
        one, other = _neighbours(codes, down, right)
        pairs = _shares((one * BINS + other).reshape(len(codes), -1), BINS**2).reshape(-1, BINS, BINS)
        total += (pairs + pairs.transpose(0, 2, 1)) / 2
    return total / len(DIRECTIONS)


def _neighbours(codes: NDArray[np.int64], down: int, right: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    h, w = codes.shape[1:]
    own = slice(max(0, -right), w - max(0, right))
    beside = slice(max(0, right), w - max(0, -right))
    return codes[:, : h - down, own], codes[:, down:, beside]


def _texture(pixels: Pixels) -> np.ndarray:
    shares = co_occurrence(pixels)
    i, j = np.mgrid[:BINS, :BINS]
    apart = i - j
    mean = (shares * i).sum(axis=(1, 2))
    variance = (shares * i**2).sum(axis=(1, 2)) - mean**2
    product = (shares * (i * j)).sum(axis=(1, 2)) - mean**2
    # A flat image goes perfectly with itself.
    correlation = np.where(variance > 1e-12, product / np.where(variance > 1e-12, variance, 1), 1.0)
    cluster = i + j - 2 * mean[:, None, None]
    return np.column_stack(
        [(shares * apart**2).sum(axis=(1, 2)), (shares * np.abs(apart)).sum(axis=(1, 2)),
         (shares / (1 + apart**2)).sum(axis=(1, 2)), (shares**2).sum(axis=(1, 2)), correlation,
         _entropy(shares.reshape(len(shares), -1)), (shares * cluster**3).sum(axis=(1, 2)),
         (shares * cluster**4).sum(axis=(1, 2))]
    )  # fmt: skip
