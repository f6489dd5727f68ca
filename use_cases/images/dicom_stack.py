"""Planes of a series in order along their normal, as one volume; what does not make a volume is refused.

Belongs here: geometry of a series. Does not belong here: reading files (``dicom_planes``).

References
----------
DICOM PS3.3 C.7.6.2.1.1: the order of slices follows from position and orientation, never from file or instance number.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from records.images import Modality
from use_cases.images.dicom_planes import Plane
from use_cases.images.report import SeriesError
from use_cases.images.volume import oriented

# Scanners round positions; published series differ by up to a tenth without a slice being lost.
_EVEN, _LOST, _SAME_MM = 0.1, 1.5, 0.01


def stacked(
    planes: Sequence[Plane], modality: Modality, masks: Mapping[int, NDArray[Any]] | None = None
) -> tuple[NDArray[np.float32], tuple[float, float, float], NDArray[Any] | None]:
    """Pixels [z, y, x] and masks in the house's orientation, and the spacing of slices, rows and columns in mm.

    Parameters
    ----------
    masks : mapping of int to numpy.ndarray of whole numbers, or None
        Mask of a plane by its place among ``planes``; planes without one have an empty mask.

    Raises
    ------
    SeriesError
        Sizes, orientations or spacings are mixed, slices are missing or lie in one place.
    """
    _refuse_mixed(planes)
    if modality is Modality.DX:
        return (
            np.stack([plane.pixels for plane in planes]),
            (1.0, *planes[0].spacing),
            _drawn(planes, range(len(planes)), masks),
        )
    first = planes[0]
    assert first.orientation is not None
    row, column = first.orientation[:3], first.orientation[3:]
    normal = np.cross(row, column)
    heights = np.array([float(plane.position @ normal) for plane in planes if plane.position is not None])
    order = np.argsort(heights)
    gap = _gap(heights[order], first.thickness)
    directions, spacing = np.array([normal, column, row]), (gap, *first.spacing)
    pixels, turned = oriented(np.stack([planes[i].pixels for i in order]), directions, spacing)
    drawn = _drawn(planes, order.tolist(), masks)
    return pixels, turned, None if drawn is None else oriented(drawn, directions, spacing)[0]


def _drawn(
    planes: Sequence[Plane], order: Sequence[int], masks: Mapping[int, NDArray[Any]] | None
) -> NDArray[Any] | None:
    """Masks of the planes in an order."""
    empty = np.zeros(planes[0].pixels.shape, np.uint8)
    return None if masks is None else np.stack([masks.get(place, empty) for place in order])


def _refuse_mixed(planes: Sequence[Plane]) -> None:
    first = planes[0]
    for plane in planes[1:]:
        if plane.pixels.shape != first.pixels.shape:
            raise SeriesError("have one image size", "mixed sizes", "split the series")
        if not np.allclose(plane.spacing, first.spacing, rtol=1e-3):
            raise SeriesError("have one pixel spacing", "mixed spacing", "split the series")
        if (
            plane.orientation is not None
            and first.orientation is not None
            and not np.allclose(plane.orientation, first.orientation, atol=1e-3)
        ):
            raise SeriesError("have one orientation", "mixed orientations", "split the series or leave localizers out")


def _gap(heights: NDArray[np.float64], thickness: float) -> float:
    """Distance between slices, mm; that of a single slice is its thickness."""
    gaps = np.diff(heights)
    if not len(gaps):
        return thickness
    if (gaps < _SAME_MM).any():
        rule, remedy = "have one image per place", "split it by b-value, echo or time, or choose by series_description"
        raise SeriesError(rule, f"{int((gaps < _SAME_MM).sum())} places twice", remedy)
    usual = float(np.median(gaps))
    lost = gaps > _LOST * usual
    multiples = gaps / usual
    if lost.any() and (abs(multiples - multiples.round()) < _EVEN).all():
        count = int((multiples.round() - 1).sum())
        raise SeriesError("have all slices", f"{count} missing", "export the whole series")
    if (abs(gaps - usual) > _EVEN * usual).any():
        raise SeriesError("have one distance between slices", "mixed spacing", "reconstruct it at one distance")
    return usual
