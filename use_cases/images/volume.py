"""One series as a volume in the one orientation that all of the house uses.

Belongs here: the value and turning arrays into its convention. Does not belong here: file formats.

Convention: array axes are [slice, row, column] with slices from inferior to superior, rows from anterior to
posterior, columns from the patient's right to left: an axial slice as radiologists see it.

References
----------
DICOM PS3.3 C.7.6.2.1.1: patient coordinates (LPS), x to the left, y to posterior, z to superior.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from use_cases.images.report import SeriesError

SUPERIOR, POSTERIOR, LEFT = (0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)


@dataclass(frozen=True)
class Volume:
    """A series in the convention.

    Parameters
    ----------
    pixels : numpy.ndarray of float32, [z, y, x]
        Physical values (HU), MR signal, or grey 0 to 1.
    spacing : (float, float, float)
        Of slices, rows and columns, mm.
    masks : numpy.ndarray of uint8, [z, y, x], or None
    values : mapping
        Labels and clinical values as published: one for all slices, or a list of z values.
    scaled : bool
        Whether ``spacing`` is known; False for pictures.
    """

    pixels: NDArray[np.float32]
    spacing: tuple[float, float, float]
    masks: NDArray[np.uint8] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    scaled: bool = True


@dataclass(frozen=True)
class Series:
    """A series that can be read: whose (the hospital's number, never shown), which, and how.

    Parameters
    ----------
    study, series : int
        Ordinals from 1 within patient and study.
    head : bool
        Whether the file says it shows a head.
    defaced : bool
        Whether the file says that no face can be recognised.
    """

    patient: str
    study: int
    series: int
    read: Callable[[], Volume]
    head: bool = False
    defaced: bool = False


def oriented(
    array: NDArray[Any], directions: NDArray[np.float64], spacing: Sequence[float]
) -> tuple[NDArray[Any], tuple[float, float, float]]:
    """The array turned by the nearest quarter turns and flips into the convention.

    Parameters
    ----------
    array : numpy.ndarray, [a, b, c]
    directions : numpy.ndarray, [3, 3]
        Row i is the direction (LPS, unit length) in which axis i of the array runs.
    spacing : sequence of three floats
        Along the axes of the array, mm.

    Returns
    -------
    (numpy.ndarray, (float, float, float))
        The turned array and the spacing along its axes.
    """
    cosines = np.array([SUPERIOR, POSTERIOR, LEFT]) @ directions.T
    _, axes = linear_sum_assignment(-np.abs(cosines))
    turned = array.transpose(axes)
    steps = tuple(slice(None, None, -1 if cosines[i, axis] < 0 else 1) for i, axis in enumerate(axes))
    kept = [float(spacing[axis]) for axis in axes]
    return np.ascontiguousarray(turned[steps]), (kept[0], kept[1], kept[2])


def placed(
    values: NDArray[np.float32], steps: NDArray[np.float64]
) -> tuple[NDArray[np.float32], tuple[float, float, float]]:
    """The array in the house's orientation; row i of ``steps`` is the step (LPS, mm) along axis i."""
    spacing = np.linalg.norm(steps, axis=1)
    if not np.isfinite(steps).all() or spacing.min() <= 0 or abs(np.linalg.det(steps)) < 1e-9:
        raise SeriesError("have a spacing above 0 mm", "a broken matrix", "convert it again from DICOM")
    return oriented(values, steps / spacing[:, None], spacing.tolist())
