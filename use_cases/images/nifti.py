"""NIfTI files as volumes in the house's orientation.

Belongs here: one file. Does not belong here: folders of them.

References
----------
NIfTI-1 data format (Cox et al. 2004), qform and sform. nibabel: world coordinates are RAS+, DICOM's are LPS+.
"""

import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from use_cases.images.report import SeriesError
from use_cases.images.volume import placed

_RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])


def read_nifti(path: Path) -> tuple[NDArray[np.float32], tuple[float, float, float]]:
    """Scaled values [z, y, x] and the spacing of slices, rows and columns in mm.

    Raises
    ------
    SeriesError
        The file is damaged, not three-dimensional, in colour, or does not state its orientation.
    """
    try:
        image = nibabel.load(path)
        header: Any = image.header
        if header.get_data_dtype().names:
            raise SeriesError("be grey", "a colour image", "leave it out")
        values = np.asarray(image.dataobj, dtype=np.float32)  # type: ignore[attr-defined]
        affine = image.affine  # type: ignore[attr-defined]
        stated = int(header["qform_code"]) or int(header["sform_code"])
    except (ImageFileError, HeaderDataError, OSError, EOFError, ValueError, KeyError, zlib.error):
        raise SeriesError("have whole files", "a damaged NIfTI file", "copy the series again") from None
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim != 3:
        raise SeriesError("be one volume", f"{values.ndim} dimensions", "split it by time or direction")
    if not stated:
        raise SeriesError("state its orientation", "qform and sform code 0", "convert it again from DICOM")
    return placed(values, (affine[:3, :3] * _RAS_TO_LPS[:, None]).T)
