"""Intensities as the whole numbers that DICOM and PNG store.

Belongs here: the scale between a table's unit and stored numbers. Does not belong here: files.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from records.errors import ParameterError
from records.images.schema import ImageSchema, IntensityUnit

LEVELS = 65_535
SLICE_STEP = 1.0  # mm, nominal: a table knows no distance between its slices


@dataclass(frozen=True)
class Scale:
    """``value = slope * stored + intercept``.

    Parameters
    ----------
    window : (int, int)
        The public window in stored numbers.
    """

    slope: float
    intercept: float
    window: tuple[int, int]
    dtype: type[np.int16] | type[np.uint16]

    def stored(self, pixels: NDArray[np.generic]) -> NDArray[np.integer]:
        """Values rounded to the nearest stored number, never outside the window."""
        numbers = np.rint((pixels.astype(np.float64) - self.intercept) / self.slope)
        return np.clip(numbers, *self.window).astype(self.dtype)


def hounsfield(schema: ImageSchema) -> Scale:
    """Hounsfield units as signed numbers of 16 bits, one for one.

    Raises
    ------
    ParameterError
        The unit is another, or the window does not fit into 16 bits.
    """
    low, high = int(np.ceil(schema.window[0])), int(np.floor(schema.window[1]))
    if schema.unit is not IntensityUnit.HU or low < -32_768 or high > 32_767 or low >= high:
        raise ParameterError(
            f"{schema.name} must be in HU within 16 bits to be a CT, got {schema.unit} {schema.window}; write it as NIfTI"
        )
    return Scale(1.0, 0.0, (low, high), np.int16)


def unsigned(schema: ImageSchema) -> Scale:
    """The public window over all unsigned numbers of 16 bits."""
    low, high = schema.window
    return Scale((high - low) / LEVELS, low, (0, LEVELS), np.uint16)


def share_of_range(schema: ImageSchema) -> Scale:
    """Grey from 0 to 1 as the share of all unsigned numbers of 16 bits, whatever the window is.

    Raises
    ------
    ParameterError
        The unit is another, or the window goes beyond 0 to 1.
    """
    low, high = schema.window
    if schema.unit is not IntensityUnit.GREY or low < 0 or high > 1:
        raise ParameterError(
            f"{schema.name} must be grey from 0 to 1 to be a radiograph, got {schema.unit} {schema.window}; write another format"
        )
    return Scale(1 / LEVELS, 0.0, (int(np.ceil(low * LEVELS)), int(np.floor(high * LEVELS))), np.uint16)
