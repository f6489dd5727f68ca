"""Which images are asked for a look at their pixels: all classes whose name says so, and captures of screens."""

import pytest
from pydicom import Dataset
from pydicom._uid_dict import UID_dictionary

from deidentification.dicom.burned_in import RISKY_CLASSES, burned_in_risk

WORDS = ("Ultrasound", "Secondary Capture", "Angiograph", "XA ", "XRF", "Endoscop", "Photograph", "Microscop")


def test_every_class_of_pydicoms_list_that_is_named_so_is_risky() -> None:
    named = {
        uid
        for uid, (name, kind, *_) in UID_dictionary.items()
        if kind == "SOP Class" and "Image Storage" in name and any(word in name for word in WORDS)
    }
    assert len(named) > 20
    assert named <= set(RISKY_CLASSES)
    assert set(RISKY_CLASSES) <= set(UID_dictionary)


@pytest.mark.parametrize(
    ("attributes", "risky"),
    [
        ({}, False),
        ({"BurnedInAnnotation": "YES"}, True),
        ({"BurnedInAnnotation": "NO"}, False),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, True),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}, False),
    ],
)
def test_a_ct_is_risky_where_it_says_so(attributes: dict[str, object], risky: bool) -> None:
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    assert burned_in_risk(dataset) is None  # nothing to look at
    dataset.PixelData = b"\0\0"
    assert (burned_in_risk(dataset) is not None) is risky
