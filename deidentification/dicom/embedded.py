"""What hides beside pixel values: overlays of old files in unused bits, and bytes after the last pixel.

Belongs here: clearing those. Does not belong here: overlays of their own (the engine removes groups 60xx).

References
----------
DICOM PS3.5 8.1.1 (unused high bits); PS3.3 C.9.2 (Overlay Plane, Overlay Bit Position).
"""

import numpy as np
from pydicom import FileDataset
from pydicom.pixels.utils import get_expected_length

from deidentification.dicom.errors import DicomError

_COUNTS = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")


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


def without_excess(dataset: FileDataset) -> None:
    """Fill what follows the last pixel with zeros, the length kept; compressed pixels have a table of their own."""
    counts = [dataset.get(name) for name in _COUNTS] + [dataset.get("NumberOfFrames") or 1]
    sized = all(isinstance(count, int) for count in counts) and "PhotometricInterpretation" in dataset
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated or not sized:
        return
    used, data = get_expected_length(dataset), dataset.PixelData
    if any(data[used:]):
        dataset["PixelData"].value = data[:used] + bytes(len(data) - used)
