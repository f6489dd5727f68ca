"""Reading by lengths agrees with pydicom on its own test files, and a file cut anywhere is refused."""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom import Dataset
from pydicom.data import get_testdata_file

from deidentification.dicom.errors import DicomError
from deidentification.dicom.walk import elements

NAMES = (
    "CT_small.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "image_dfl.dcm", "rtplan.dcm", "JPEG2000.dcm",
    "reportsi.dcm", "nested_priv_SQ.dcm", "UN_sequence.dcm", "examples_overlay.dcm", "rtdose_rle.dcm",
)  # fmt: skip


def file(name: str) -> bytes:
    return Path(get_testdata_file(name, download=False)).read_bytes()  # type: ignore[arg-type]


def tags(dataset: Dataset, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], int]]:
    for element in dataset:
        yield path, int(element.tag)
        if element.VR == "SQ":
            for item in element.value:
                yield from tags(item, (*path, int(element.tag)))


@pytest.mark.parametrize("name", NAMES)
def test_all_elements_are_found_at_every_depth(name: str) -> None:
    data = file(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sorted(tags(pydicom.dcmread(io.BytesIO(data))))
    found = [(e.path, e.tag) for e in elements(data) if e.tag >> 16 != 2 and (e.tag & 0xFFFF or e.tag >> 16 & 1)]
    assert sorted(found) == expected


def test_values_are_the_bytes_of_the_file() -> None:
    found = {e.tag: e.value for e in elements(file("CT_small.dcm"))}
    dataset = pydicom.dcmread(io.BytesIO(file("CT_small.dcm")))
    assert found[0x7FE00010] == dataset.PixelData
    assert found[0x00100010].strip().decode() == dataset.PatientName


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "rtplan.dcm", "JPEG2000.dcm", "MR_small_implicit.dcm", "image_dfl.dcm"]
)
def test_a_file_cut_within_an_element_is_refused(name: str) -> None:
    data = file(name)
    whole = [(e.path, e.tag, e.value) for e in elements(data)]
    for cut in range(140, len(data) - 1, max(1, len(data) // 60)):
        try:
            read = [(e.path, e.tag, e.value) for e in elements(data[:cut])]
        except DicomError:
            continue
        assert read == whole[: len(read)]  # it ended between two elements


def test_what_is_no_dicom_file_is_refused() -> None:
    for data in (b"", b"DICM", bytes(200), b"%PDF-1.7" * 30):
        with pytest.raises(DicomError, match="no DICM prefix"):
            list(elements(data))


@pytest.mark.parametrize("cut", [9, 10])  # eight bytes follow the deflated stream
def test_a_deflated_file_without_its_end_is_refused(cut: int) -> None:
    with pytest.raises(DicomError, match="deflated"):
        list(elements(file("image_dfl.dcm")[:-cut]))
