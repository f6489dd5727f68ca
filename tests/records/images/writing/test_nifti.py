"""NIfTI folders: read by nibabel, and by our own loader under the layout of listed files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import polars as pl
import pytest

from records.errors import ParameterError
from records.images import ImageTable
from records.images.writing import Format, MadeBy, write_folder
from tests.records.images.writing.conftest import KEY, as_patients, phantom, radiographs
from tests.records.images.writing.test_dicom import matched
from use_cases.images import ImageCohort, load_images
from use_cases.images.codebook import Layout
from use_cases.images.preparing import scaled


def test_nibabel_reads_the_volumes_as_they_were(tmp_path: Path, made_by: MadeBy) -> None:
    table, schema = phantom("stroke", slices=2)
    write_folder(tmp_path / "out", table, schema, made_by, form=Format.NIFTI)
    lines = pl.read_csv(tmp_path / "out" / "images.csv")
    assert table.masks is not None
    assert schema.spacing is not None
    for row, line in enumerate(lines.iter_rows(named=True)):
        image: Any = nibabel.load(tmp_path / "out" / line["file"])
        assert (table.pixels[row] == np.asarray(image.dataobj)[:, :, 0].T).all()
        assert image.header.get_zooms()[:2] == pytest.approx(schema.spacing[::-1])
        # columns run to the left and rows to posterior, as the table's do
        assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
        assert bytes(image.header["descrip"]).startswith(b"SYNTHETIC PHANTOM, shows no patient; made by")
        assert image.affine[:2, 3] == pytest.approx(
            [(n - 1) / 2 * s for n, s in zip((64, 64), schema.spacing, strict=True)]
        )
        mask: Any = nibabel.load(tmp_path / "out" / line["mask"])
        assert (table.masks[row] == np.asarray(mask.dataobj)[:, :, 0].T).all()


@pytest.mark.parametrize("case", ["lung", "prostate", "stroke"])
def test_our_own_loader_reads_images_masks_and_values_again(
    tmp_path: Path, made_by: MadeBy, cohort: Callable[..., ImageCohort], case: str
) -> None:
    table, schema = as_patients(*phantom(case))
    write_folder(tmp_path / "out", table, schema, made_by, form=Format.NIFTI)
    loaded = load_images(cohort(schema, Layout.LISTED, body_part="chest"), tmp_path / "out", key=KEY).table
    order = matched(loaded, table)
    expected = np.stack([scaled(image[None], schema.unit)[0] for image in table.pixels]).clip(*schema.window)
    assert np.array_equal(loaded.pixels, expected[order])
    assert table.masks is not None
    assert loaded.masks is not None
    assert np.array_equal(loaded.masks, table.masks[order])
    values = table.rows.select(schema.table.names)[order.tolist()]
    assert loaded.rows.select(values.columns).cast(pl.String).equals(values.cast(pl.String))


def test_sidecars_and_descriptions_say_what_it_is(tmp_path: Path, made_by: MadeBy) -> None:
    table, schema = phantom("prostate")
    write_folder(tmp_path / "out", table, schema, made_by, form=Format.NIFTI)
    sidecars = sorted((tmp_path / "out").rglob("sub-*.json"))
    assert len(sidecars) == len(table)
    for path in sidecars:
        told = json.loads(path.read_text())
        assert (told["Synthetic"], told["Phantom"], told["SoftwareVersions"]) == (True, True, "0.1.0")
        assert set(told["Values"]) == set(schema.table.names)
    described = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert "epsilon 1, delta 1e-06" in described["GeneratedBy"][0]["Description"]
    people = pl.read_csv(tmp_path / "out" / "participants.tsv", separator="\t")
    assert people["participant_id"].to_list() == [f"sub-prostatephantom{i:06}" for i in range(6)]


def test_what_has_no_place_in_space_is_refused(tmp_path: Path, made_by: MadeBy) -> None:
    with pytest.raises(ParameterError, match="known spacing for NIfTI"):
        write_folder(tmp_path / "out", *radiographs(), made_by, form=Format.NIFTI)
    assert not list(tmp_path.iterdir())


def test_names_that_bids_cannot_tell_apart_are_refused(tmp_path: Path, made_by: MadeBy) -> None:
    table, schema = phantom("lung")
    names = ["phantom-1-1", "phantom-11", *[f"phantom-{i}" for i in range(2, 6)]]
    rows = table.rows.with_columns(pl.Series("pseudonym", names))
    table = ImageTable(rows, table.pixels, table.unit, table.spacing, table.masks, phantom=True)
    with pytest.raises(ParameterError, match="differ in letters and digits"):
        write_folder(tmp_path / "out", table, schema, made_by, form=Format.NIFTI)
    assert not list(tmp_path.iterdir())
