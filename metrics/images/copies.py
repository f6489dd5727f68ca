"""Synthetic images that copy a training image: as it is, with noise, mirrored, shifted, or with other intensities.

Belongs here: finding them, beside what chance explains. Does not belong here: membership (``membership``), which finds
leaks that are no copies.

Images are compared by correlation, which brightness and contrast do not change, under mirrorings and shifts of up to two
pixels (of at most 64 a side). An image is a copy if it correlates with a training image by .9995 or more, or if it lies
nearer to one patient than half its distance to the next nine patients: what nobody else resembles, chance does not make.
Holdout images are searched alike; those that look like copies are chance (twins in the data: 2 of 600 chest X-rays).
Of planted copies of X-rays and of the three phantoms all were found that were equal, mirrored, shifted, of other
brightness and contrast, or of gamma 1.3; with noise of 2 % of the window all of the phantoms and 19 of 20 X-rays at 28
pixels, with 5 % all phantoms and few X-rays. Rotated and cropped copies are not looked for.

References
----------
Carlini et al., 2023, USENIX Security (extraction from diffusion models, distance relative to neighbours).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from metrics.discrimination import Interval, clopper_pearson
from metrics.images.intensities import Pixels, pooled, unit_pixels
from metrics.plain import plain
from records.images import ImageSchema, ImageTable

MOST_PIXELS, COARSE_PIXELS, SHIFT = 64, 16, 2
NEXT = 10
SAME, NEARER = 0.9995, 0.5
MOST_IMAGES, AT_ONCE = 1000, 64
FEWEST_PATIENTS = 3


@dataclass(frozen=True)
class CopiesReport:
    """Aggregates only; ``None`` where ``reason`` says why.

    Parameters
    ----------
    share : Interval or None
        Share of synthetic images that copy a training image, with Clopper and Pearson's 95 % interval.
    chance : float or None
        Share of holdout images that look like copies of training images.
    excess : float or None
        ``share`` less ``chance``, at least 0.
    same : float or None
        Share of synthetic images that equal a training image up to mirroring, shift, brightness and contrast.
    images : int
        Synthetic images searched, drawn at random.
    """

    reason: str | None
    share: Interval | None = None
    chance: float | None = None
    excess: float | None = None
    same: float | None = None
    images: int = 0
    holdout_images: int = 0

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def image_copies(
    train: ImageTable, holdout: ImageTable, synthetic: ImageTable, schema: ImageSchema, *, rng: np.random.Generator
) -> CopiesReport:
    """Count copies of training images.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws at most 1,000 synthetic and 1,000 holdout images; all training images are searched.
    """
    if not len(synthetic) or len(train.patients) < FEWEST_PATIENTS or not len(holdout):
        return CopiesReport(f"copies need a synthetic and a holdout image and {FEWEST_PATIENTS} training patients")
    made, fresh = (
        unit_pixels(table, schema)[rng.permutation(len(table))[:MOST_IMAGES]] for table in (synthetic, holdout)
    )
    known, groups = unit_pixels(train, schema), train.groups()
    found, usual = (search(pixels, known, groups) for pixels in (made, fresh))
    share, chance = clopper_pearson(int(found.copies.sum()), len(made)), float(usual.copies.mean())
    return CopiesReport(
        None, share, chance, max(0.0, share.value - chance), float(found.same.mean()), len(made), len(fresh)
    )


@dataclass(frozen=True)
class Found:
    """For each image searched: whether it copies, whether it is the same; arrays of shape (images,)."""

    copies: np.ndarray
    same: np.ndarray


def search(pixels: Pixels, train: Pixels, groups: np.ndarray) -> Found:
    """Which images copy one of the training images.

    Parameters
    ----------
    pixels, train : numpy.ndarray of float32, [n, h, w]
        In 0..1.
    groups : numpy.ndarray of int, shape (train images,)
        Patient of each training image.
    """
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    small, inner = (pooled(part, MOST_PIXELS) for part in (pixels, train[order]))
    inner = inner[:, SHIFT : inner.shape[1] - SHIFT, SHIFT : inner.shape[2] - SHIFT]
    coarse, fine = _unit(pooled(inner, COARSE_PIXELS)), _unit(inner)
    best, next_ = np.empty(len(pixels)), np.empty(len(pixels))
    for at in range(0, len(pixels), AT_ONCE):
        block = slice(at, at + AT_ONCE)
        likely = _likely(small[block], coarse, starts)
        ranked = np.sort(_apart(_correlations(small[block], fine[likely])), axis=1)
        best[block], next_[block] = ranked[:, 0], ranked[:, 1:].mean(axis=1)
    same = 1 - best**2 / 2 >= SAME
    return Found(same | (best < NEARER * next_), same)


def _likely(pixels: Pixels, train: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Best training image of each of the most similar patients on coarse images, shape (images, at most 10)."""
    most = np.full((len(pixels), len(train)), -np.inf, dtype=np.float32)
    for variant in _variants(pixels):
        np.maximum(most, _unit(pooled(variant, COARSE_PIXELS)) @ train.T, out=most)
    by_patient = np.maximum.reduceat(most, starts, axis=1)
    patients = np.argsort(-by_patient, axis=1)[:, :NEXT]
    ends = np.append(starts[1:], len(train))
    return np.array(
        [[starts[p] + most[i, starts[p] : ends[p]].argmax() for p in chosen] for i, chosen in enumerate(patients)]
    )


def _correlations(pixels: Pixels, candidates: np.ndarray) -> np.ndarray:
    """Largest correlation of each image with each of its candidates, shape (images, candidates)."""
    columns = candidates.transpose(0, 2, 1)
    return np.max([np.matmul(_unit(variant)[:, None], columns)[:, 0] for variant in _variants(pixels)], axis=0)


def _variants(pixels: Pixels) -> Iterator[Pixels]:
    """The inner part of each image mirrored and shifted in every way."""
    h, w = (side - 2 * SHIFT for side in pixels.shape[1:])
    for mirrored in (pixels, pixels[:, :, ::-1], pixels[:, ::-1], pixels[:, ::-1, ::-1]):
        for down in range(2 * SHIFT + 1):
            for right in range(2 * SHIFT + 1):
                yield mirrored[:, down : down + h, right : right + w]


def _unit(pixels: Pixels) -> np.ndarray:
    """Images less their mean, of length 1; a flat one stays 0 and correlates with nothing."""
    flat = pixels.reshape(len(pixels), -1)
    centred = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return centred / np.where(length > 1e-4, length, np.inf)


def _apart(correlation: np.ndarray) -> np.ndarray:
    """Distance of two images of length 1."""
    return np.sqrt(np.maximum(0, 2 - 2 * correlation.astype(float)))
