"""PNG folders: read by OpenCV and Pillow, and by our own loader under the layout of listed files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from records.images.writing import Format, MadeBy, write_folder
from tests.records.images.writing.conftest import KEY, phantom, radiographs
from tests.records.images.writing.test_dicom import matched
from use_cases.images import ImageCohort, load_images
from use_cases.images.codebook import Layout

cv2 = pytest.importorskip("cv2", reason="OpenCV comes with the extra ocr", exc_type=ImportError)


@pytest.mark.parametrize("case", ["lung", "prostate"])
def test_opencv_reads_the_window_from_black_to_white(tmp_path: Path, made_by: MadeBy, case: str) -> None:
    table, schema = phantom(case)
    write_folder(tmp_path / "out", table, schema, made_by, form=Format.PNG)
    low, high = schema.window
    lines = pl.read_csv(tmp_path / "out" / "images.csv")
    assert table.masks is not None
    for row, line in enumerate(lines.iter_rows(named=True)):
        stored = cv2.imread(str(tmp_path / "out" / line["file"]), cv2.IMREAD_UNCHANGED)
        assert stored is not None
        assert stored.dtype == np.uint16
        values = low + stored.astype(float) / 65_535 * (high - low)
        assert np.abs(values - table.pixels[row]).max() <= 0.51 * (high - low) / 65_535
        mask = cv2.imread(str(tmp_path / "out" / line["mask"]), cv2.IMREAD_UNCHANGED)
        assert (mask == table.masks[row]).all()


def test_each_picture_says_what_it_is(tmp_path: Path, made_by: MadeBy) -> None:
    write_folder(tmp_path / "out", *phantom("lung"), made_by, form=Format.PNG)
    for path in (tmp_path / "out").rglob("*.png"):
        with Image.open(path) as picture:
            assert picture.info["Source"].startswith("SYNTHETIC PHANTOM, shows no patient")
            assert picture.info["Description"] == "0 is -1000 and 65535 is 400 HU"
            assert picture.info["Warning"] == "synthetic, not a patient; not for diagnosis"


def test_our_own_loader_reads_radiographs_again(
    tmp_path: Path, made_by: MadeBy, cohort: Callable[..., ImageCohort]
) -> None:
    table, schema = radiographs()
    write_folder(tmp_path / "out", table, schema, made_by, form=Format.PNG)
    loaded = load_images(cohort(schema, Layout.LISTED), tmp_path / "out", key=KEY).table
    order = matched(loaded, table)
    assert np.abs(loaded.pixels - table.pixels[order]).max() <= 0.51 / 65_535
    values = table.rows.select(schema.table.names)[order.tolist()]
    assert loaded.rows.select(values.columns).cast(pl.String).equals(values.cast(pl.String))
