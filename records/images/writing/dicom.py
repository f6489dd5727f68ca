"""Synthetic images as a folder of DICOM files, one for each slice, and one segmentation for each masked series.

Belongs here: files, identity of patients, studies and series, geometry. Does not belong here: attributes that all
images share (``dicom_attributes``) and masks (``dicom_masks``).

Layout: ``<patient>/<study>-<series>/<slice>.dcm``. ``labels.csv`` has a line for each patient, where a line says it all;
``images.csv`` has one for each slice in any case. A table knows no distance between slices: they lie ``SLICE_STEP`` mm
apart by number, which is nominal.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from records.images.schema import ImageSchema, Modality
from records.images.table import INDEX, PATIENT, SERIES, STUDY, ImageTable
from records.images.writing.dicom_attributes import decimals, scale_of, shared_attributes, uid
from records.images.writing.facts import MadeBy
from records.images.writing.folders import Written, needing_extra, write_csv
from records.images.writing.values import SLICE_STEP

LABELS = "labels.csv"
MASK = "mask.dcm"


def write(folder: Path, table: ImageTable, schema: ImageSchema, made_by: MadeBy) -> Written:
    """Files of all slices, masks, and ``labels.csv``.

    Raises
    ------
    ParameterError
        The modality has no standard way to hold such images, or masks need a library that is missing.
    """
    scale = scale_of(schema)
    shared = shared_attributes(schema, made_by)
    files, masks = [""] * len(table), [""] * len(table)
    for name, rows in _series(table):
        place = folder / name
        place.mkdir(parents=True)
        images = [_slice(shared, table.rows.row(row, named=True), schema, made_by) for row in rows]
        for row, image in zip(rows, images, strict=True):
            image.PixelData = scale.stored(table.pixels[row]).tobytes()
            files[row] = f"{name}/{image.InstanceNumber:05}.dcm"
            save(image, folder / files[row])
        if table.masks is not None:
            segmentation = needing_extra("dicom_masks").segmentation
            save(segmentation(images, table.masks[rows], schema, made_by), place / MASK)
            for row in rows:
                masks[row] = f"{name}/{MASK}"
    _write_labels(folder, table)
    return Written(files, masks if table.masks is not None else None, _words(schema))


def _series(table: ImageTable) -> Iterator[tuple[str, list[int]]]:
    """Folder of each series and its rows, slices rising."""
    ordered = table.rows.with_row_index("row").sort(list(INDEX))
    for (patient, study, series), rows in ordered.group_by([PATIENT, STUDY, SERIES], maintain_order=True):
        yield f"{patient}/{study}-{series}", rows["row"].to_list()


def _slice(shared: Dataset, row: dict[str, Any], schema: ImageSchema, made_by: MadeBy) -> Dataset:
    image = Dataset()
    image.update(shared)  # type: ignore[arg-type]
    patient, study, series, number = (row[name] for name in INDEX)
    image.PatientID, image.PatientName = patient, f"{patient}^{'Phantom' if schema.phantom else 'Synthetic'}"
    image.StudyInstanceUID = uid(made_by, schema.name, patient, study)
    image.SeriesInstanceUID = uid(made_by, schema.name, patient, study, series)
    image.SOPInstanceUID = uid(made_by, schema.name, patient, study, series, number)
    image.SeriesNumber, image.InstanceNumber = series, number + 1
    if schema.modality is not Modality.DX:
        image.FrameOfReferenceUID = uid(made_by, schema.name, patient, study, "frame of reference")
        image.ImagePositionPatient = _position(schema, number)
    return image


def _position(schema: ImageSchema, number: int) -> list[str]:
    """Centre of the first pixel: images lie about the middle of the patient."""
    assert schema.spacing is not None
    down, across = ((count - 1) / 2 * step for count, step in zip(schema.size, schema.spacing, strict=True))
    return decimals(-across, -down, number * SLICE_STEP)


def save(image: Dataset, path: Path) -> None:
    """Write one file of the PS3.10 format."""
    image.file_meta = FileMetaDataset()
    image.file_meta.MediaStorageSOPClassUID = UID(image.SOPClassUID)
    image.file_meta.MediaStorageSOPInstanceUID = UID(image.SOPInstanceUID)
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.ImplementationVersionName = "PHASEIV"
    image.save_as(path, enforce_file_format=True)


def _write_labels(folder: Path, table: ImageTable) -> None:
    values = [name for name in table.rows.columns if name not in INDEX]
    lines = table.rows.select(PATIENT, *values).unique(maintain_order=True).sort(PATIENT)
    if not lines[PATIENT].is_duplicated().any():
        write_csv(folder / LABELS, lines.rename({PATIENT: "patient"}))


def _words(schema: ImageSchema) -> str:
    if schema.modality is Modality.CT:
        return "Hounsfield units, rounded to whole numbers"
    return "16 bits, unsigned; Real World Value Mapping gives the unit"
