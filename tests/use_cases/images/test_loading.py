"""Loading: small folders in the published layouts, and each kind of bad series."""

from pathlib import Path

import nibabel
import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

import use_cases
from deidentification.pseudonyms import pseudonymise
from records.errors import TableError
from use_cases.images import ImageCohort, load_image_codebook, load_images

KEY = b"k" * 32
FOLDER = Path(use_cases.__file__).parent


def _cohort(layout="dicom", modality="CT", **image):
    entry = yaml.safe_load((FOLDER / "lung/lidc_idri.yaml").read_text())
    entry["image"] |= {"name": "own", "modality": modality, "minimum_slices": 2, "mask": {}, "size": [16, 16]}
    entry["image"]["spacing"] = [2.0, 2.0]
    column = entry["image"]["table"]["columns"][0] | {"levels": {"none": "None", "benign": "Benign"}}
    entry["image"]["table"]["columns"] = [column]
    entry["image"] |= image
    return ImageCohort(**(entry | {"layout": layout, "slices": {"rule": "all"}}), folder=FOLDER)


def _series(folder, patient, *, slices=4, change=None, drop=(), gap=3.0):
    study, series = generate_uid(), generate_uid()
    for i in range(slices):
        if i in drop:
            continue
        meta = FileMetaDataset()
        meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, "1.2.840.10008.5.1.4.1.1.2"
        meta.MediaStorageSOPInstanceUID = generate_uid()
        file = FileDataset("x", {}, file_meta=meta, preamble=b"\0" * 128)
        file.PatientID, file.StudyInstanceUID, file.SeriesInstanceUID = patient, study, series
        file.SOPInstanceUID, file.SOPClassUID = meta.MediaStorageSOPInstanceUID, meta.MediaStorageSOPClassUID
        file.Modality, file.Rows, file.Columns, file.SamplesPerPixel = "CT", 16, 16, 1
        file.PhotometricInterpretation, file.BitsAllocated, file.BitsStored, file.HighBit = "MONOCHROME2", 16, 12, 11
        file.PixelRepresentation, file.RescaleSlope, file.RescaleIntercept = 0, 1, -1024
        file.PixelSpacing, file.SliceThickness = [2.0, 2.0], 3.0
        file.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        file.ImagePositionPatient = [0, 0, -i * gap]  # files run from superior to inferior
        file.PixelData = np.full((16, 16), 1024 + 10 * i, np.uint16).tobytes()
        if change:
            change(file, i)
        path = folder / f"{patient}-{series}-{i}.dcm"
        file.save_as(path, enforce_file_format=True)


def _folder(tmp_path):
    _series(tmp_path, "good1")
    _series(tmp_path, "good2")
    (tmp_path / "labels.csv").write_text("patient,malignancy\ngood1,none\ngood2,benign\nbad,none\n")
    return tmp_path


def _drop(name):
    return lambda file, i: delattr(file, name)


def _colour(file, i):
    file.SamplesPerPixel, file.PhotometricInterpretation, file.PlanarConfiguration = 3, "RGB", 0
    file.PixelData = b"\0" * (16 * 16 * 6)


def _truncated(file, i):
    file.PixelData = file.PixelData[:-100]


def _head(file, i):
    file.BodyPartExamined = "HEAD"


def _cleaned_head(code):
    def change(file, i):
        method = Dataset()
        method.CodeValue, method.CodingSchemeDesignator, method.CodeMeaning = code, "DCM", "a method"
        file.BodyPartExamined, file.DeidentificationMethodCodeSequence = "HEAD", [method]

    return change


def _one_finer(file, i):
    file.PixelSpacing = [1.0, 1.0] if i == 2 else [2.0, 2.0]


BAD = {
    "rescale": {"change": _drop("RescaleSlope")},
    "grey": {"change": _colour},
    "whole": {"change": _truncated},
    "face": {"change": _head},
    "face was": {"change": _cleaned_head("113101")},  # text was cleaned from the pixels, not the face
    "pixel spacing": {"change": _one_finer},
    "all slices": {"slices": 7, "drop": (3,)},
    "at least 2": {"slices": 1},
    "position": {"change": _drop("ImagePositionPatient")},
}


def test_values_are_hounsfield_units_from_inferior_to_superior(tmp_path):
    loaded = load_images(_cohort(), _folder(tmp_path), key=KEY)
    assert loaded.table.pixels[:4, 8, 8].tolist() == [30, 20, 10, 0]
    assert loaded.report.patients == 2
    assert not loaded.report.refused


def test_pseudonyms_are_those_of_tables_and_a_series_without_a_patient_is_refused(tmp_path):
    folder = _folder(tmp_path)
    _series(folder, "good1")
    _series(folder, "")
    loaded = load_images(_cohort(), folder, key=KEY)
    good = pseudonymise(pl.Series(["good1"] * 8 + ["good2"] * 4), KEY).sort()
    assert loaded.table.rows["pseudonym"].sort().to_list() == good.to_list()
    (refusal,) = loaded.report.refused
    assert "patient" in refusal.rule


