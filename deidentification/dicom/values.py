"""Dummy values that are valid for their value representation and tell nothing.

Belongs here: one value per VR. Does not belong here: UIDs (``uids``), sequences (``engine``).

References
----------
DICOM PS3.5 6.2.
"""

from typing import Any

TEXT = "REMOVED"
DUMMY_DATE, DUMMY_TIME = "19000101", "000000"
TEXT_VRS = frozenset({"LO", "SH", "ST", "LT", "UT", "UC", "PN", "CS", "AE", "UR"})
NUMBER_VRS = frozenset({"FL", "FD", "SS", "US", "SL", "UL", "SV", "UV", "AT"})
BINARY_VRS = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN"})
_DUMMIES: dict[str, Any] = {
    "AS": "000Y", "DA": DUMMY_DATE, "DT": DUMMY_DATE + DUMMY_TIME, "TM": DUMMY_TIME, "DS": "0", "IS": "0",
    "UR": "urn:removed",
    **dict.fromkeys(TEXT_VRS - {"UR"}, TEXT), **dict.fromkeys(NUMBER_VRS, 0), **dict.fromkeys(BINARY_VRS, bytes(8)),
}  # fmt: skip


def dummy(vr: str) -> Any:
    """A value for the VR; of an ambiguous one (``US or SS``) the first counts."""
    return _DUMMIES[vr.split(" or ")[0]]
