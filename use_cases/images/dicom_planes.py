"""The planes of one DICOM file: pixels in physical values, and where each plane lies in the patient.

Belongs here: single-frame, multi-frame and enhanced images; rescale, padding and inversion. Does not belong here: the
order of planes (``dicom_stack``).

References
----------
DICOM PS3.3: C.7.6.2 (image plane), C.7.6.16.2 (functional groups), C.7.6.3.1.2 (photometric interpretation),
C.7.5.1.1.2 (pixel padding), C.11.1 (modality LUT).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_modality_lut

from records.images import ImageSchema, IntensityUnit, Modality
from use_cases.images.report import SeriesError

_GREY = ("MONOCHROME1", "MONOCHROME2")


@dataclass(frozen=True)
class Plane:
    """One image plane.

    Parameters
    ----------
    pixels : numpy.ndarray of float32, [h, w]
    spacing : (float, float)
        Between rows and between columns, mm.
    position : numpy.ndarray, [3], or None
        Centre of the first pixel (LPS), mm; None in projections.
    orientation : numpy.ndarray, [6], or None
        Direction cosines of a row, then of a column.
    thickness : float
        mm.
    uid : str
        SOP Instance UID, to find marks that refer to it; never shown.
    frame : int
        Number of its frame in the file, from 1.
    """

    pixels: NDArray[np.float32]
    spacing: tuple[float, float]
    position: NDArray[np.float64] | None
    orientation: NDArray[np.float64] | None
    thickness: float
    uid: str
    frame: int = 1


def planes_of(file: Dataset, schema: ImageSchema) -> list[Plane]:
    """All planes of a file.

    Raises
    ------
    SeriesError
        Colour, damaged or unreadable pixels, CT without rescale, frames without a place.
    """
    stored = _stored(file)
    if "PerFrameFunctionalGroupsSequence" in file:
        frames = file.PerFrameFunctionalGroupsSequence
        if len(frames) != len(stored):
            raise SeriesError("describe each of its frames", "another number of descriptions", "export it again")
        described = enumerate(zip(frames, stored, strict=True), start=1)
        return [replace(_frame(file, frame, pixels, schema), frame=number) for number, (frame, pixels) in described]
    if len(stored) > 1:
        raise SeriesError("say where each frame lies", "a multi-frame image without", "export it as enhanced or single")
    rescaled = _physical(stored[0], _classic_rescale(file, stored[0], schema), file, schema)
    return [_placed(file, file, file, rescaled, schema)]


def _stored(file: Dataset) -> NDArray[Any]:
    """Stored values, [frames, h, w]."""
    if int(file.get("SamplesPerPixel", 1)) != 1 or file.get("PhotometricInterpretation") not in _GREY:
        raise SeriesError("be grey", "a colour image", "leave colour series out")
    try:
        pixels = file.pixel_array
    except (ValueError, AttributeError, KeyError, EOFError, IndexError):
        raise SeriesError("have whole pixel data", "a truncated file", "copy the series again") from None
    except (RuntimeError, NotImplementedError):
        rule = "have pixels that can be decompressed"
        remedy = "install the extra dicom, or copy the series again"
        raise SeriesError(rule, "a damaged file or a transfer syntax without a decoder", remedy) from None
    return pixels if pixels.ndim == 3 else pixels[None]


def _classic_rescale(file: Dataset, stored: NDArray[Any], schema: ImageSchema) -> NDArray[np.float32]:
    _refuse_other_units(file, schema)
    return apply_modality_lut(stored, file).astype(np.float32)


def _refuse_other_units(rescale: Dataset, schema: ImageSchema) -> None:
    """A CT without rescale, or with one that gives no Hounsfield units."""
    if schema.modality is not Modality.CT:
        return
    if "RescaleSlope" not in rescale or "RescaleIntercept" not in rescale:
        raise SeriesError("give rescale slope and intercept", "a CT without", "export it again with its rescale")
    if str(rescale.get("RescaleType", "HU")).upper() not in ("HU", ""):
        raise SeriesError("be in Hounsfield units", "another rescale type", "export the reconstruction in HU")


def _frame(file: Dataset, frame: Dataset, stored: NDArray[Any], schema: ImageSchema) -> Plane:
    rescale = group(file, frame, "PixelValueTransformationSequence") or Dataset()
    _refuse_other_units(rescale, schema)
    slope, intercept = float(rescale.get("RescaleSlope", 1)), float(rescale.get("RescaleIntercept", 0))
    pixels = _physical(stored, (stored * slope + intercept).astype(np.float32), file, schema)
    position, orientation, measures = (
        group(file, frame, name)
        for name in ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
    )
    if position is None or orientation is None or measures is None:
        raise SeriesError("say where each frame lies", "an enhanced image without", "export it again")
    return _placed(position, orientation, measures, pixels, schema, uid=str(file.get("SOPInstanceUID", "")))


def group(file: Dataset, frame: Dataset, name: str) -> Dataset | None:
    """A functional group of the frame, or the one that all frames share."""
    shared = file.get("SharedFunctionalGroupsSequence") or [Dataset()]
    items = frame.get(name) or shared[0].get(name)
    return items[0] if items else None


def _physical(
    stored: NDArray[Any], rescaled: NDArray[np.float32], file: Dataset, schema: ImageSchema
) -> NDArray[np.float32]:
    """Values in which more means brighter, padding at the window's low end.

    MONOCHROME1 only says how to *show* values: Hounsfield units stay as they are, others are turned over.
    """
    inverted = file.PhotometricInterpretation == "MONOCHROME1"
    if schema.unit is IntensityUnit.GREY:
        bits = int(file.BitsStored)
        low = -(2 ** (bits - 1)) if int(file.get("PixelRepresentation", 0)) else 0
        rescaled = ((stored.astype(np.float32) - low) / (2**bits - 1)).astype(np.float32)
        rescaled = 1 - rescaled if inverted else rescaled
    elif schema.unit is IntensityUnit.RELATIVE and inverted:
        rescaled = -rescaled
    padding = file.get("PixelPaddingValue")
    if padding is None or schema.unit is IntensityUnit.RELATIVE:
        return rescaled
    limit = file.get("PixelPaddingRangeLimit", padding)
    padded = (stored >= min(padding, limit)) & (stored <= max(padding, limit))
    return np.where(padded, np.float32(schema.window[0]), rescaled)


def _placed(
    position: Dataset, orientation: Dataset, measures: Dataset, pixels: NDArray[np.float32], schema: ImageSchema,
    uid: str = "",
) -> Plane:  # fmt: skip
    at = position.get("ImagePositionPatient")
    cosines = orientation.get("ImageOrientationPatient")
    spacing = measures.get("PixelSpacing") or measures.get("ImagerPixelSpacing")
    if schema.modality is not Modality.DX and (at is None or cosines is None or spacing is None):
        raise SeriesError("give position, orientation and spacing", "a plane without", "export it again")
    return Plane(
        pixels=pixels,
        spacing=(float(spacing[0]), float(spacing[1])) if spacing else (0.0, 0.0),
        position=None if at is None else np.array(at, float),
        orientation=None if cosines is None else np.array(cosines, float),
        thickness=float(measures.get("SliceThickness") or 1.0),
        uid=uid or str(position.get("SOPInstanceUID", "")),
    )
