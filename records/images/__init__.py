"""Image cohorts as values: the schema of the images, the table of slices with their pixels, and its file.

Belongs here: types shared by loaders, simulators, synthesizers and metrics. Does not belong here: reading scanners'
files (``use_cases.images``), making images (``models``), or judging them (``metrics``).
"""

from records.images.schema import BodyPart, ImageSchema, IntensityUnit, Modality, PrivacyUnit, Refusing
from records.images.storage import ImageFile, read_images, write_images
from records.images.table import INDEX, PATIENT, SERIES, SLICE, STUDY, ImageTable
from records.images.validation import validate_images

__all__ = [
    "INDEX", "PATIENT", "SERIES", "SLICE", "STUDY",
    "BodyPart", "ImageFile", "ImageSchema", "ImageTable", "IntensityUnit", "Modality", "PrivacyUnit", "Refusing",
    "read_images", "validate_images", "write_images",
]  # fmt: skip
