"""LIDC-IDRI as published: chest CT as DICOM, with four readers' contours and ratings as XML beside it.

Belongs here: masks and labels of slices from the readings. Does not belong here: the XML (``lidc_xml``) or DICOM
(``dicom``).

Layout (TCIA): ``LIDC-IDRI-NNNN/<study>/<series>/*.dcm`` and one ``.xml`` in the folder of the CT series. The mask is
where at least half of the readers drew a nodule; its malignancy is the median of the ratings of the readings that
touch it, above 3 malignant, below 3 benign.

References
----------
Armato et al. (2011), The Lung Image Database Consortium (LIDC) and Image Database Resource Initiative (IDRI), Medical
Physics 38:915: nodules of 3 mm and more, outlined along the first pixels outside.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from use_cases.images.codebook import ImageCohort
from use_cases.images.dicom import DicomSeries, as_series, read_planes, series_of
from use_cases.images.dicom_planes import Plane
from use_cases.images.dicom_stack import stacked
from use_cases.images.lidc_xml import Reading, readings_of
from use_cases.images.report import SeriesError
from use_cases.images.volume import Series, Volume

LEVELS = ("none", "benign", "indeterminate", "malignant")


def find(folder: Path, cohort: ImageCohort) -> Iterator[Series]:
    """The CT series with the XML in their folder.

    Raises
    ------
    StorageError
        The folder is missing.
    """
    for one in series_of(folder, cohort):
        yield as_series(one, partial(_read, one, cohort))


def _read(one: DicomSeries, cohort: ImageCohort) -> Volume:
    sheets = sorted(one.paths[0].parent.glob("*.xml"))
    planes = read_planes(one.paths, cohort)
    if not sheets:
        raise SeriesError("have its readings beside it", "no XML file", "add it from the publication")
    readings, readers = readings_of(sheets[0])
    shape = planes[0].pixels.shape
    votes = {uid: np.zeros(shape, np.uint8) for reading in readings for uid in reading.contours}
    drawn = [{uid: reading.mask(uid, shape) for uid in reading.contours} for reading in readings]
    for masks in drawn:
        for uid, mask in masks.items():
            votes[uid] += mask
    marks = {place: votes[plane.uid] for place, plane in enumerate(planes) if plane.uid in votes}
    pixels, spacing, counted = stacked(planes, cohort.image.modality, marks)
    assert counted is not None
    agreed = (2 * counted >= max(readers, 1)) & (counted > 0)
    rated = _rated(planes, readings, drawn, cohort, agreed)
    levels = rated.max(axis=(1, 2))
    values = {
        "malignancy": [LEVELS[level] for level in levels],
        "nodule_diameter": _diameters(agreed, spacing).round(1).tolist(),
    }
    return Volume(pixels, spacing, agreed.astype(np.uint8), values)


def _rated(
    planes: Sequence[Plane], readings: Sequence[Reading], drawn: Sequence[dict[str, NDArray[np.uint8]]], cohort: ImageCohort,
    agreed: NDArray[np.bool_],
) -> NDArray[np.uint8]:  # fmt: skip
    """Place of each agreed nodule's malignancy in ``LEVELS``, shape [z, y, x]."""
    parts, count = connected(agreed)
    by_plane = _by_plane(parts, planes, cohort)
    ratings: list[list[int]] = [[] for _ in range(count + 1)]
    for reading, masks in zip(readings, drawn, strict=True):
        touched = {int(part) for uid, mask in masks.items() if uid in by_plane for part in by_plane[uid][mask > 0]}
        for part in touched:
            ratings[part].append(reading.malignancy)
    level = np.zeros(count + 1, np.uint8)
    for part in range(1, count + 1):
        median = float(np.median(ratings[part]))
        level[part] = 3 if median > 3 else 1 if median < 3 else 2
    return level[parts]


def _by_plane(parts: NDArray[np.int64], planes: Sequence[Plane], cohort: ImageCohort) -> dict[str, NDArray[np.int64]]:
    """The parts as each plane was stored: turned once, not once per reading."""
    places = np.arange(parts.size).reshape(len(planes), *planes[0].pixels.shape)
    turned = stacked(planes, cohort.image.modality, dict(enumerate(places)))[2]
    assert turned is not None
    stored = np.zeros(parts.size, np.int64)
    stored[turned.ravel()] = parts.ravel()
    return dict(zip((plane.uid for plane in planes), stored.reshape(places.shape), strict=True))


def connected(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """Number of the connected part of each pixel, 0 outside, and how many parts there are."""
    parts = np.zeros(mask.shape, np.int64)
    count = ndimage.label(mask, np.ones((3,) * mask.ndim), output=parts)
    return parts, int(count)  # type: ignore[arg-type]


def _diameters(agreed: NDArray[np.bool_], spacing: tuple[float, float, float]) -> NDArray[np.float64]:
    """Of the largest nodule on each slice: diameter of the circle of equal area, mm; 0 without one."""
    areas = np.zeros(len(agreed))
    for place in np.flatnonzero(agreed.any(axis=(1, 2))):
        areas[place] = np.bincount(connected(agreed[place])[0].ravel())[1:].max() * spacing[1] * spacing[2]
    return 2 * np.sqrt(areas / np.pi)
