"""Pixels of pydicom's own compressed files against its uncompressed twins, and refusals of its bad files."""

from types import SimpleNamespace

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from records.images import IntensityUnit, Modality
from use_cases.images.dicom_planes import planes_of
from use_cases.images.dicom_stack import stacked
from use_cases.images.report import SeriesError

_MR = SimpleNamespace(modality=Modality.MR, unit=IntensityUnit.RELATIVE, window=(0.0, 1.0))
_CT = SimpleNamespace(modality=Modality.CT, unit=IntensityUnit.HU, window=(-1000.0, 400.0))
_GREY = SimpleNamespace(modality=Modality.MR, unit=IntensityUnit.GREY, window=(0.0, 1.0))


def _file(name):
    return dcmread(get_testdata_file(name, download=False))


def _pixels(file, schema):
    (plane,) = planes_of(file, schema)
    return plane.pixels


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_bigendian.dcm",
        "MR_small_implicit.dcm", "MR_small_expb.dcm", "MR_small_padded.dcm",
    ],
)  # fmt: skip
def test_lossless_syntaxes_equal_the_uncompressed_twin(name):
    assert np.array_equal(_pixels(_file(name), _MR), _pixels(_file("MR_small.dcm"), _MR))


def test_rescale_of_signed_values_gives_hounsfield_units():
    file = _file("CT_small.dcm")
    expected = np.frombuffer(file.PixelData, "<i2").reshape(128, 128) * float(file.RescaleSlope)
    assert np.array_equal(_pixels(file, _CT), (expected + float(file.RescaleIntercept)).astype(np.float32))


def test_monochrome1_turns_grey_but_not_hounsfield_units():
    plain, turned = _file("MR_small.dcm"), _file("MR_small.dcm")
    turned.PhotometricInterpretation = "MONOCHROME1"
    assert np.allclose(_pixels(turned, _GREY), 1 - _pixels(plain, _GREY))
    assert np.array_equal(_pixels(turned, _MR), -_pixels(plain, _MR))
    head, shown = _file("CT_small.dcm"), _file("CT_small.dcm")
    shown.PhotometricInterpretation = "MONOCHROME1"
    assert np.array_equal(_pixels(shown, _CT), _pixels(head, _CT))


def test_padding_becomes_the_low_end_of_the_window():
    file = _file("CT_small.dcm")
    stored = file.pixel_array.copy()
    file.PixelPaddingValue, file.PixelPaddingRangeLimit = int(stored.min()), int(stored.min()) + 5
    pixels = _pixels(file, _CT)
    assert (pixels[stored <= stored.min() + 5] == -1000).all()
    outside = stored > stored.min() + 5
    assert np.array_equal(pixels[outside], _pixels(_file("CT_small.dcm"), _CT)[outside])


@pytest.mark.parametrize(("name", "rule"), [("MR_truncated.dcm", "whole"), ("SC_rgb_rle.dcm", "grey")])
def test_truncated_and_colour_files_are_refused(name, rule):
    with pytest.raises(SeriesError, match=rule):
        planes_of(_file(name), _MR)


def test_ct_without_rescale_is_refused():
    file = _file("CT_small.dcm")
    del file.RescaleSlope
    with pytest.raises(SeriesError, match="rescale"):
        planes_of(file, _CT)


def _enhanced():
    """A perfusion map of two frames, told to be in Hounsfield units."""
    file = _file("eCT_Supplemental.dcm")
    file.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence[0].RescaleType = "HU"
    return file


def test_frames_of_an_enhanced_file_lie_where_their_functional_groups_say():
    file = _enhanced()
    planes = planes_of(file, _CT)
    stored = np.frombuffer(file.PixelData, "<u2" if file.PixelRepresentation == 0 else "<i2").reshape(2, 512, 512)
    assert np.array_equal(np.stack([plane.pixels for plane in planes]), stored.astype(np.float32) - 1024)
    pixels, spacing, _ = stacked(planes[::-1], Modality.CT)
    # rows of this file run from the patient's left to right: columns turn over, slices rise from -159 to -149 mm
    assert np.array_equal(pixels, (stored.astype(np.float32) - 1024)[:, :, ::-1])
    assert spacing == pytest.approx((10.0, 0.388672, 0.388672))


def test_an_enhanced_ct_in_other_units_is_refused():
    with pytest.raises(SeriesError, match="Hounsfield"):
        planes_of(_file("eCT_Supplemental.dcm"), _CT)


def _without_rescale(file):
    del file.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence[0].RescaleSlope


def _without_place(file):
    del file.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence


def _with_a_frame_less(file):
    del file.PerFrameFunctionalGroupsSequence[1]


@pytest.mark.parametrize(
    ("change", "rule"),
    [(_without_rescale, "rescale"), (_without_place, "where each frame"), (_with_a_frame_less, "each of its frames")],
)
def test_incomplete_functional_groups_are_refused(change, rule):
    file = _enhanced()
    change(file)
    with pytest.raises(SeriesError, match=rule):
        planes_of(file, _CT)


def test_frames_without_functional_groups_are_refused():
    with pytest.raises(SeriesError, match="where each frame"):
        planes_of(_file("emri_small.dcm"), _MR)
