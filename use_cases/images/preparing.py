"""From a volume to the slices that a codebook asks for: scale of intensity, slice choice, resampling, window.

Belongs here: pure functions of one series and the codebook, so that one patient's images never depend on another's.
Does not belong here: file formats.

References
----------
Anti-aliasing before coarser sampling by a Gaussian of (factor - 1) / 2 pixels: as in scikit-image's ``resize``.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from records.images import ImageSchema, IntensityUnit
from use_cases.images.codebook import SliceRule, Slices
from use_cases.images.report import SeriesError
from use_cases.images.volume import Volume

Pixel = TypeVar("Pixel", np.float32, np.uint8)
_LOW, _HIGH = 0.5, 99.5


def chosen_slices(volume: Volume, slices: Slices) -> NDArray[np.int64]:
    """Places of the slices to keep, rising.

    Raises
    ------
    SeriesError
        The rule needs a mask and the series has none, or an empty one.
    """
    depth = len(volume.pixels)
    if slices.rule is SliceRule.MIDDLE:
        return np.array([depth // 2])
    if slices.rule is SliceRule.MASK:
        return _with_mask(volume)
    if slices.rule is SliceRule.EVERY and slices.every is not None:
        step = max(slices.every / volume.spacing[0], 1.0)
        # centred, so that what is cut off is cut off evenly
        count = int((depth - 1) // step) + 1
        first = (depth - 1 - (count - 1) * step) / 2
        return np.round(first + step * np.arange(count)).astype(np.int64)
    return np.arange(depth)


def _with_mask(volume: Volume) -> NDArray[np.int64]:
    if volume.masks is None or not volume.masks.any():
        raise SeriesError("have a mask with something on it", "none", "choose slices by another rule or add the mask")
    return np.flatnonzero(volume.masks.any(axis=(1, 2)))


def scaled(pixels: NDArray[np.float32], unit: IntensityUnit) -> NDArray[np.float32]:
    """The series in the unit: relative intensities stretch its own 0.5th to 99.5th percentiles to 0 to 1."""
    if unit is not IntensityUnit.RELATIVE:
        return pixels
    low, high = np.percentile(pixels, [_LOW, _HIGH])
    if not low < high:
        raise SeriesError("have contrast", "one value nearly everywhere", "check the export")
    return ((pixels - low) / (high - low)).astype(np.float32)


def resampled(
    pixels: NDArray[np.float32], spacing: tuple[float, float], schema: ImageSchema, *, is_scaled: bool = True
) -> NDArray[np.float32]:
    """Slices on the schema's grid about the same centre, linear and anti-aliased; outside is the window's low end.

    Parameters
    ----------
    pixels : numpy.ndarray of float32, [n, y, x]
    spacing : (float, float)
        Of rows and columns, mm.
    is_scaled : bool
        False fits the whole picture into the size, shape kept.

    Returns
    -------
    numpy.ndarray of float32, [n, h, w]
    """
    factors = _factors(pixels.shape[1:], spacing, schema, is_scaled)
    if factors == (1.0, 1.0) and pixels.shape[1:] == schema.size:
        return np.clip(pixels, *schema.window)
    bounded = np.clip(pixels, *schema.window)
    smoothed = np.empty_like(bounded)
    ndimage.gaussian_filter(bounded, [0.0, *(max(f - 1, 0) / 2 for f in factors)], output=smoothed, mode="nearest")
    grid = _sampled(smoothed, factors, schema.size, order=1, outside=schema.window[0])
    return np.clip(grid, *schema.window).astype(np.float32)


def resampled_masks(
    masks: NDArray[np.uint8], spacing: tuple[float, float], schema: ImageSchema, *, is_scaled: bool = True
) -> NDArray[np.uint8]:
    """Masks on the same grid as ``resampled``, by the nearest pixel, 0 outside."""
    factors = _factors(masks.shape[1:], spacing, schema, is_scaled)
    if factors == (1.0, 1.0) and masks.shape[1:] == schema.size:
        return masks
    return _sampled(masks, factors, schema.size, order=0, outside=0)


def _factors(
    shape: tuple[int, ...], spacing: tuple[float, float], schema: ImageSchema, is_scaled: bool
) -> tuple[float, float]:
    """How many source pixels one pixel of the grid steps over, down and across."""
    if schema.spacing is not None and is_scaled:
        return schema.spacing[0] / spacing[0], schema.spacing[1] / spacing[1]
    fit = max(shape[0] / schema.size[0], shape[1] / schema.size[1])
    return fit, fit


def _sampled(
    stack: NDArray[Pixel], factors: tuple[float, float], size: tuple[int, int], *, order: int, outside: float
) -> NDArray[Pixel]:
    matrix = np.array([1.0, *factors])
    offset = [0.0, *((n - 1) / 2 - f * (m - 1) / 2 for n, m, f in zip(stack.shape[1:], size, factors, strict=True))]
    grid = np.empty((len(stack), *size), stack.dtype)
    ndimage.affine_transform(stack, matrix, offset, grid.shape, grid, order, "constant", outside)  # type: ignore[arg-type]
    return grid
