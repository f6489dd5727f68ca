"""Comments in compressed frames are blanked, and the frames still decode to the same pixels."""

import io
import struct

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames

from deidentification.dicom.codestream import without_comments
from deidentification.dicom.files import deidentify_file

SECRET = b"VIRTANEN MATTI"
SEGMENTS = {
    "SC_rgb_small_odd_jpeg.dcm": (b"\xff\xfe", SECRET),
    "JPGExtended.dcm": (b"\xff\xe1", b"Exif\0\0" + SECRET),
    "JPEG2000.dcm": (b"\xff\x64", b"\0\1" + SECRET),
}


def commented(name: str) -> bytes:
    """A test file with the segment put into the header of each frame."""
    marker, text = SEGMENTS[name]
    segment = marker + struct.pack(">H", len(text) + 2) + text
    dataset = pydicom.dcmread(get_testdata_file(name, download=False))  # type: ignore[arg-type]
    after = 2
    frames = []
    for frame in generate_frames(dataset.PixelData, number_of_frames=1):
        if name.startswith("JPEG2000"):
            after = 4 + struct.unpack_from(">H", frame, 4)[0]  # the size segment comes first
        frames.append(frame[:after] + segment + frame[after:])
    dataset.PixelData = encapsulate(frames)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("name", SEGMENTS)
def test_comments_are_blanked_and_pixels_stay(name: str) -> None:
    data = commented(name)
    assert SECRET in data
    out = deidentify_file(data, key=b"k" * 32, options=frozenset(), allow_burned_in=True).data
    assert SECRET not in out
    assert len(pydicom.dcmread(io.BytesIO(out)).PixelData) == len(pydicom.dcmread(io.BytesIO(data)).PixelData)
    if name != "JPGExtended.dcm":  # no decoder of ours reads 12-bit JPEG
        before, after = (pydicom.dcmread(io.BytesIO(d)).pixel_array for d in (data, out))
        assert np.array_equal(before, after)


def test_frames_without_comments_are_not_touched() -> None:
    for name in ("MR_small_RLE.dcm", "MR_small_jpeg_ls_lossless.dcm"):
        pixels = pydicom.dcmread(get_testdata_file(name, download=False)).PixelData  # type: ignore[arg-type]
        assert without_comments(pixels) == pixels


def _frame(name: str) -> bytes:
    dataset = pydicom.dcmread(get_testdata_file(name, download=False))  # type: ignore[arg-type]
    return next(generate_frames(dataset.PixelData, number_of_frames=1))


def _in_a_tile(frame: bytes, segment: bytes) -> bytes:
    tile = frame.index(b"\xff\x90\0\x0a")
    size = struct.pack(">I", struct.unpack_from(">I", frame, tile + 6)[0] + len(segment))
    return frame[: tile + 6] + size + frame[tile + 10 : tile + 12] + segment + frame[tile + 12 :]


COMMENT = struct.pack(">H", len(SECRET) + 2) + SECRET


@pytest.mark.parametrize(
    "frame",
    [
        _frame("SC_rgb_small_odd_jpeg.dcm").replace(b"\xff\xdb", b"\xff\xff\xfe" + COMMENT + b"\xff\xdb", 1),
        _frame("SC_rgb_small_odd_jpeg.dcm").replace(b"\xff\xd9", b"\xff\xfe" + COMMENT + b"\xff\xd9"),
        _in_a_tile(_frame("JPEG2000.dcm"), b"\xff\x64" + struct.pack(">H", len(SECRET) + 4) + b"\0\1" + SECRET),
    ],
    ids=["after a fill byte", "after the scan", "in a tile's header"],
)
def test_comments_are_blanked_wherever_the_standards_allow_them(frame: bytes) -> None:
    data = encapsulate([frame])
    out = without_comments(data)
    assert SECRET in data
    assert SECRET not in out
    assert out == without_comments(data.replace(SECRET, b" " * len(SECRET)))  # and nothing else is changed


@pytest.mark.parametrize("size", [1, 14, 2**32 - 1])
def test_a_tile_of_a_wrong_length_ends(size: int) -> None:
    frame = _frame("JPEG2000.dcm")
    tile = frame.index(b"\xff\x90\0\x0a")
    data = encapsulate([frame[: tile + 6] + struct.pack(">I", size) + frame[tile + 10 :]])
    assert len(without_comments(data)) == len(data)
