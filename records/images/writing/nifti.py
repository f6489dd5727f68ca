"""Synthetic images as a folder of NIfTI volumes of one slice, each with a JSON sidecar, in the manner of BIDS.

Belongs here: volumes, their place in space, sidecars. Does not belong here: other formats.

Layout: ``sub-<patient>/<anat or ct>/sub-<patient>_..._<suffix>.nii.gz`` beside its ``.json``, its mask as ``_dseg.nii.gz``,
and at the top ``dataset_description.json``, ``participants.tsv`` and ``dseg.tsv`` (names of mask values). BIDS has no
suffix for CT nor for MR of unknown sequence, so the folder follows its form and is no valid BIDS data set.

References
----------
BIDS 1.10 (Gorgolewski et al. 2016, Scientific Data 3:160044): file names, GeneratedBy, discrete segmentations.
NIfTI-1 (Cox et al. 2004): world coordinates run to the right, to anterior and to superior.
"""

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import polars as pl
from numpy.typing import NDArray

from records.errors import ParameterError
from records.images.schema import ImageSchema, Modality
from records.images.table import INDEX, PATIENT, SLICE, ImageTable
from records.images.writing.facts import MadeBy
from records.images.writing.folders import Written, write_json
from records.images.writing.values import SLICE_STEP

_FOLDERS = {Modality.CT: "ct", Modality.MR: "anat"}
_SCANNER = 1  # coordinates of the scanner, the code of an image that nothing was registered to
_LONGEST = 79  # of the header's description, which ends in a zero byte


def write(folder: Path, table: ImageTable, schema: ImageSchema, made_by: MadeBy) -> Written:
    """Volumes, masks and sidecars; pixels keep their type and are not rounded.

    Raises
    ------
    ParameterError
        The images have no spacing, or two patients' names are equal without dashes, dots and underscores.
    """
    if schema.spacing is None or schema.modality not in _FOLDERS:
        raise ParameterError(f"{schema.name} must be slices of known spacing for NIfTI, got others; write PNG or DICOM")
    names = _names(table, schema)
    words = made_by.words(schema)
    files, masks = [], []
    for row, (name, number) in enumerate(zip(names, table.rows[SLICE], strict=True)):
        suffix = schema.modality.lower()
        place = folder / f"{name}_{suffix}"
        place.parent.mkdir(parents=True, exist_ok=True)
        files.append(_volume(folder, f"{name}_{suffix}.nii.gz", table.pixels[row], number, schema, words))
        write_json(folder / f"{name}_{suffix}.json", _sidecar(table.rows.row(row, named=True), schema, made_by))
        if table.masks is not None:
            masks.append(_volume(folder, f"{name}_dseg.nii.gz", table.masks[row], number, schema, words))
    _describe(folder, table, schema, made_by)
    return Written(files, masks if table.masks is not None else None, f"{table.pixels.dtype} in the unit, not rounded")


def _names(table: ImageTable, schema: ImageSchema) -> list[str]:
    """Path of each row without suffix; a label in BIDS has letters and digits only."""
    labels = {patient: "".join(filter(str.isalnum, patient)) for patient in table.patients}
    if len(set(labels.values())) < len(labels):
        raise ParameterError(
            "pseudonyms must differ in letters and digits for NIfTI, got some that do not; rename them"
        )
    rows = table.rows.select(list(INDEX)).iter_rows()
    subject = ((f"sub-{labels[patient]}", *numbers) for patient, *numbers in rows)
    part = _FOLDERS[schema.modality]
    return [f"{sub}/{part}/{sub}_ses-{study}_run-{series}_chunk-{place}" for sub, study, series, place in subject]


def _volume(folder: Path, name: str, pixels: NDArray[Any], number: int, schema: ImageSchema, words: str) -> str:
    """Write one slice as a volume; returns its name."""
    image = nibabel.Nifti1Image(np.ascontiguousarray(pixels.T)[:, :, None], _affine(schema, number), dtype=pixels.dtype)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = words[:_LONGEST].encode()
    image.set_qform(image.affine, _SCANNER)
    image.set_sform(image.affine, _SCANNER)
    # without the time of writing, so that equal images give equal bytes
    (folder / name).write_bytes(gzip.compress(image.to_bytes(), 1, mtime=0))
    return name


def _affine(schema: ImageSchema, number: int) -> NDArray[np.float64]:
    """Columns run to the patient's left and rows to posterior, about the middle of the image."""
    assert schema.spacing is not None
    down, across = schema.spacing
    affine = np.diag([-across, -down, SLICE_STEP, 1.0])
    affine[:3, 3] = across * (schema.size[1] - 1) / 2, down * (schema.size[0] - 1) / 2, number * SLICE_STEP
    return affine


def _sidecar(row: dict[str, Any], schema: ImageSchema, made_by: MadeBy) -> dict[str, Any]:
    """What the volume's header cannot say; labels and clinical values under their columns' names."""
    return {
        "Modality": schema.modality.value,
        "BodyPart": schema.body_part.upper(),
        "Manufacturer": made_by.generator,
        "SoftwareVersions": made_by.version,
        "ImageComments": made_by.words(schema),
        "Synthetic": True,
        "Phantom": schema.phantom,
        "Units": schema.unit.value,
        "Window": list(schema.window),
        "Values": {name: value for name, value in row.items() if name not in INDEX},
    }


def _describe(folder: Path, table: ImageTable, schema: ImageSchema, made_by: MadeBy) -> None:
    write_json(
        folder / "dataset_description.json",
        {
            "Name": f"{schema.title} (synthetic)", "BIDSVersion": "1.10.0", "DatasetType": "derivative",
            "GeneratedBy": [
                {"Name": made_by.generator, "Version": made_by.version, "Description": made_by.words(schema)}
            ],
        },
    )  # fmt: skip
    patients = pl.DataFrame({"pseudonym": table.patients}).select(
        pl.format("sub-{}", pl.col(PATIENT).str.replace_all(r"[^A-Za-z0-9]", "")).alias("participant_id"), PATIENT
    )
    (folder / "participants.tsv").write_bytes(patients.write_csv(separator="\t").encode())
    if schema.mask:
        lines = "".join(f"{value}\t{name}\n" for value, name in sorted(schema.mask.items()))
        (folder / "dseg.tsv").write_text(f"index\tname\n{lines}", "utf-8")
