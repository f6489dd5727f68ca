"""Laws of image tables: a choice of rows keeps images, masks and rows together, and so does the file."""

import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from records.images import INDEX, ImageTable, IntensityUnit, read_images, write_images


@st.composite
def _tables(draw):
    """Each pixel of row i is i and each mask pixel i + 1, so that a swapped image shows."""
    patients = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=12))
    n = len(patients)
    rows = pl.DataFrame({"pseudonym": patients, "study": [1] * n, "series": [1] * n, "slice": range(n)}, schema=INDEX)
    places = np.arange(n)[:, None, None] * np.ones((1, 8, 8), int)
    dtype = draw(st.sampled_from([np.float32, np.int16]))
    masks = (places + 1).astype(np.uint8) if draw(st.booleans()) else None
    return ImageTable(rows, places.astype(dtype), IntensityUnit.GREY, (1.0, 1.0), masks, phantom=draw(st.booleans()))


def _together(table):
    places = table.rows["slice"].to_numpy()
    assert (table.pixels == places[:, None, None]).all()
    assert table.masks is None or (table.masks == places[:, None, None] + 1).all()


@given(_tables(), st.data())
def test_select_keeps_rows_images_and_masks_together(table, data):
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(table), max_size=len(table))))
    by_mask, by_place = table.select(chosen), table.select(np.flatnonzero(chosen))
    assert by_mask.rows["slice"].to_list() == np.flatnonzero(chosen).tolist() == by_place.rows["slice"].to_list()
    assert (by_mask.masks is None, by_mask.phantom) == (table.masks is None, table.phantom)
    _together(by_mask)


@given(_tables(), st.sets(st.sampled_from("abcdx")))
def test_patients_and_the_others_are_the_whole(table, some):
    inside, outside = table.of_patients(some), table.of_patients(set("abcd") - some)
    assert set(inside.patients) <= some
    assert not set(outside.patients) & some
    assert len(inside) + len(outside) == len(table)
    _together(inside)
    assert [table.patients[group] for group in table.groups()] == table.rows["pseudonym"].to_list()


@settings(max_examples=15, deadline=None)
@given(_tables())
def test_file_gives_the_table_back(table):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npz"
        write_images(path, table)
        read = read_images(path).table
    assert read.rows.equals(table.rows)
    assert read.pixels.dtype == table.pixels.dtype
    assert (read.masks is None, read.phantom, read.spacing) == (table.masks is None, table.phantom, table.spacing)
    _together(read)
