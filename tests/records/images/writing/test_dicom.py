"""DICOM folders: judged by dicom3tools and DCMTK, read by highdicom, pydicom and our own loader."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import highdicom
import numpy as np
import polars as pl
import pydicom
import pytest

from records.errors import ParameterError
from records.images import PATIENT, ImageSchema, ImageTable
from records.images.writing import Format, MadeBy, write_folder
from tests.records.images.writing.conftest import KEY, as_patients, phantom, radiographs
from use_cases.images import ImageCohort, load_images
from use_cases.images.codebook import Layout
from use_cases.images.preparing import scaled

pytestmark = pytest.mark.slow

CASES = ["lung", "prostate", "stroke"]
# Debian's validator is of an edition before this attribute, and an empty study date is no breach (type 2).
UNKNOWN = "Attribute with an even group number is not a recognized standard attribute - (0x0008,0x001c)"


def written(folder: Path, table: ImageTable, schema: ImageSchema, made_by: MadeBy) -> list[Path]:
    write_folder(folder, table, schema, made_by, form=Format.DICOM)
    return sorted(folder.rglob("*.dcm"))


def images(files: list[Path]) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(file) for file in files if file.name != "mask.dcm"]


def table_of(case: str) -> tuple[ImageTable, ImageSchema]:
    if case == "radiograph":
        return radiographs()
    if case == "masked radiograph":
        table, schema = radiographs()
        masks = (table.pixels > 0.9).astype(np.uint8)
        return ImageTable(table.rows, table.pixels, table.unit, None, masks), schema.model_copy(
            update={"mask": {0: "none", 1: "opacity"}}
        )
    return phantom(case, slices=2)


@pytest.mark.parametrize("case", [*CASES, "radiograph", "masked radiograph"])
def test_dciodvfy_finds_no_error(tmp_path: Path, made_by: MadeBy, case: str) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dicom3tools is not installed")
    files = written(tmp_path / "out", *table_of(case), made_by)
    for file in [*files[:3], *(file for file in files if file.name == "mask.dcm")][:5]:
        said = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False).stderr
        assert "Image\n" in said or "Segmentation\n" in said, said
        assert not [line for line in said.splitlines() if line.startswith("Error") and UNKNOWN not in line], said


def test_dciodvfy_would_find_an_error(tmp_path: Path, made_by: MadeBy) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dicom3tools is not installed")
    file = written(tmp_path / "out", *phantom("lung"), made_by)[0]
    image = pydicom.dcmread(file)
    del image.RescaleSlope
    image.save_as(file)
    said = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False).stderr
    assert "RescaleSlope" in said


def test_dcmtk_reads_the_files(tmp_path: Path, made_by: MadeBy) -> None:
    if shutil.which("dcmftest") is None:
        pytest.skip("DCMTK is not installed")
    files = written(tmp_path / "out", *phantom("prostate"), made_by)
    said = subprocess.run(["dcmftest", *map(str, files)], capture_output=True, text=True, check=True).stdout
    assert said.count("yes: ") == len(files)
    dumped = subprocess.run(["dcmdump", "+L", str(files[0])], capture_output=True, text=True, check=True).stdout
    assert "(0008,001c) CS [YES]" in dumped
    assert "Synthesizing Equipment" in dumped
    assert "epsilon 1, delta 1e-06" in dumped


@pytest.mark.parametrize("case", CASES)
def test_hounsfield_units_and_shares_come_back(tmp_path: Path, made_by: MadeBy, case: str) -> None:
    table, schema = phantom(case, slices=2)
    write_folder(tmp_path / "out", table, schema, made_by, form=Format.DICOM)
    rows = pl.read_csv(tmp_path / "out" / "images.csv")
    for place, name in enumerate(rows["file"]):
        image = pydicom.dcmread(tmp_path / "out" / name)
        mapping = image if case != "prostate" else image.RealWorldValueMappingSequence[0]
        slope = mapping.get("RescaleSlope", mapping.get("RealWorldValueSlope"))
        intercept = mapping.get("RescaleIntercept", mapping.get("RealWorldValueIntercept"))
        values = image.pixel_array * float(slope) + float(intercept)
        step = 0.5 if schema.unit == "HU" else 0.51 / 65_535
        assert np.abs(values - table.pixels[place]).max() <= step
        low, high = (
            image.WindowCenter - 0.5 - (image.WindowWidth - 1) / 2,
            image.WindowCenter - 0.5 + (image.WindowWidth - 1) / 2,
        )
        assert (low * slope + intercept, high * slope + intercept) == pytest.approx(schema.window, abs=step)


@pytest.mark.parametrize("case", [*CASES, "radiograph", "masked radiograph"])
def test_our_own_loader_reads_the_folder_again(
    tmp_path: Path, made_by: MadeBy, cohort: Callable[..., ImageCohort], case: str
) -> None:
    table, schema = table_of(case) if "radiograph" in case else as_patients(*phantom(case))
    write_folder(tmp_path / "out", table, schema, made_by, form=Format.DICOM)
    loaded = load_images(cohort(schema, Layout.DICOM), tmp_path / "out", key=KEY)
    assert not loaded.report.refused
    assert loaded.report.patients == len(table)
    expected = np.stack([scaled(image[None], schema.unit)[0] for image in table.pixels]).clip(*schema.window)
    order = matched(loaded.table, table)
    step = {"HU": 0.5, "relative": 1e-4, "grey": 0.51 / 65_535}[schema.unit]
    assert np.abs(loaded.table.pixels - expected[order]).max() <= step
    if schema.mask:
        assert table.masks is not None
        assert loaded.table.masks is not None
        assert (loaded.table.masks == table.masks[order]).all()
        assert table.masks.any()
    assert loaded.table.rows.select(schema.table.names).equals(typed(table, schema)[order.tolist()])


def typed(table: ImageTable, schema: ImageSchema) -> pl.DataFrame:
    from records.validation import validate

    return validate(table.rows.select(schema.table.names), schema.table, source="test")


def matched(loaded: ImageTable, table: ImageTable) -> np.ndarray:
    """Place in ``table`` of each loaded row, by the pseudonyms that the loader makes of its names."""
    from deidentification.pseudonyms import pseudonymise

    made = pseudonymise(table.rows[PATIENT], KEY).to_list()
    return np.array([made.index(name) for name in loaded.rows[PATIENT]])


def test_masks_are_read_by_highdicom(tmp_path: Path, made_by: MadeBy) -> None:
    table, schema = phantom("lung", slices=2)
    write_folder(tmp_path / "out", table, schema, made_by, form=Format.DICOM)
    assert table.masks is not None
    rows = pl.read_csv(tmp_path / "out" / "images.csv")
    empty = 0
    for place, (name, mask) in enumerate(zip(rows["file"], rows["mask"], strict=True)):
        uid = pydicom.dcmread(tmp_path / "out" / name).SOPInstanceUID
        made = highdicom.seg.segread(tmp_path / "out" / mask)
        drawn = made.get_pixels_by_source_instance([uid], combine_segments=True)[0]
        assert (drawn == table.masks[place]).all()
        assert made.get_segment_description(1).segment_label == "nodule"
        empty += not drawn.any()
    assert 0 < empty < len(table)


def test_identity_is_new_consistent_and_the_same_for_the_same_run(tmp_path: Path, made_by: MadeBy) -> None:
    table, schema = phantom("stroke", slices=3)
    first = images(written(tmp_path / "a", table, schema, made_by))
    again = images(written(tmp_path / "b", table, schema, made_by))
    other = images(written(tmp_path / "c", table, schema, MadeBy("gaussian_dct", "0.1.0", "run-2")))
    for name, count in (
        ("SOPInstanceUID", 18), ("SeriesInstanceUID", 6), ("StudyInstanceUID", 6), ("FrameOfReferenceUID", 6),
        ("PatientID", 6),
    ):  # fmt: skip
        values = [getattr(image, name) for image in first]
        assert len(set(values)) == count
        assert values == [getattr(image, name) for image in again]
        assert name == "PatientID" or not {getattr(image, name) for image in other} & set(values)
    assert all(image.StudyInstanceUID.is_valid and image.StudyInstanceUID.startswith("2.25.") for image in first)
    assert len({image.SOPInstanceUID for image in first} | {image.SeriesInstanceUID for image in first}) == 24


def test_every_file_says_what_it_is(tmp_path: Path, made_by: MadeBy) -> None:
    for file in written(tmp_path / "out", *phantom("lung"), made_by):
        image = pydicom.dcmread(file)
        assert image.SyntheticData == "YES"
        assert image.SeriesDescription.startswith("SYNTHETIC PHANTOM lung_ct_phantom")
        assert "phantom" in image.PatientID
        equipment = image.ContributingEquipmentSequence[0]
        assert equipment.PurposeOfReferenceCodeSequence[0].CodeValue == "109100"
        assert (equipment.ManufacturerModelName, equipment.SoftwareVersions) == ("gaussian_dct", "0.1.0")
        assert "epsilon 1, delta 1e-06, unit: patient" in equipment.ContributionDescription
        if file.name != "mask.dcm":
            assert "DERIVED" in image.ImageType
            assert (image.BurnedInAnnotation, image.QualityControlImage) == ("NO", "YES")


def test_a_spacing_of_many_digits_fits_the_standard(tmp_path: Path, made_by: MadeBy) -> None:
    table, schema = phantom("lung")
    third = (1 / 3, 200 / 3)
    table = ImageTable(table.rows, table.pixels, table.unit, third, table.masks, phantom=True)
    image = images(written(tmp_path / "out", table, schema.model_copy(update={"spacing": third}), made_by))[0]
    assert [float(value) for value in image.PixelSpacing] == pytest.approx(third)
    assert all(len(str(value)) <= 16 for value in [*image.PixelSpacing, *image.ImagePositionPatient])


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"spacing": None}, "must have a spacing"), ({"window": (-50_000.0, 50_000.0)}, "within 16 bits")],
)
def test_what_dicom_cannot_hold_is_refused(
    tmp_path: Path, made_by: MadeBy, changes: dict[str, object], words: str
) -> None:
    table, schema = phantom("lung")
    table = ImageTable(table.rows, table.pixels, table.unit, changes.get("spacing", table.spacing), table.masks, True)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=words):
        write_folder(tmp_path / "out", table, schema.model_copy(update=changes), made_by, form=Format.DICOM)
    assert not list(tmp_path.iterdir())
