"""Attributes of a synthetic DICOM image, module by module.

Belongs here: what PS3.3 asks of CT, MR and Secondary Capture images that no scanner made. Does not belong here: pixels,
files and masks. What an acquisition would have told (dates, voltage, echo time, position on the table) is left empty
where the standard allows: there was none.

A projection is a Secondary Capture of conversion type SYN (synthetic image): a Digital X-Ray Image would have to state a
detector and its pitch. MR is Research Mode: the only scanning sequence that claims none.

References
----------
DICOM PS3.3 2024: A.3 (CT), A.4 (MR), A.8.1 (Secondary Capture); C.7.1.1 to C.7.6.3, C.8.2.1, C.8.3.1, C.8.6.1, C.11.2;
C.12.1.1 with Synthetic Data (0008,001C), whose note names Contributing Equipment with (109100, DCM, "Synthesizing
Equipment"). PS3.5 B.2 (UIDs from UUIDs).
"""

import uuid

from pydicom import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage, SecondaryCaptureImageStorage
from pydicom.valuerep import format_number_as_ds

from records.errors import ParameterError
from records.images.schema import ImageSchema, Modality
from records.images.writing.facts import MANUFACTURER, MadeBy
from records.images.writing.values import Scale, hounsfield, share_of_range, unsigned

_NAMESPACE = uuid.UUID("6f0e3d5c-4f0b-5c1e-9d3b-0a8f4f8a6a11")
_CLASSES = {
    Modality.CT: CTImageStorage, Modality.MR: MRImageStorage, Modality.DX: SecondaryCaptureImageStorage,
}  # fmt: skip
_SCALES = {Modality.CT: hounsfield, Modality.MR: unsigned, Modality.DX: share_of_range}
_EMPTY = (
    "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber",
)  # fmt: skip


def uid(made_by: MadeBy, *names: object) -> str:
    """A new UID: the same for the same run and names, and for no others."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, '/'.join([made_by.run, *map(str, names)])).int}"


def scale_of(schema: ImageSchema) -> Scale:
    """How the modality stores the schema's intensities.

    Raises
    ------
    ParameterError
        The modality has no standard way to hold them.
    """
    if schema.modality is not Modality.DX and schema.spacing is None:
        raise ParameterError(
            f"{schema.name} must have a spacing to be a {schema.modality}, got none; write it as PNG, or state it"
        )
    return _SCALES[schema.modality](schema)


def shared_attributes(schema: ImageSchema, made_by: MadeBy) -> Dataset:
    """What all images of a folder have in common."""
    image = Dataset()
    for name in _EMPTY:
        setattr(image, name, None)
    image.SOPClassUID = _CLASSES[schema.modality]
    _synthetic(image, schema, made_by)
    _series(image, schema, made_by)
    _image(image, schema)
    {Modality.CT: _ct, Modality.MR: _mr, Modality.DX: _secondary_capture}[schema.modality](image, schema)
    _pixels(image, schema, scale_of(schema))
    return image


def _synthetic(image: Dataset, schema: ImageSchema, made_by: MadeBy) -> None:
    """SOP Common."""
    image.SyntheticData = "YES"
    image.ContributingEquipmentSequence = [contributing_equipment(schema, made_by)]


def contributing_equipment(schema: ImageSchema, made_by: MadeBy) -> Dataset:
    """The generator as the equipment that synthesized the data."""
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [coded("109100", "DCM", "Synthesizing Equipment")]
    item.Manufacturer = MANUFACTURER
    item.ManufacturerModelName = made_by.generator
    item.SoftwareVersions = made_by.version
    item.ContributionDescription = made_by.words(schema)
    return item


def decimals(*values: float) -> list[str]:
    """Decimal strings, which hold at most 16 characters."""
    return [format_number_as_ds(value) for value in values]


def coded(value: str, scheme: str, meaning: str) -> Dataset:
    """A coded concept."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _series(image: Dataset, schema: ImageSchema, made_by: MadeBy) -> None:
    """General Series and General Equipment."""
    image.Modality = schema.modality.value
    image.SeriesDescription = description(schema)
    image.BodyPartExamined = schema.body_part.upper()
    image.Manufacturer = MANUFACTURER
    image.ManufacturerModelName = made_by.generator
    image.SoftwareVersions = made_by.version
    image.ImageComments = made_by.words(schema)


def description(schema: ImageSchema) -> str:
    """Series description: at most 64 characters, and what matters first."""
    return f"SYNTHETIC{' PHANTOM' if schema.phantom else ''} {schema.name}"[:64]


def _image(image: Dataset, schema: ImageSchema) -> None:
    """General Image."""
    image.DerivationDescription = "synthesized, not acquired"
    image.BurnedInAnnotation = "NO"
    image.RecognizableVisualFeatures = "NO"
    image.LossyImageCompression = "00"
    image.QualityControlImage = "YES" if schema.phantom else "NO"


def _plane(image: Dataset, schema: ImageSchema) -> None:
    """Frame of Reference and Image Plane; the position is each slice's own."""
    assert schema.spacing is not None
    image.PositionReferenceIndicator = None
    image.PatientPosition = None
    image.PixelSpacing = decimals(*schema.spacing)
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.SliceThickness = None


def _ct(image: Dataset, schema: ImageSchema) -> None:
    _plane(image, schema)
    image.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    image.KVP = None
    image.AcquisitionNumber = None
    image.RescaleIntercept, image.RescaleSlope, image.RescaleType = 0, 1, "HU"


def _mr(image: Dataset, schema: ImageSchema) -> None:
    _plane(image, schema)
    image.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    image.ScanningSequence, image.SequenceVariant = "RM", "NONE"
    for name in ("ScanOptions", "MRAcquisitionType", "RepetitionTime", "EchoTime", "EchoTrainLength"):
        setattr(image, name, None)


def _secondary_capture(image: Dataset, schema: ImageSchema) -> None:
    image.ImageType = ["DERIVED", "SECONDARY"]
    image.ConversionType = "SYN"
    image.PatientOrientation = None
    if schema.spacing is not None:
        image.PixelSpacing = decimals(*schema.spacing)


def _pixels(image: Dataset, schema: ImageSchema, scale: Scale) -> None:
    """Image Pixel, VOI LUT, and the meaning of stored numbers where no Modality LUT may say it."""
    image.Rows, image.Columns = schema.size
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit = 15
    image.PixelRepresentation = int(schema.modality is Modality.CT)
    low, high = scale.window
    # C.11.2.1.2.1: the linear function reaches the ends at center - 0.5 -+ (width - 1) / 2
    image.WindowCenter, image.WindowWidth = (low + high + 1) / 2, high - low + 1
    image.WindowCenterWidthExplanation = "public window"
    if schema.modality is not Modality.CT:
        image.RealWorldValueMappingSequence = [_real_world(schema, scale)]


def _real_world(schema: ImageSchema, scale: Scale) -> Dataset:
    mapping = Dataset()
    mapping.RealWorldValueFirstValueMapped, mapping.RealWorldValueLastValueMapped = scale.window
    mapping.RealWorldValueIntercept, mapping.RealWorldValueSlope = scale.intercept, scale.slope
    mapping.LUTLabel, mapping.LUTExplanation = schema.unit.upper(), f"{schema.unit} intensity"
    mapping.MeasurementUnitsCodeSequence = [coded("1", "UCUM", "no units")]
    return mapping
