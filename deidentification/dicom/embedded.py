"""Overlays of old files that hide in the unused bits of pixels.

Belongs here: clearing those bits. Does not belong here: overlays of their own (the engine removes groups 60xx).

References
----------
DICOM PS3.5 8.1.1 (unused high bits); PS3.3 C.9.2 (Overlay Plane, Overlay Bit Position).
"""

import numpy as np
from pydicom import FileDataset

from deidentification.dicom.errors import DicomError


def without_embedded_overlays(dataset: FileDataset) -> None:
    """Clear the bits outside of those stored, with the sign carried up; compressed pixels have none."""
    allocated, stored = dataset.get("BitsAllocated"), dataset.get("BitsStored")
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated or allocated not in (8, 16, 32) or stored == allocated:
        return
    high = dataset.get("HighBit")
    if not isinstance(stored, int) or not isinstance(high, int) or not 0 < stored <= high + 1 <= allocated:
        raise DicomError("Bits Stored and High Bit must fit Bits Allocated, got others; mend the file at the source")
    order = "<" if dataset.original_encoding[1] else ">"
    words = np.frombuffer(dataset.PixelData, dtype=np.dtype(f"u{allocated // 8}").newbyteorder(order))
    shift = high + 1 - stored
    values = words >> shift & (1 << stored) - 1
    if dataset.get("PixelRepresentation"):
        values = np.where(values >> (stored - 1), values | ((1 << allocated) - (1 << stored)), values)
    cleared = (values << shift & (1 << allocated) - 1).astype(words.dtype)
    if not np.array_equal(cleared, words):
        dataset["PixelData"].value = cleared.tobytes()
