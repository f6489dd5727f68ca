"""How much of planted burned-in text is covered.

Belongs here: planting text of several sizes and brightnesses in real images, the share of strokes that are blacked
out. Does not belong here: the detector.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFont
from pydicom import FileDataset
from pydicom.data import get_testdata_file

from deidentification.dicom.pixels import clean_pixels

BASES = {"CT_small.dcm": 4, "MR_small.dcm": 8, "eCT_Supplemental.dcm": 1}
"""Real images and how often they are enlarged to 512 x 512."""
LINES = (
    "VIRTANEN MATTI", "010150-123A", "GARCIA LOPEZ^MARIA", "1948-03-17  F  77Y", "Hospital Clinic Barcelona", "ID: 4471093",
    "Dr. Rossi, Giulia", "ACC 20231107-88", "Silva Joao M 1961",
)  # fmt: skip
HEIGHTS = (12, 20)


@dataclass(frozen=True)
class Covered:
    """One image: share of stroke pixels that are blacked out, share of other pixels that are, seconds."""

    base: str
    height: int
    strokes: float
    others: float
    seconds: float


def coverage() -> Iterator[Covered]:
    """All bases and text heights; three lines of text per image, bright, mid-grey and dark on bright."""
    for base, factor in BASES.items():
        for turn, height in enumerate(HEIGHTS):
            dataset, strokes, boxes = _planted(base, factor, height, turn)
            before = dataset.pixel_array[0] if dataset.pixel_array.ndim == 3 else dataset.pixel_array
            before, start = before.copy(), time.perf_counter()
            clean_pixels(dataset)
            took = time.perf_counter() - start
            dataset._pixel_array = None
            after = dataset.pixel_array
            changed = (after[0] if after.ndim == 3 else after) != before  # no stroke that counts was at the minimum
            yield Covered(base, height, float(changed[strokes].mean()), float(changed[~boxes].mean()), took)


def _planted(base: str, factor: int, height: int, turn: int) -> tuple[FileDataset, np.ndarray, np.ndarray]:
    """The image, where strokes are, and where the lines' boxes are."""
    dataset = pydicom.dcmread(get_testdata_file(base))  # type: ignore[arg-type]
    pixels = dataset.pixel_array
    frame = pixels[0] if pixels.ndim == 3 else pixels
    frame = np.kron(frame, np.ones((factor, factor), frame.dtype))
    dataset.Rows, dataset.Columns = frame.shape
    strokes, boxes = np.zeros(frame.shape, bool), np.zeros(frame.shape, bool)
    low, high = int(frame.min()), int(frame.max())
    for line, level in enumerate((high, low + (high - low) * 3 // 4, low)):
        canvas = Image.new("1", frame.shape[::-1])
        place = (20 + 60 * line, 20 + line * 200)
        text = LINES[(3 * turn + line) % len(LINES)]
        ImageDraw.Draw(canvas).text(place, text, fill=1, font=ImageFont.load_default(height))
        own = np.asarray(canvas)
        rows, columns = np.nonzero(own)
        area = np.s_[rows.min() - 4 : rows.max() + 5, columns.min() - 4 : columns.max() + 5]
        if level == low:
            frame[area] = high  # dark text stands on a bright label
        frame[own] = level
        if level == low:  # a dark stroke is dark either way: the label around it tells whether it was blacked out
            own = np.zeros_like(own)
            own[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
            own &= frame == high
        strokes |= own
        boxes[rows.min() - 12 : rows.max() + 13, columns.min() - 12 : columns.max() + 13] = True
    dataset.NumberOfFrames, dataset.PixelData = 1, frame.tobytes()
    dataset._pixel_array = None
    return dataset, strokes, boxes
