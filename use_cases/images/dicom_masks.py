"""Masks of a series from DICOM Segmentations: which segment marks which pixel of which plane.

Belongs here: frames of segmentations laid on the planes of images. Does not belong here: the images (``dicom_planes``), or which
segmentation belongs to which series (``dicom``).

A frame belongs to the one plane that it names; if it names several or none, to that of them in whose place it lies. A segment is known by its label, or by the
meaning of its property type, as the codebook names its mask values; other segments are left out.

References
----------
DICOM PS3.3 A.51 and C.8.20 (Segmentation), C.7.6.16.2.6 (derivation image), C.8.20.2.3 (fractional values), label maps by
Supplement 243.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from records.images import ImageSchema
from use_cases.images.dicom_planes import Plane, group
from use_cases.images.report import SeriesError

SAME_MM, SAME_DIRECTION = 0.01, 1e-3
Marks = dict[int, NDArray[np.uint8]]


def masks_of(files: Iterable[Dataset], planes: Sequence[Plane], schema: ImageSchema) -> Marks:
    """Mask of each marked plane by its place among ``planes``.

    Parameters
    ----------
    files : iterable of datasets
        Segmentations of one series, with their pixels.

    Raises
    ------
    SeriesError
        No segment is one of the codebook, segments overlap, masks are of another size than the images, or a frame names
        several images and no place.
    """
    made: Marks = {}
    known = 0
    for file in files:
        values = _values(file, schema)
        known += len(values)
        for frame, number, marked in _frames(file):
            if number in values:
                for place in _places_of(file, frame, planes):
                    _mark(made, place, planes[place], marked, values[number])
    if not known:
        names = ", ".join(name for value, name in schema.mask.items() if value)
        raise SeriesError(f"have segments named {names}", "others", "name them in the codebook's mask as the files do")
    return made


def _values(file: Dataset, schema: ImageSchema) -> dict[int, int]:
    """Mask value of each segment that the codebook knows, by segment number."""
    value_of = {name.casefold(): value for value, name in schema.mask.items() if value}
    found = {}
    for segment in file.SegmentSequence:
        kinds = segment.get("SegmentedPropertyTypeCodeSequence") or [Dataset()]
        for words in (segment.get("SegmentLabel", ""), kinds[0].get("CodeMeaning", "")):
            if (value := value_of.get(str(words).strip().casefold())) is not None:
                found.setdefault(int(segment.SegmentNumber), value)
    return found


def _frames(file: Dataset) -> Iterator[tuple[Dataset, int, NDArray[np.bool_]]]:
    """Each frame with a segment's number and the pixels of that segment; a label map has all segments in one frame."""
    stored = file.pixel_array
    stored = stored if stored.ndim == 3 else stored[None]
    frames, kind = file.PerFrameFunctionalGroupsSequence, str(file.SegmentationType)
    if len(frames) != len(stored):
        raise SeriesError("describe each of its frames", "another number of descriptions", "export it again")
    for frame, pixels in zip(frames, stored, strict=True):
        if kind == "LABELMAP":
            for number in np.unique(pixels[pixels > 0]).tolist():
                yield frame, int(number), pixels == number
            continue
        least = int(file.MaximumFractionalValue) / 2 if kind == "FRACTIONAL" else 1
        segment = group(file, frame, "SegmentIdentificationSequence")
        if segment is None:
            raise SeriesError("say which segment each frame shows", "a segmentation without", "export it again")
        yield frame, int(segment.ReferencedSegmentNumber), pixels >= least


def _places_of(file: Dataset, frame: Dataset, planes: Sequence[Plane]) -> list[int]:
    """The plane that the frame names, or those that lie where it lies."""
    named = _named(frame)
    found = [i for i, plane in enumerate(planes) if any(_names(image, plane) for image in named)]
    if named and len(found) < 2:
        return found
    place, turn = (group(file, frame, name) for name in ("PlanePositionSequence", "PlaneOrientationSequence"))
    if place is None or turn is None:
        if named:
            rule = "have segmentations whose frames say on which image they lie"
            raise SeriesError(rule, "one that names several and no place", "export it with the place of each frame")
        return []
    position = np.array(place.ImagePositionPatient, float)
    direction = np.array(turn.ImageOrientationPatient, float)
    return [i for i in found or range(len(planes)) if _lies(planes[i], position, direction)]


def _named(frame: Dataset) -> list[Dataset]:
    """References to the images that the frame was drawn on."""
    derived = frame.get("DerivationImageSequence") or []
    return [image for one in derived for image in one.get("SourceImageSequence") or []]


def _names(image: Dataset, plane: Plane) -> bool:
    """Whether a reference means the plane; one without numbers of frames means all frames of its file."""
    numbers = image.get("ReferencedFrameNumber") or plane.frame
    numbers = [numbers] if isinstance(numbers, int) else numbers
    return str(image.ReferencedSOPInstanceUID) == plane.uid and plane.frame in map(int, numbers)


def _lies(plane: Plane, position: NDArray[np.float64], direction: NDArray[np.float64]) -> bool:
    return (
        plane.position is not None
        and plane.orientation is not None
        and bool(np.abs(plane.position - position).max() <= SAME_MM)
        and bool(np.abs(plane.orientation - direction).max() <= SAME_DIRECTION)
    )


def _mark(made: Marks, place: int, plane: Plane, marked: NDArray[np.bool_], value: int) -> None:
    if marked.shape != plane.pixels.shape:
        raise SeriesError(
            "have masks of the images' size", "a segmentation of another", "draw it on the images themselves"
        )
    mask = made.setdefault(place, np.zeros(plane.pixels.shape, np.uint8))
    if ((mask != 0) & (mask != value) & marked).any():
        raise SeriesError("have segments that do not overlap", "pixels of two", "choose one segment in the codebook")
    mask[marked] = value
