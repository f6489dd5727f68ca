"""Contents that no single value replaces: a report's tree, annotations drawn on an image.

Belongs here: what stands for a sequence that must not be empty, and annotations without text. Does not belong here:
the walk through items (``engine``).

References
----------
DICOM PS3.3 C.17.3 (SR Document Content), C.10.5 (Graphic Annotation); PS3.15 E.3.3.
"""

from collections.abc import Iterable

from pydicom import Dataset

from deidentification.dicom.values import TEXT

GRAPHIC_ANNOTATIONS = 0x00700001


def dummy_items(keyword: str) -> list[Dataset]:
    """One item that is valid for the sequence and tells nothing."""
    if keyword == "ContentSequence":
        return [_comment()]
    return [_code(TEXT, "99REMOVED", TEXT) if keyword.endswith("CodeSequence") else Dataset()]


def cleaned_annotations(items: Iterable[Dataset]) -> list[Dataset]:
    """Annotations with their drawn shapes and without their text objects; those of text alone go."""
    kept = []
    for item in items:
        if "TextObjectSequence" in item:
            del item.TextObjectSequence
        if item.get("GraphicObjectSequence"):
            kept.append(item)
    return kept


def _comment() -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType, item.TextValue = "CONTAINS", "TEXT", TEXT
    item.ConceptNameCodeSequence = [_code("121106", "DCM", "Comment")]
    return item


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code
