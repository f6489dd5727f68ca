"""The picture of the docs: a real CT slice with planted text, before and after.

Belongs here: ``python -m benchmarks.dicom.picture``, which writes ``docs/images/dicom_burned_in.png``. Does not belong
here: figures.
"""

from pathlib import Path

import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFont
from pydicom.data import get_testdata_file

from deidentification.dicom.pixels import clean_pixels

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "dicom_burned_in.png"
LINES = ("VIRTANEN MATTI  010150-123A", "Tampere  1998-04-24  09:13", "Dr. Rossi, Giulia")
SIDE = 512


def main() -> None:
    """Draw invented names on pydicom's CT_small, clean it, and show both side by side."""
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm", download=False))  # type: ignore[arg-type]
    slice_ = Image.fromarray(_grey(dataset.pixel_array)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    draw, font = ImageDraw.Draw(slice_), ImageFont.load_default(20)
    for place, line in zip(((14, 12), (14, 40), (300, 478)), LINES, strict=True):
        draw.text(place, line, fill=255, font=font)
    before = np.asarray(slice_)
    dataset.Rows = dataset.Columns = SIDE
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation, dataset.PixelData = 7, 0, before.tobytes()
    clean_pixels(dataset)
    dataset._pixel_array = None
    gap = np.full((SIDE, 12), 255, np.uint8)
    PICTURE.parent.mkdir(exist_ok=True)
    Image.fromarray(np.hstack([before, gap, dataset.pixel_array])).save(PICTURE, optimize=True)


def _grey(pixels: np.ndarray) -> np.ndarray:
    low, high = np.percentile(pixels, [1, 99.5])
    return (np.clip((pixels - low) / (high - low), 0, 1) * 255).astype(np.uint8)


if __name__ == "__main__":
    main()
