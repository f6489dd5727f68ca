"""Image cohorts from files as hospitals and publications keep them: DICOM, NIfTI, MetaImage, PNG and NPZ.

Belongs here: folders in, one image table and a report of what was refused out. Does not belong here: de-identifying
DICOM files (``deidentification.dicom``) or simulating images (``models.phantoms``).
"""

from use_cases.images.codebook import ImageCohort, load_image_codebook
from use_cases.images.loading import Loaded, load_images
from use_cases.images.report import LoadReport, Refusal, SeriesError

__all__ = ["ImageCohort", "LoadReport", "Loaded", "Refusal", "SeriesError", "load_image_codebook", "load_images"]
