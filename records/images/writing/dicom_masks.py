"""Masks of a synthetic series as one DICOM Segmentation.

Belongs here: segments and what they mean. Does not belong here: the images that they refer to (``dicom``).

References
----------
DICOM PS3.3 A.51 and C.8.20 (Segmentation). PS3.16 CID 7150 (categories) and 7151 (types); SNOMED CT codes.
"""

from collections.abc import Sequence

import highdicom
import numpy as np
from highdicom.seg import SegmentationTypeValues, SegmentDescription
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.coding import Code

from records.images.schema import ImageSchema
from records.images.writing.dicom_attributes import contributing_equipment, description, uid
from records.images.writing.facts import MANUFACTURER, MadeBy
from records.images.writing.values import SLICE_STEP

_CATEGORY = Code("49755003", "SCT", "Morphologically Altered Structure")
_TYPES = {
    "nodule": Code("27925004", "SCT", "Nodule"),
    "cancer": Code("108369006", "SCT", "Neoplasm"),
    "infarct": Code("55641003", "SCT", "Infarct"),
}
_FAMILY = Code("123110", "DCM", "Artificial Intelligence")
_LESION = Code("52988006", "SCT", "Lesion")


def segmentation(images: Sequence[Dataset], masks: NDArray[np.uint8], schema: ImageSchema, made_by: MadeBy) -> Dataset:
    """One segment for each mask value but 0; a series without a lesion has a segmentation without one.

    Parameters
    ----------
    images : sequence of n datasets
        The slices of one series.
    masks : numpy.ndarray of uint8, [n, h, w]
    """
    series = images[0].SeriesInstanceUID
    values = [value for value in sorted(schema.mask) if value]
    planes = np.stack([masks == value for value in values], axis=-1)
    made = highdicom.seg.Segmentation(
        source_images=images,
        pixel_array=planes,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[_segment(i, schema.mask[value], made_by) for i, value in enumerate(values, start=1)],
        series_instance_uid=uid(made_by, series, "masks"),
        series_number=1000 + int(images[0].SeriesNumber),
        sop_instance_uid=uid(made_by, series, "mask"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=made_by.generator,
        software_versions=made_by.version,
        device_serial_number=made_by.run,
        content_label="MASKS",
        content_description=made_by.words(schema)[:64],
        omit_empty_frames=False,
    )
    made.SyntheticData = "YES"
    made.SeriesDescription = f"{description(schema)} masks"[:64]
    made.BodyPartExamined = schema.body_part.upper()
    setattr(made, "ContributingEquipmentSequence", [contributing_equipment(schema, made_by)])  # noqa: B010
    _mend(made, schema)
    return made


def _mend(made: Dataset, schema: ImageSchema) -> None:
    """What the standard asks of a segmentation and its images leave empty."""
    if schema.spacing is None:
        made.PatientOrientation = None
    else:
        made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SliceThickness = SLICE_STEP


def _segment(number: int, name: str, made_by: MadeBy) -> SegmentDescription:
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name=made_by.generator, family=_FAMILY, version=made_by.version
    )
    return SegmentDescription(
        segment_number=number,
        segment_label=name[:64],
        segmented_property_category=_CATEGORY,
        segmented_property_type=next((code for word, code in _TYPES.items() if word in name.lower()), _LESION),
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm,
    )
