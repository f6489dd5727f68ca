"""The verifier finds each kind of leak when one is put back into a clean file, and quotes none."""

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pydicom
import pytest
from pydicom import DataElement, Dataset
from pydicom.config import disable_value_validation
from pydicom.data import get_testdata_file
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from deidentification.dicom.files import deidentify_file
from deidentification.dicom.options import Option
from deidentification.dicom.verifier import summary, verify

ORIGINAL = Path(get_testdata_file("CT_small.dcm", download=False)).read_bytes()  # type: ignore[arg-type]
SOURCE = pydicom.dcmread(io.BytesIO(ORIGINAL))
CLEAN = deidentify_file(ORIGINAL, key=b"k" * 32, options=frozenset()).data


def leaking(leak: Callable[[Dataset], object]) -> bytes:
    with disable_value_validation():
        dataset = pydicom.dcmread(io.BytesIO(CLEAN))
        leak(dataset)
        buffer = io.BytesIO()
        dataset.save_as(buffer)
    return buffer.getvalue()


def _nested(dataset: Dataset) -> None:
    item = Dataset()
    item.PatientComments = "x"
    dataset.AnatomicRegionSequence = [item]


def _private(dataset: Dataset) -> None:
    dataset.private_block(0x0099, "US", create=True).add_new(1, "LO", "x")


def _unknown(dataset: Dataset) -> None:
    dataset[0x00089999] = DataElement(0x00089999, "UN", b"xx")


def _overlay(dataset: Dataset) -> None:
    dataset[0x60020022] = DataElement(0x60020022, "LO", "x")


def test_a_clean_file_has_no_finding() -> None:
    assert verify(CLEAN, ORIGINAL).height == 0


@pytest.mark.parametrize(
    ("leak", "check", "tag"),
    [
        (lambda d: setattr(d, "PatientComments", "x"), "attribute left", "0010,4000"),
        (_nested, "attribute left", "0010,4000"),
        (lambda d: setattr(d, "AccessionNumber", "1"), "value left", "0008,0050"),
        (lambda d: setattr(d, "PatientID", SOURCE.PatientID), "value not replaced", "0010,0020"),
        (lambda d: setattr(d, "StudyInstanceUID", SOURCE.StudyInstanceUID), "UID left", "0020,000D"),
        (lambda d: setattr(d, "Manufacturer", SOURCE.FrameOfReferenceUID), "UID left", "0008,0070"),
        (lambda d: setattr(d, "ContentDate", SOURCE.ContentDate), "date left", "0008,0023"),
        (lambda d: setattr(d, "Manufacturer", f"for {SOURCE.PatientID}"), "identifier left", "0008,0070"),
        (lambda d: setattr(d, "Manufacturer", str(SOURCE.PatientName).lower()), "identifier left", "0008,0070"),
        (_private, "private element left", "private"),
        (_unknown, "unknown element left", "0008,9999"),
        (_overlay, "group left", "6002,xxxx"),
        (lambda d: setattr(d.file_meta, "SourceApplicationEntityTitle", "A"), "file meta left", "0002,0016"),
        (lambda d: setattr(d, "SOPInstanceUID", "1.2.3"), "file meta differs", "0002,0003"),
        (lambda d: d.pop("PatientIdentityRemoved"), "not declared", "0012,0062"),
        (lambda d: setattr(d, "preamble", b"x".ljust(128, b"\0")), "preamble not empty", "preamble"),
    ],
)
def test_a_leak_is_found(leak: Callable[[Dataset], object], check: str, tag: str) -> None:
    findings = verify(leaking(leak), ORIGINAL)
    assert (check, tag) in findings.select("check", "tag").rows()
    assert summary(findings)[check] >= 1


def test_planted_strings_are_found_in_pixels_and_in_deflated_files() -> None:
    def into_pixels(dataset: Dataset) -> None:
        dataset.PixelData = dataset.PixelData[:-8] + b"PLANTED!"

    def deflated(dataset: Dataset) -> None:
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        dataset.Manufacturer = "PLANTED!"

    for leak in (into_pixels, deflated):
        findings = verify(leaking(leak), planted=["PLANTED!", "absent"])
        assert summary(findings)["planted string left"] == 1


def test_findings_hold_no_value() -> None:
    table = verify(ORIGINAL, ORIGINAL)
    assert table.height > 20
    text = str(table.rows())
    assert str(SOURCE.PatientID) not in text
    assert str(SOURCE.StudyInstanceUID) not in text


def test_what_options_retain_is_not_a_finding_but_dates_left_are() -> None:
    options = frozenset({Option.RETAIN_MODIFIED_DATES, Option.RETAIN_UIDS, Option.RETAIN_PATIENT_CHARACTERISTICS})
    made = deidentify_file(ORIGINAL, key=b"k" * 32, options=options).data
    assert verify(made, ORIGINAL, options=options).height == 0
    assert date.fromisoformat(str(pydicom.dcmread(io.BytesIO(made)).StudyDate)) != date.fromisoformat(SOURCE.StudyDate)
    assert {"UID left", "attribute left"} <= set(verify(made, ORIGINAL)["check"])


def test_an_identifier_beside_letters_is_found() -> None:
    leak = leaking(lambda dataset: setattr(dataset, "ManufacturerModelName", f"MRN{SOURCE.PatientID}"))
    assert summary(verify(leak, ORIGINAL)) == {"identifier left": 1}


def test_a_part_of_a_name_in_a_code_and_a_class_of_their_own_are_found() -> None:
    source = pydicom.dcmread(io.BytesIO(ORIGINAL))
    source.PatientName = "Zzyxova^Chest"
    source.file_meta.MediaStorageSOPClassUID = source.SOPClassUID = UID("1.2.246.99")
    buffer = io.BytesIO()
    source.save_as(buffer)
    assert (
        verify(deidentify_file(buffer.getvalue(), key=b"k" * 32, options=frozenset()).data, buffer.getvalue()).height
        == 0
    )

    def leak(dataset: Dataset) -> None:
        dataset.ImageType, dataset.BodyPartExamined = ["ORIGINAL", "ZZYXOVA"], "CHEST"
        dataset.SOPClassUID = "1.2.246.99"

    found = verify(leaking(leak), buffer.getvalue())
    assert found.select("check", "tag").rows() == [("UID left", "0008,0016"), ("identifier left", "0008,0008")]


def test_a_file_may_be_deidentified_twice() -> None:
    twice = deidentify_file(CLEAN, key=b"l" * 32, options=frozenset()).data
    assert verify(twice, CLEAN).height == 0
    source = pydicom.dcmread(io.BytesIO(CLEAN))
    source.ContentCreatorName = "REMOVED"
    buffer = io.BytesIO()
    source.save_as(buffer)
    assert (
        verify(deidentify_file(buffer.getvalue(), key=b"l" * 32, options=frozenset()).data, buffer.getvalue()).height
        == 0
    )
