"""Synthetic images as files for other programs: DICOM, NIfTI with JSON, and PNG, each a folder written whole.

Belongs here: formats out, each saying in its own terms that the images are synthetic, who made them and at what
privacy. Does not belong here: our own file (``records.images.storage``), reading formats in (``use_cases.images``), or
whether the images may be released at all (the gate). The libraries of DICOM and NIfTI are loaded when they are needed.
"""

from records.images.writing.facts import MadeBy
from records.images.writing.folders import Format, formats_of, write_folder

__all__ = ["Format", "MadeBy", "formats_of", "write_folder"]
