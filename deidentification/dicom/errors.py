"""Why one DICOM file was refused.

Belongs here: the error of one file. Does not belong here: errors of a whole run (``records.errors``).
"""

from records.errors import PhaseIVError


class DicomError(PhaseIVError):
    """One file cannot be de-identified; nothing is written for it. Never holds a value of the file."""


class OptedOutError(DicomError):
    """The file is of a patient who opted out: nothing is written for it, and nothing is wrong with it."""
