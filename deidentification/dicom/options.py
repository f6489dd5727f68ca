"""Options of the Basic Application Level Confidentiality Profile, with their codes.

Belongs here: names and codes. Does not belong here: what an option changes (``profile``). Not offered: Retain
Longitudinal Full Dates, Retain Safe Private and Clean Recognizable Visual Features.

References
----------
DICOM PS3.15 E.3; PS3.16 CID 7050 (De-identification Method).
"""

from collections.abc import Iterable
from enum import Enum

from pydicom import Dataset

BASIC = ("113100", "Basic Application Confidentiality Profile")
FACES_CLEANED = ("113102", "Clean Recognizable Visual Features Option")


class Option(Enum):
    """An option of the profile; the value is its name on a command line."""

    CLEAN_PIXEL_DATA = "clean-pixel-data"
    CLEAN_GRAPHICS = "clean-graphics"
    CLEAN_STRUCTURED_CONTENT = "clean-structured-content"
    CLEAN_DESCRIPTORS = "clean-descriptors"
    RETAIN_MODIFIED_DATES = "retain-modified-dates"
    RETAIN_PATIENT_CHARACTERISTICS = "retain-patient-characteristics"
    RETAIN_DEVICE_IDENTITY = "retain-device-identity"
    RETAIN_UIDS = "retain-uids"
    RETAIN_INSTITUTION_IDENTITY = "retain-institution-identity"

    @property
    def code(self) -> str:
        """Code value in the scheme DCM."""
        return _CODES[self][0]

    @property
    def meaning(self) -> str:
        """Code meaning in the scheme DCM."""
        return _CODES[self][1]

    @property
    def column(self) -> str | None:
        """Column of the table of attributes; ``None`` for pixels, which no attribute's action describes."""
        return _CODES[self][2]


_CODES: dict[Option, tuple[str, str, str | None]] = {
    Option.CLEAN_PIXEL_DATA: ("113101", "Clean Pixel Data Option", None),
    Option.CLEAN_GRAPHICS: ("113103", "Clean Graphics Option", "graphics"),
    Option.CLEAN_STRUCTURED_CONTENT: ("113104", "Clean Structured Content Option", "structured"),
    Option.CLEAN_DESCRIPTORS: ("113105", "Clean Descriptors Option", "descriptors"),
    Option.RETAIN_MODIFIED_DATES: (
        "113107", "Retain Longitudinal Temporal Information Modified Dates Option", "modified_dates"
    ),
    Option.RETAIN_PATIENT_CHARACTERISTICS: ("113108", "Retain Patient Characteristics Option", "patient"),
    Option.RETAIN_DEVICE_IDENTITY: ("113109", "Retain Device Identity Option", "device"),
    Option.RETAIN_UIDS: ("113110", "Retain UIDs Option", "uids"),
    Option.RETAIN_INSTITUTION_IDENTITY: ("113112", "Retain Institution Identity Option", "institution"),
}  # fmt: skip


def method_codes(options: Iterable[Option], *, cleaned_faces: bool = False) -> list[Dataset]:
    """Items of De-identification Method Code Sequence (0012,0064): the profile, then the options by code.

    ``cleaned_faces``: whether the file said before that its faces were cleaned, which an image loader asks for.
    """
    faces = [FACES_CLEANED] if cleaned_faces else []
    codes = [BASIC, *sorted([*faces, *((option.code, option.meaning) for option in options)])]
    return [_code_item(value, meaning) for value, meaning in codes]


def _code_item(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item
