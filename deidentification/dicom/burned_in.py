"""Which images are likely to carry text in their pixels.

Belongs here: the rule. Does not belong here: finding the text (``pixels``).

References
----------
DICOM PS3.15 E.3.1 (Clean Pixel Data Option); PS3.4 B.5 (SOP classes).
"""

from pydicom import Dataset

RISKY_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.3.1": "ultrasound", "1.2.840.10008.5.1.4.1.1.6.1": "ultrasound",
    "1.2.840.10008.5.1.4.1.1.3": "ultrasound", "1.2.840.10008.5.1.4.1.1.6": "ultrasound",
    "1.2.840.10008.5.1.4.1.1.6.2": "ultrasound", "1.2.840.10008.5.1.4.1.1.6.3": "ultrasound",
    "1.2.840.10008.5.1.4.1.1.7": "secondary capture", "1.2.840.10008.5.1.4.1.1.7.1": "secondary capture",
    "1.2.840.10008.5.1.4.1.1.7.2": "secondary capture", "1.2.840.10008.5.1.4.1.1.7.3": "secondary capture",
    "1.2.840.10008.5.1.4.1.1.7.4": "secondary capture", "1.2.840.10008.5.1.4.1.1.12.1": "angiography",
    "1.2.840.10008.5.1.4.1.1.12.2": "fluoroscopy", "1.2.840.10008.5.1.4.1.1.12.3": "angiography",
    "1.2.840.10008.5.1.4.1.1.77.1.1": "endoscopy", "1.2.840.10008.5.1.4.1.1.77.1.1.1": "endoscopy",
    "1.2.840.10008.5.1.4.1.1.77.1.2": "microscopy", "1.2.840.10008.5.1.4.1.1.77.1.2.1": "microscopy",
    "1.2.840.10008.5.1.4.1.1.77.1.3": "microscopy", "1.2.840.10008.5.1.4.1.1.77.1.4": "photograph",
    "1.2.840.10008.5.1.4.1.1.77.1.4.1": "photograph", "1.2.840.10008.5.1.4.1.1.77.1.5.1": "ophthalmic photograph",
    "1.2.840.10008.5.1.4.1.1.12.1.1": "angiography", "1.2.840.10008.5.1.4.1.1.12.2.1": "fluoroscopy",
    "1.2.840.10008.5.1.4.1.1.13.1.1": "angiography", "1.2.840.10008.5.1.4.1.1.77.1.5.2": "ophthalmic photograph",
    "1.2.840.10008.5.1.4.1.1.77.1.5.5": "ophthalmic photograph",
    "1.2.840.10008.5.1.4.1.1.77.1.5.6": "ophthalmic photograph", "1.2.840.10008.5.1.4.1.1.77.1.7": "photograph",
    "1.2.840.10008.5.1.4.1.1.77.1.8": "microscopy", "1.2.840.10008.5.1.4.1.1.77.1.9": "microscopy",
    "1.2.840.10008.5.1.4.1.1.77.1.6": "slide with its label",
}  # fmt: skip
_CAPTURES = ("SCREEN", "CAPTURE", "SAVE", "REPORT", "DOSE", "PROTOCOL")


def burned_in_risk(dataset: Dataset) -> str | None:
    """Why an image is likely to carry burned-in text; ``None`` if it is not, or has no pixels."""
    if "PixelData" not in dataset:
        return None
    if str(dataset.get("BurnedInAnnotation") or "").strip().upper() == "YES":
        return "Burned In Annotation YES"
    if kind := RISKY_CLASSES.get(str(dataset.get("SOPClassUID") or "")):
        return kind
    image_type = str(dataset.get("ImageType") or "").upper()
    return "a screen capture" if any(word in image_type for word in _CAPTURES) else None
