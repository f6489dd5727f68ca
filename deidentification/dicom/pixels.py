"""Text burned into pixels: found by a text detector, blacked out in every frame, and looked for once more.

Belongs here: decoding, finding, blacking out. Does not belong here: which images need it (``burned_in``), faces. The
detector (RapidOCR, whose weights come with its package) is the optional extra ``ocr``. Every box that it marks is
blacked out, read or not: a mark on anatomy costs a patch of the image, a missed name costs a patient. Only a mark on
more than 5 % of the image in which no three letters can be read is left.

References
----------
DICOM PS3.15 E.3.1 (Clean Pixel Data Option); PS3.3 C.7.6.3 (Image Pixel).
Liao et al. (2020). Real-time scene text detection with differentiable binarization. AAAI.
"""

from functools import cache
from typing import Any

import numpy as np
from pydicom import FileDataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pack_bits

from deidentification.dicom.errors import DicomError
from records.errors import ParameterError

PASSES = 4
_BORDER, _LEAST = 16, 256  # pixels; a smaller image would be magnified until tissue looks like letters
_MARGIN = 0.2
_LARGE, _READABLE, _LETTERS = 0.05, 0.5, 3
Box = tuple[int, int, int, int]


def clean_pixels(dataset: FileDataset) -> int:
    """Black out all text in a data set's pixels, in place; the number of boxes.

    An image without text keeps its compressed pixels; one with text is written uncompressed.

    Raises
    ------
    DicomError
        The pixels cannot be decoded, or text is still found after several passes.
    ParameterError
        The extra ``ocr`` is not installed.
    """
    detector()  # without it nothing is decoded
    frames = _frames(dataset)
    boxes = set[Box]()
    for _ in range(PASSES):
        found = {box for frame in frames for box in text_boxes(_rendered(frame, dataset))}
        if not found:
            break
        boxes |= found
        frames = blacked_out(frames, found, _darkest(frames, dataset))
    else:
        raise DicomError(
            f"text must be gone from the pixels after {PASSES} passes, got some still; take the file out by hand"
        )
    if boxes:
        _store(dataset, frames)
    dataset.BurnedInAnnotation = "NO"
    return len(boxes)


def text_boxes(image: np.ndarray) -> set[Box]:
    """Boxes of text (top, bottom, left, right; rows and columns) in an image of 8-bit RGB, with a margin."""
    height, width = image.shape[:2]
    above, before = (max(_BORDER, (_LEAST - side) // 2) for side in (height, width))
    padded = np.pad(image, ((above, above), (before, before), (0, 0)))
    found, _ = detector()(padded, use_cls=False, use_rec=False)
    boxes = {_box(np.asarray(corners) - (before, above), height, width) for corners in found or ()}
    large = {box for box in boxes if _share(box, image) >= _LARGE}
    return boxes - large or {box for box in large if _is_readable(box, image)}


def blacked_out(frames: np.ndarray, boxes: set[Box], darkest: Any) -> np.ndarray:
    """A copy of the frames (frames x rows x columns, and samples) with each box in each frame set to ``darkest``."""
    frames = frames.copy()
    for top, bottom, left, right in boxes:
        frames[:, top:bottom, left:right] = darkest
    return frames


@cache
def detector() -> Any:
    """The text detector, on one thread: files are spread over processes.

    Raises
    ------
    ParameterError
        It is not installed.
    """
    try:
        from rapidocr_onnxruntime import RapidOCR  # pyright: ignore[reportMissingImports] - an extra
    except ImportError as error:
        raise ParameterError(
            "pixels must be cleaned by a text detector, got none installed; install the extra `ocr`, "
            "or leave the option out"
        ) from error
    return RapidOCR(det_box_thresh=0.4, det_thresh=0.25, intra_op_num_threads=1, inter_op_num_threads=1)


def _frames(dataset: FileDataset) -> np.ndarray:
    """Frames x rows x columns (x 3), YBR as RGB."""
    try:
        pixels = dataset.pixel_array
    except Exception as error:  # each decoder has errors of its own; their messages could quote the file
        raise DicomError(
            f"the pixels must be decodable to clean them, got a {type(error).__name__}; convert the file"
        ) from error
    return pixels if int(dataset.get("NumberOfFrames") or 1) > 1 else pixels[np.newaxis]


def _rendered(frame: np.ndarray, dataset: FileDataset) -> np.ndarray:
    """Rows x columns x 3, 8 bits: stretched over the values that occur, so that text of any brightness shows."""
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        frame = apply_color_lut(frame, dataset)
    values = frame.astype(np.float32)
    low, high = (values.min(), values.max()) if values.size else (0.0, 0.0)
    grey = ((values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)).astype(np.uint8)
    return grey if grey.ndim == 3 else np.repeat(grey[..., np.newaxis], 3, axis=2)


def _share(box: Box, image: np.ndarray) -> float:
    top, bottom, left, right = box
    return (bottom - top) * (right - left) / (image.shape[0] * image.shape[1])


def _is_readable(box: Box, image: np.ndarray) -> bool:
    """Whether a mark on much of the image is text and not a skull; asked once the lines of text in it are gone."""
    top, bottom, left, right = box
    read, _ = detector()(image[top:bottom, left:right], use_det=False, use_cls=False)
    return any(score >= _READABLE and sum(map(str.isalnum, text)) >= _LETTERS for text, score in read or ())


def _box(corners: np.ndarray, height: int, width: int) -> Box:
    (left, top), (right, bottom) = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    margin = 1 + _MARGIN * min(bottom - top, right - left)
    rows = np.clip([top - margin, bottom + margin + 1], 0, height)
    columns = np.clip([left - margin, right + margin + 1], 0, width)
    return int(rows[0]), int(rows[1]), int(columns[0]), int(columns[1])


def _darkest(frames: np.ndarray, dataset: FileDataset) -> Any:
    interpretation = dataset.PhotometricInterpretation
    if interpretation == "MONOCHROME1":
        return frames.max()
    if interpretation == "PALETTE COLOR":
        return frames.flat[int(apply_color_lut(frames, dataset).sum(axis=-1).argmin())]
    return 0 if frames.ndim == 4 else frames.min()


def _store(dataset: FileDataset, frames: np.ndarray) -> None:
    """Write the frames as they were decoded: uncompressed, YBR as RGB, colour by pixel, in the file's byte order."""
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        dataset.decompress(generate_instance_uid=False)
    if frames.ndim == 4:
        dataset.PlanarConfiguration, dataset.PhotometricInterpretation = 0, "RGB"
    if dataset.BitsAllocated == 1:
        data = pack_bits(frames)
    else:
        little = dataset.file_meta.TransferSyntaxUID.is_little_endian
        data = frames.astype(frames.dtype.newbyteorder("<" if little else ">")).tobytes()
    dataset["PixelData"].value = data + b"\0" * (len(data) % 2)
