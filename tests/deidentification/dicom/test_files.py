"""Single files: bad ones are refused by name, good ones are valid, say what was done, and keep their pixels."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.config import disable_value_validation
from pydicom.data import get_testdata_file
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID

from deidentification.dicom.embedded import without_embedded_overlays
from deidentification.dicom.errors import DicomError
from deidentification.dicom.files import deidentify_file
from deidentification.dicom.options import Option
from records.errors import ParameterError

KEY = b"k" * 32


def file(name: str) -> bytes:
    return Path(get_testdata_file(name, download=False)).read_bytes()  # type: ignore[arg-type]


def edited(name: str, edit: Callable[[Dataset], object]) -> bytes:
    with warnings.catch_warnings(), disable_value_validation():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(io.BytesIO(file(name)))
        edit(dataset)
        buffer = io.BytesIO()
        dataset.save_as(buffer)
    return buffer.getvalue()


def run(data: bytes, *options: Option, allow: bool = False) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what comes out must be read without a warning
        made = deidentify_file(data, key=KEY, options=frozenset(options), allow_burned_in=allow)
        return pydicom.dcmread(io.BytesIO(made.data))


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR_small_RLE.dcm", "image_dfl.dcm", "JPEG2000.dcm"]
)  # fmt: skip
def test_pixels_and_transfer_syntax_stay(name: str) -> None:
    before, after = pydicom.dcmread(io.BytesIO(file(name))), run(file(name), allow=True)
    assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    assert np.array_equal(after.pixel_array, before.pixel_array)
    assert len(after.PixelData) == len(before.PixelData)


def test_it_says_what_was_done() -> None:
    after = run(file("CT_small.dcm"), Option.RETAIN_MODIFIED_DATES, Option.CLEAN_DESCRIPTORS)
    assert after.PatientIdentityRemoved == "YES"
    assert after.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [(item.CodeValue, item.CodingSchemeDesignator) for item in after.DeidentificationMethodCodeSequence]
    assert codes == [("113100", "DCM"), ("113105", "DCM"), ("113107", "DCM")]
    assert "BurnedInAnnotation" not in after
    assert run(file("CT_small.dcm")).LongitudinalTemporalInformationModified == "REMOVED"


@pytest.mark.parametrize(("said", "kept"), [("113102", ["113100", "113102"]), ("113105", ["113100"])])
def test_an_earlier_statement_that_faces_were_cleaned_stays(said: str, kept: list[str]) -> None:
    def state(dataset: Dataset) -> None:
        method = Dataset()
        method.CodeValue, method.CodingSchemeDesignator, method.CodeMeaning = said, "DCM", "Smith"
        dataset.DeidentificationMethodCodeSequence = [method]

    after = run(edited("CT_small.dcm", state))
    assert [item.CodeValue for item in after.DeidentificationMethodCodeSequence] == kept
    assert "Smith" not in str(after)


def test_file_meta_is_made_anew_and_agrees() -> None:
    def plant(dataset: Dataset) -> None:
        dataset.file_meta.SourceApplicationEntityTitle = "WARD7"
        dataset.file_meta.PrivateInformationCreatorUID = UID("1.2.3")
        dataset.file_meta.PrivateInformation = b"Smith"
        dataset.preamble = b"Smith".ljust(128, b"\0")  # type: ignore[attr-defined]

    after = run(edited("CT_small.dcm", plant))
    assert not {"SourceApplicationEntityTitle", "PrivateInformation"} & set(after.file_meta.dir())
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert after.file_meta.ImplementationClassUID != PYDICOM_IMPLEMENTATION_UID
    assert not any(after.preamble or b"")


def _bits(dataset: Dataset) -> None:
    dataset.BitsStored, dataset.HighBit = 12, 3


def _no_syntax(dataset: Dataset) -> None:
    dataset.file_meta.TransferSyntaxUID = UID("1.2.840.113619.5.2")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (file("CT_small.dcm")[:-100], "must be whole"),
        (file("MR_truncated.dcm"), "must be whole"),
        (file("rtplan_truncated.dcm"), "must be whole"),
        (b"no DICOM", "no DICM prefix"),
        (file("dicomdirtests/DICOMDIR"), "got a DICOMDIR"),
        (edited("CT_small.dcm", _no_syntax), "transfer syntax must be one of"),
        (edited("CT_small.dcm", lambda d: d.pop("StudyInstanceUID")), "got none in StudyInstanceUID"),
        (edited("CT_small.dcm", lambda d: setattr(d, "SOPInstanceUID", "")), "got none in SOPInstanceUID"),
        (edited("CT_small.dcm", lambda d: setattr(d, "SpecificCharacterSet", "KLINGON")), "character set must be"),
        (edited("CT_small.dcm", lambda d: setattr(d, "BurnedInAnnotation", "YES")), "got Burned In Annotation YES"),
        (edited("CT_small.dcm", lambda d: setattr(d, "ImageType", ["DERIVED", "SECONDARY", "SCREEN SAVE"])), "screen capture"),
        (file("SC_rgb_small_odd.dcm"), "secondary capture without the option clean-pixel-data"),
        (edited("CT_small.dcm", _bits), "must fit Bits Allocated"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_by_name(data: bytes, message: str) -> None:
    with pytest.raises(DicomError, match=message):
        run(data)


def test_pixels_that_cannot_be_cleaned_are_refused() -> None:
    def floating(dataset: Dataset) -> None:
        del dataset.PixelData
        dataset.FloatPixelData = bytes(64)

    with pytest.raises(DicomError, match="must be integers to be cleaned"):
        run(edited("CT_small.dcm", floating), Option.CLEAN_PIXEL_DATA)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ParameterError, match="at least 16 bytes"):
        deidentify_file(file("CT_small.dcm"), key=b"k", options=frozenset())


def test_private_sequences_within_private_sequences_go() -> None:
    def name_it(dataset: Dataset) -> None:
        dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.1"
        dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")

    after = run(edited("nested_priv_SQ.dcm", name_it))
    assert not [element.tag for element in after if element.tag.is_private]


def test_overlays_in_unused_bits_of_pixels_are_cleared_and_values_stay() -> None:
    dataset = pydicom.dcmread(io.BytesIO(file("MR_small.dcm")))
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 0
    values = dataset.pixel_array & 0x0FFF
    dataset.PixelData = (values | 0x8000).astype("<u2").tobytes()
    without_embedded_overlays(dataset)
    assert np.array_equal(np.frombuffer(dataset.PixelData, "<u2").reshape(values.shape), values)


def test_what_follows_the_last_pixel_is_cleared() -> None:
    secret = b"VIRTANEN MATTI  "
    data = edited("CT_small.dcm", lambda d: setattr(d, "PixelData", d.PixelData + secret))
    made = deidentify_file(data, key=KEY, options=frozenset()).data
    assert secret in data
    assert secret not in made
    before = pydicom.dcmread(io.BytesIO(file("CT_small.dcm"))).PixelData
    assert pydicom.dcmread(io.BytesIO(made)).PixelData == before + bytes(len(secret))


def test_signed_pixels_keep_their_sign() -> None:
    dataset = pydicom.dcmread(io.BytesIO(file("MR_small.dcm")))
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 1
    dataset.PixelData = np.arange(-2048, 2048, dtype="<i2").tobytes()
    before = dataset.PixelData
    without_embedded_overlays(dataset)
    assert dataset.PixelData == before