@pytest.mark.parametrize("rule", BAD)
def test_a_bad_series_is_refused_by_pseudonym_and_the_rest_goes_on(tmp_path, rule):
    folder = _folder(tmp_path)
    _series(folder, "bad", **BAD[rule])
    loaded = load_images(_cohort(), folder, key=KEY)
    (refusal,) = loaded.report.refused
    assert rule in refusal.rule
    assert "bad" not in str(loaded.report.to_json()["refused"])
    assert loaded.report.patients == 2
    with pytest.raises(TableError, match=rule):
        load_images(_cohort(refusing="cohort"), folder, key=KEY)


@pytest.mark.parametrize(
    ("good", "damaged"),
    [
        (b"2.0\\2.0 ", b"2.0\\2.x "),
        (b"0.0\\-6.0", b"0.0\\-Doe"),
        (b"MONOCHROME2 ", b"MONOCHROME2\\"),
    ],
)
def test_a_damaged_attribute_refuses_its_series_alone_and_is_not_quoted(tmp_path, good, damaged, recwarn):
    folder = _folder(tmp_path)
    _series(folder, "bad")
    for path in folder.glob("bad-*.dcm"):
        path.write_bytes(path.read_bytes().replace(good, damaged))
    loaded = load_images(_cohort(), folder, key=KEY)
    assert loaded.report.patients == 2
    assert loaded.report.refused
    assert "Doe" not in str(loaded.report.to_json()) + "".join(str(w.message) for w in recwarn)


def test_a_damaged_series_number_costs_nothing(tmp_path, recwarn):
    folder = _folder(tmp_path)
    _series(folder, "bad", change=lambda file, i: setattr(file, "SeriesNumber", 77777))
    for path in folder.glob("bad-*.dcm"):
        path.write_bytes(path.read_bytes().replace(b"77777 ", b"Doe 7 "))
    assert load_images(_cohort(), folder, key=KEY).report.patients == 3
    assert not [w for w in recwarn if "Doe" in str(w.message)]


def test_a_head_for_local_use_is_marked(tmp_path):
    folder = _folder(tmp_path)
    _series(folder, "bad", change=_head)
    loaded = load_images(_cohort(), folder, key=KEY, local_use=True)
    assert loaded.table.local_only
    assert loaded.report.patients == 3


def test_a_head_whose_file_says_that_its_face_was_cleaned_is_loaded(tmp_path):
    folder = _folder(tmp_path)
    _series(folder, "bad", change=_cleaned_head("113102"))
    loaded = load_images(_cohort(), folder, key=KEY)
    assert loaded.report.patients == 3
    assert not loaded.table.local_only


def _nifti(path, values, affine=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(values, np.diag([2.0, 2, 3, 1]) if affine is None else affine)
    image.set_sform(image.affine, 1)
    nibabel.save(image, path)


@pytest.mark.parametrize("axes", ["RAS", "LPI", "ASR", "SLP"])
def test_nifti_of_any_orientation_is_the_one_of_nibabel(tmp_path, axes):
    from use_cases.images.nifti import read_nifti

    values = np.random.default_rng(0).integers(0, 99, (4, 5, 6)).astype(np.int16)
    plain = nibabel.Nifti1Image(values, np.diag([1.0, 2, 3, 1]))
    turn = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("RAS"), nibabel.orientations.axcodes2ornt(axes)
    )
    turned = plain.as_reoriented(turn)
    _nifti(tmp_path / "x.nii.gz", np.asarray(turned.dataobj), turned.affine)
    pixels, spacing = read_nifti(tmp_path / "x.nii.gz")
    # RAS to [superior, posterior, left]
    assert (pixels == values[::-1, ::-1].transpose(2, 1, 0)).all()
    assert spacing == pytest.approx((3, 2, 1))


def test_isles_folder_and_mask_of_another_shape(tmp_path):
    for i, shape in enumerate([(20, 20, 8), (20, 20, 8), (20, 20, 7)], start=1):
        case = f"sub-strokecase{i:04d}"
        name = f"{case}_ses-0001"
        values = np.random.default_rng(i).random((20, 20, 8)).astype(np.float32)
        mask = np.zeros(shape, np.uint8)
        mask[8:12, 8:12, 3:5] = 1
        _nifti(tmp_path / case / "ses-0001/dwi" / f"{name}_dwi.nii.gz", values)
        _nifti(tmp_path / "derivatives" / case / "ses-0001" / f"{name}_msk.nii.gz", mask)
    loaded = load_images(load_image_codebook(FOLDER / "stroke/isles_2022.yaml"), tmp_path, key=KEY)
    assert loaded.report.patients == 2
    assert "mask of its shape" in loaded.report.refused[0].rule
    present = (loaded.table.rows["lesion"] == "present").to_numpy()
    assert (present == loaded.table.masks.any(axis=(1, 2))).all()


