"""PI-CAI as published: T2 prostate MR with lesion masks and a sheet of clinical findings.

Belongs here: which file is whose, and what a slice shows. Does not belong here: MetaImage itself (``metaimage``).

Layout (public training set, Zenodo record 6517398, and its labels ``picai_labels``): somewhere below the folder
``<patient>/<patient>_<study>_t2w.mha``; the human expert's masks on the T2 grid,
``csPCa_lesion_delineations/human_expert/resampled/<patient>_<study>.nii.gz`` (0, or the ISUP grade 2 to 5); and
``clinical_information/marksheet.csv`` with patient_id, study_id, patient_age, psa, psad, prostate_volume, case_ISUP.

References
----------
Saha et al. (2024), Artificial intelligence and radiologists in prostate cancer detection on MRI (PI-CAI), Lancet
Oncology 25:879. doi:10.5281/zenodo.6522364.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from records.errors import StorageError
from records.reading import read_table
from use_cases.images.codebook import ImageCohort
from use_cases.images.listed import read_volume
from use_cases.images.report import SeriesError
from use_cases.images.volume import Series, Volume

_GRADES = range(6)
_MASKS = "csPCa_lesion_delineations/human_expert/resampled"


def find(folder: Path, cohort: ImageCohort) -> Iterator[Series]:
    """The axial T2 series of each study, patients in order.

    Raises
    ------
    StorageError
        The images, the masks' folder or the marksheet are missing.
    """
    images = sorted(folder.rglob("*_t2w.mha"))
    sheets = sorted(folder.rglob("marksheet.csv"))
    if not images or not sheets:
        raise StorageError(f"{folder.name} must hold *_t2w.mha files and marksheet.csv, got none; unpack both into it")
    rows = _marks(sheets[0])
    masks = {path.name.split(".")[0]: path for path in folder.rglob(f"{_MASKS}/*.nii.gz")}
    for patient, paths in groupby(images, key=lambda path: path.name.split("_")[0]):
        for study, path in enumerate(paths, start=1):
            case = path.name.removesuffix("_t2w.mha")
            yield Series(patient, study, 1, partial(_read, path, masks.get(case), rows.get(case)))


def _marks(path: Path) -> dict[str, dict[str, Any]]:
    table = read_table(path)
    if not {"patient_id", "study_id"} <= set(table.columns):
        raise StorageError(f"{path.name} must have patient_id and study_id, got others; take the published sheet")
    return {f"{row['patient_id']}_{row['study_id']}": row for row in table.iter_rows(named=True)}


def _read(path: Path, mask: Path | None, row: Mapping[str, Any] | None) -> Volume:
    if row is None:
        raise SeriesError("have its study in the marksheet", "no such row", "take the published sheet")
    if mask is None:
        raise SeriesError("have a mask", "none by a human expert", "leave the study out; its lesions are not drawn")
    volume = read_volume(path, mask, {})
    assert volume.masks is not None
    if not np.isin(volume.masks, _GRADES).all():
        raise SeriesError("have mask values 0 to 5", "others", "take the published masks")
    grades = volume.masks.max(axis=(1, 2))
    values = {**row, "cancer": np.where(grades >= 2, "significant", "none").tolist(), "slice_isup": grades.tolist()}
    return Volume(volume.pixels, volume.spacing, (volume.masks >= 2).astype(np.uint8), values)
