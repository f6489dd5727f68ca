"""Images published as one NPZ file in the MedMNIST layout.

Belongs here: its arrays as series of one picture. Does not belong here: any other archive.

Layout: ``{train,val,test}_images`` uint8 [n, h, w] and ``{train,val,test}_labels`` [n, 1]. The file names no patients,
so each image is a privacy unit of its own, known by its split and place.

References
----------
Yang et al. (2023), MedMNIST v2, Scientific Data 10:41.
"""

import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from records.errors import CodebookError, StorageError
from records.images import PrivacyUnit
from use_cases.images.codebook import ImageCohort
from use_cases.images.report import SeriesError
from use_cases.images.volume import Series, Volume

SPLITS = ("train", "val", "test")


def find(path: Path, cohort: ImageCohort) -> Iterator[Series]:
    """One series of one slice per image, with its label and its published split.

    Raises
    ------
    StorageError
        The file is missing, damaged or of another layout.
    CodebookError
        The codebook says that the unit is the patient.
    """
    if cohort.image.privacy_unit is not PrivacyUnit.IMAGE:
        raise CodebookError(f"{cohort.name} must have the privacy unit image, since the file names no patients")
    label = cohort.image.label.source or cohort.image.label.name
    for split, images, labels in _splits(path):
        for place, (image, level) in enumerate(zip(images, labels.ravel(), strict=True)):
            values = {label: str(level), "split": split}
            yield Series(f"{split} {place}", 1, 1, partial(_volume, image, values))


def _splits(path: Path) -> list[tuple[str, NDArray[np.uint8], NDArray[np.generic]]]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [(split, arrays[f"{split}_images"], arrays[f"{split}_labels"]) for split in SPLITS]
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise StorageError(f"{path.name} must be a whole NPZ file of MedMNIST, got another; copy it again") from error


def _volume(image: NDArray[np.uint8], values: dict[str, str]) -> Volume:
    if image.ndim != 2:
        raise SeriesError("be grey", "a colour image", "use the grey variant of the data set")
    return Volume((image / np.float32(255))[None].astype(np.float32), (1.0, 1.0, 1.0), values=values, scaled=False)