def test_pi_cai_folder(tmp_path):
    header = "NDims = 3\nDimSize = 20 20 8\nElementSpacing = 1 1 3\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    lines = ["patient_id,study_id,patient_age,psa,prostate_volume,case_ISUP"]
    for patient, grade in (("10000", 3), ("10001", 0)):
        case = f"{patient}_10{patient}"
        values = np.random.default_rng(int(patient)).integers(0, 500, 3200).astype("<i2")
        (tmp_path / patient).mkdir()
        (tmp_path / patient / f"{case}_t2w.mha").write_bytes(header.encode() + values.tobytes())
        mask = np.zeros((20, 20, 8), np.uint8)
        mask[8:12, 8:12] = grade
        masks = "picai_labels/csPCa_lesion_delineations/human_expert/resampled"
        _nifti(tmp_path / masks / f"{case}.nii.gz", mask, np.diag([1.0, 1, 3, 1]))
        lines.append(f"{patient},10{patient},66,7.5,40,{grade}")
    sheet = tmp_path / "picai_labels/clinical_information/marksheet.csv"
    sheet.parent.mkdir(parents=True)
    sheet.write_text("\n".join(lines))
    loaded = load_images(load_image_codebook(FOLDER / "prostate/pi_cai.yaml"), tmp_path, key=KEY)
    assert loaded.report.patients == 2
    assert set(loaded.table.rows["slice_isup"]) == {"0", "3"}
    assert loaded.table.rows["psa"].to_list() == [7.5] * len(loaded.table)


def _lidc_xml(series, uid):
    edge = "".join(
        f"<edgeMap><xCoord>{x}</xCoord><yCoord>{y}</yCoord></edgeMap>" for x, y in ((3, 3), (11, 3), (11, 11), (3, 11))
    )
    roi = f"<roi><imageSOP_UID>{uid}</imageSOP_UID><inclusion>TRUE</inclusion>{edge}</roi>"
    rated = f"<characteristics><malignancy>5</malignancy></characteristics>{roi}"
    session = f"<readingSession><unblindedReadNodule>{rated}</unblindedReadNodule></readingSession>"
    return f'<LidcReadMessage xmlns="http://www.nih.gov">{session * 2}</LidcReadMessage>'


def test_lidc_folder(tmp_path):
    from pydicom import dcmread

    folder = tmp_path / "LIDC-IDRI-0001"
    folder.mkdir()
    _series(folder, "LIDC-IDRI-0001", slices=12)
    uid = dcmread(sorted(folder.glob("*-3.dcm"))[0]).SOPInstanceUID
    (folder / "069.xml").write_text(_lidc_xml("", uid))
    cohort = load_image_codebook(FOLDER / "lung/lidc_idri.yaml")
    cohort = cohort.model_copy(
        update={
            "image": cohort.image.model_copy(update={"size": (16, 16), "spacing": (2.0, 2.0)}),
            "slices": cohort.slices.model_copy(update={"rule": "all", "every": None}),
        }
    )
    table = load_images(cohort, tmp_path, key=KEY).table
    (place,) = np.flatnonzero(table.masks.any(axis=(1, 2)))
    assert table.rows["slice"][int(place)] == 8
    assert table.rows["malignancy"][int(place)] == "malignant"
    assert table.masks[place].sum() == 49  # 7 x 7 inside of the outline from 3 to 11


def test_pictures_in_colour_are_refused(tmp_path):
    for name, shape in (("a", (16, 16)), ("b", (16, 16)), ("c", (16, 16, 3))):
        Image.fromarray(np.full(shape, 51, np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "images.csv").write_text("file,patient,malignancy\na.png,a,none\nb.png,b,benign\nc.png,c,none\n")
    cohort = _cohort("listed", "DX", unit="grey", window=[0, 1], spacing=None, minimum_slices=1)
    loaded = load_images(cohort, tmp_path, key=KEY)
    assert loaded.table.pixels.max() == pytest.approx(0.2)
    assert loaded.report.refused[0].rule == "be grey"


def test_who_has_opted_out_is_not_read(tmp_path):
    folder = _folder(tmp_path)
    _series(folder, "gone")
    (folder / "labels.csv").write_text("patient,malignancy\ngood1,none\ngood2,benign\ngone,benign\n")
    loaded = load_images(_cohort(), folder, key=KEY, opted_out=lambda ids: ids == "gone")
    assert (loaded.report.opted_out, loaded.report.patients) == (1, 2)
    assert set(loaded.table.patients) == set(pseudonymise(pl.Series(["good1", "good2"]), KEY))
