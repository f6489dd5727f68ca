"""ISLES'22 as published: diffusion MR of strokes in the BIDS layout with lesion masks.

Belongs here: which file is whose. Does not belong here: NIfTI itself (``nifti``).

Layout (Zenodo record 7153326): ``sub-strokecaseNNNN/ses-NNNN/dwi/*_dwi.nii.gz`` and, on the same grid,
``derivatives/sub-strokecaseNNNN/ses-NNNN/*_msk.nii.gz`` (0 and 1), perhaps below ``rawdata/`` or a folder more. The
publication says that its images are skull-stripped; the codebook repeats it as the statement of defacing.

References
----------
Hernandez Petzsche et al. (2022), ISLES 2022: a multi-center magnetic resonance imaging stroke lesion segmentation
dataset, Scientific Data 9:762.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from records.errors import StorageError
from use_cases.images.codebook import ImageCohort
from use_cases.images.listed import read_volume
from use_cases.images.report import SeriesError
from use_cases.images.volume import Series, Volume


def find(folder: Path, cohort: ImageCohort) -> Iterator[Series]:
    """The DWI of each session, patients in order of their folders.

    Raises
    ------
    StorageError
        The folder holds no such files.
    """
    images = sorted(path for path in folder.rglob("sub-*_dwi.nii.gz") if "derivatives" not in path.parts)
    if not images:
        raise StorageError(f"{folder.name} must hold sub-*_dwi.nii.gz files, got none; give the unpacked folder")
    masks = {path.name: path for path in folder.rglob("derivatives/**/sub-*_msk.nii.gz")}
    sessions: dict[str, list[Path]] = {}
    for path in images:
        sessions.setdefault(path.name.split("_")[0], []).append(path)
    for patient, paths in sessions.items():
        for study, path in enumerate(paths, start=1):
            mask = masks.get(path.name.replace("_dwi.", "_msk."))
            yield Series(patient, study, 1, partial(_read, path, mask))


def _read(path: Path, mask: Path | None) -> Volume:
    """The label of a slice: whether a lesion is on it."""
    if mask is None:
        raise SeriesError("have a mask", "none", "add its file below derivatives")
    volume = read_volume(path, mask, {})
    assert volume.masks is not None
    lesion = volume.masks > 0
    values = {"lesion": np.where(lesion.any(axis=(1, 2)), "present", "absent").tolist()}
    return Volume(volume.pixels, volume.spacing, lesion.astype(np.uint8), values)
