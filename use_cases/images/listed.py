"""NIfTI, MetaImage and PNG files named by a table: the layout for a user's own folder.

Belongs here: the table and one series per line. Does not belong here: formats (``nifti``, ``metaimage``,
``pictures``).

Layout: ``images.csv`` in the folder, one line per series, with columns ``file`` and ``patient``, perhaps ``mask``
(files relative to the folder), and labels and clinical columns named as in the codebook.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from records.errors import ParameterError, StorageError
from records.reading import read_table
from use_cases.images.codebook import ImageCohort
from use_cases.images.metaimage import read_metaimage
from use_cases.images.pictures import read_drawn_mask, read_picture
from use_cases.images.report import SeriesError
from use_cases.images.volume import Series, Volume

TABLE = "images.csv"
_NIFTI, _METAIMAGE, _PICTURE = (".nii", ".nii.gz"), (".mha", ".mhd"), (".png",)
# Rounding of headers by converters, as a share of the spacing.
_SAME_SPACING = 1e-3


def find(folder: Path, cohort: ImageCohort) -> Iterator[Series]:
    """One series per line of the table; a patient's lines are numbered in order.

    Raises
    ------
    StorageError
        The table cannot be read or lacks the columns ``file`` or ``patient``.
    """
    table = read_table(folder / TABLE)
    if not {"file", "patient"} <= set(table.columns):
        raise StorageError(f"{TABLE} must have the columns file and patient, got others; mend its header")
    seen: Counter[str] = Counter()
    for line in table.iter_rows(named=True):
        patient = line["patient"] or ""
        seen[patient] += 1
        yield Series(patient, 1, seen[patient], partial(_read, folder, line))


def _read(folder: Path, line: Mapping[str, Any]) -> Volume:
    mask = folder / line["mask"] if line.get("mask") else None
    return read_volume(folder / (line["file"] or ""), mask, line)


def read_volume(path: Path, mask: Path | None, values: Mapping[str, Any]) -> Volume:
    """An image file with its mask file and values.

    Raises
    ------
    SeriesError
        A file is missing, damaged, in colour or of an unknown kind, or the mask lies on another grid.
    """
    pixels, spacing, scaled = _image(path, drawn=False)
    if mask is None:
        return Volume(pixels, spacing, values=values, scaled=scaled)
    drawn, mask_spacing, _ = _image(mask, drawn=True)
    if drawn.shape != pixels.shape:
        raise SeriesError("have a mask of its shape", "a mask of another shape", "resample the mask to the image")
    if not np.allclose(spacing, mask_spacing, rtol=_SAME_SPACING):
        raise SeriesError("have a mask of its spacing", "a mask of another spacing", "resample the mask to the image")
    return Volume(pixels, spacing, _classes(drawn), values, scaled)


def _image(path: Path, *, drawn: bool) -> tuple[NDArray[np.float32], tuple[float, float, float], bool]:
    """Values, spacing in mm and whether the spacing is known."""
    if not path.is_file():
        raise SeriesError("have its files in the folder", "a file that is not there", "mend the table or add the file")
    if path.name.endswith(_NIFTI):
        return *_nifti(path), True
    if path.name.endswith(_METAIMAGE):
        return *read_metaimage(path), True
    if path.name.endswith(_PICTURE):
        return (read_drawn_mask(path) if drawn else read_picture(path)), (1.0, 1.0, 1.0), False
    raise SeriesError("be a NIfTI, MetaImage or PNG file", "another ending", "convert it")


def _nifti(path: Path) -> tuple[NDArray[np.float32], tuple[float, float, float]]:
    try:
        from use_cases.images.nifti import read_nifti  # needs the extra images, the other formats do not
    except ModuleNotFoundError as error:
        raise ParameterError(
            f"NIfTI files must have their reader, got no {error.name}; install the extra images"
        ) from None
    return read_nifti(path)


def _classes(drawn: NDArray[np.float32]) -> NDArray[np.uint8]:
    if not ((drawn >= 0) & (drawn <= 255) & (drawn == drawn.round())).all():
        raise SeriesError("have mask values 0 to 255", "others", "write the mask as whole numbers")
    return drawn.astype(np.uint8)
