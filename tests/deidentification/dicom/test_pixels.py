"""Text burned into pixels is blacked out in every frame, what is around it stays, and the file still shows the image."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom import FileDataset
from pydicom.data import get_testdata_file

from deidentification.dicom import pixels
from deidentification.dicom.errors import DicomError
from deidentification.dicom.files import deidentify_file
from deidentification.dicom.options import Option
from records.errors import ParameterError

KEY = b"k" * 32
OPTIONS = frozenset({Option.CLEAN_PIXEL_DATA})


def image(name: str) -> FileDataset:
    return pydicom.dcmread(get_testdata_file(name, download=False))  # type: ignore[arg-type]


def with_text(dataset: FileDataset, text: str = "VIRTANEN MATTI 010150-123A") -> tuple[bytes, np.ndarray]:
    """A 512 x 512 MONOCHROME2 file with text in the brightest value, and where its strokes are."""
    canvas = Image.new("1", (512, 512))
    ImageDraw.Draw(canvas).text((30, 40), text, fill=1, font=ImageFont.load_default(18))
    strokes = np.asarray(canvas)
    frame = np.kron(dataset.pixel_array, np.ones((4, 4), dataset.pixel_array.dtype))
    frame[strokes] = frame.max()
    dataset.Rows = dataset.Columns = 512
    dataset.PixelData = frame.tobytes()
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue(), strokes


def cleaned(data: bytes) -> FileDataset:
    return pydicom.dcmread(io.BytesIO(deidentify_file(data, key=KEY, options=OPTIONS).data))


@pytest.mark.slow
def test_all_strokes_are_covered_and_the_rest_stays() -> None:
    pytest.importorskip("rapidocr_onnxruntime", exc_type=ImportError)  # also where a library of the system is missing
    data, strokes = with_text(image("CT_small.dcm"))
    before, after = pydicom.dcmread(io.BytesIO(data)).pixel_array, cleaned(data)
    assert (after.pixel_array[strokes] == before.min()).all()
    touched = after.pixel_array != before
    assert touched[strokes].all()
    assert touched.mean() < 0.06
    assert after.BurnedInAnnotation == "NO"
    assert [i.CodeValue for i in after.DeidentificationMethodCodeSequence] == ["113100", "113101"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["examples_palette.dcm", "examples_jpeg2k.dcm"])
def test_real_ultrasound_screens_lose_their_text_and_keep_their_colours(name: str) -> None:
    pytest.importorskip("rapidocr_onnxruntime", exc_type=ImportError)  # also where a library of the system is missing
    dataset = image(name)
    before, interpretation = dataset.pixel_array, dataset.PhotometricInterpretation
    after = cleaned(Path(str(get_testdata_file(name, download=False))).read_bytes())
    assert after.pixel_array.shape == before.shape
    assert after.PhotometricInterpretation == ("RGB" if interpretation.startswith("YBR") else interpretation)
    assert 0.005 < (after.pixel_array != before).mean() < 0.2
    assert not after.file_meta.TransferSyntaxUID.is_compressed
    assert not pixels.text_boxes(pixels._rendered(after.pixel_array, after))


def test_a_box_is_black_in_every_frame() -> None:
    frames = np.full((3, 8, 9), 7, np.int16)
    out = pixels.blacked_out(frames, {(1, 3, 2, 5)}, -1000)
    assert (out[:, 1:3, 2:5] == -1000).all()
    assert (out == 7).sum() == 3 * (8 * 9 - 2 * 3)
    assert (frames == 7).all()


def test_a_frame_with_text_in_one_of_many_is_cleaned_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def bright(frame: np.ndarray) -> set[pixels.Box]:
        return {(0, 4, 0, 6)} if frame[0, 0, 0] == 255 else set()

    monkeypatch.setattr(pixels, "text_boxes", bright)
    monkeypatch.setattr(pixels, "detector", lambda: None)
    dataset = image("emri_small.dcm") if get_testdata_file("emri_small.dcm", download=False) else pytest.skip("no file")
    frames = dataset.pixel_array.copy()
    frames[3, 0, 0] = frames.max() + 1
    dataset.PixelData = frames.tobytes()
    assert pixels.clean_pixels(dataset) == 1
    dataset._pixel_array = None
    out = dataset.pixel_array
    assert (out[:, :4, :6] == frames.min()).all()
    assert np.array_equal(out[:, 4:], frames[:, 4:])


def test_text_that_will_not_go_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "text_boxes", lambda _: {(0, 4, 0, 6)})
    monkeypatch.setattr(pixels, "detector", lambda: None)
    with pytest.raises(DicomError, match="after 4 passes"):
        pixels.clean_pixels(image("CT_small.dcm"))


def test_without_the_extra_the_option_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)
    pixels.detector.cache_clear()
    with pytest.raises(ParameterError, match="install the extra `ocr`"):
        pixels.clean_pixels(image("CT_small.dcm"))
