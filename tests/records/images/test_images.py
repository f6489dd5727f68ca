"""Image tables: checks, choosing rows, groups, one file."""

import numpy as np
import polars as pl
import pytest

from records.errors import ParameterError, StorageError
from records.images import INDEX, ImageTable, IntensityUnit, read_images, write_images


def _table(patients=("b", "a", "b"), **changes):
    n = len(patients)
    rows = pl.DataFrame(
        {"pseudonym": list(patients), "study": [1] * n, "series": [1] * n, "slice": range(n)}, schema=INDEX
    )
    values = {
        "rows": rows, "pixels": np.arange(n * 64, dtype=np.float32).reshape(n, 8, 8), "unit": IntensityUnit.GREY,
        "spacing": (1.0, 2.0), "masks": np.ones((n, 8, 8), np.uint8),
    }  # fmt: skip
    return ImageTable(**(values | changes))


def test_groups_and_patients():
    table = _table()
    assert table.patients == ["a", "b"]
    assert table.groups().tolist() == [1, 0, 1]
    assert table.of_patients(["b"]).pixels[1, 0, 0] == 128


@pytest.mark.parametrize(
    "changes",
    [
        {"pixels": np.zeros((2, 8, 8), np.float32)},
        {"pixels": np.zeros((3, 8, 8), np.float64)},
        {"pixels": np.full((3, 8, 8), np.nan, np.float32)},
        {"masks": np.zeros((3, 8, 9), np.uint8)},
        {"spacing": (0.0, 1.0)},
    ],
)
def test_misfits_are_refused(changes):
    with pytest.raises(ParameterError, match="must"):
        _table(**changes)


def test_file_round_trip_and_damage(tmp_path):
    table = _table()
    path = tmp_path / "images.npz"
    written = write_images(path, table)
    read = read_images(path)
    assert read.sha256 == written.sha256
    assert read.table.rows.equals(table.rows)
    assert (read.table.pixels == table.pixels).all()
    assert (read.table.masks == table.masks).all()
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(StorageError, match="whole"):
        read_images(path)
