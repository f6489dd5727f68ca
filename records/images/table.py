"""Slices of patients as one value: a table of rows beside an array of pixels and, where there are, masks.

Belongs here: the frozen value, its checks and choosing rows of it. Does not belong here: whether it fits a codebook
(``validation``) or its file (``storage``).
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from records.errors import ParameterError
from records.images.schema import IntensityUnit

PATIENT, STUDY, SERIES, SLICE = "pseudonym", "study", "series", "slice"
INDEX = {PATIENT: pl.String, STUDY: pl.Int32, SERIES: pl.Int32, SLICE: pl.Int32}
_PIXEL_TYPES = (np.dtype(np.float32), np.dtype(np.int16))


@dataclass(frozen=True, repr=False)
class ImageTable:
    """One row, one image and perhaps one mask per slice.

    An axial slice is stored as radiologists see it: rows run from anterior to posterior, columns from the patient's
    right to left, slices from inferior to superior.

    Parameters
    ----------
    rows : polars.DataFrame, n rows
        ``pseudonym``, the ordinals ``study``, ``series`` and ``slice`` (never the hospital's numbers), then labels
        and clinical columns.
    pixels : numpy.ndarray of float32 or int16, [n, h, w]
        Finite, in ``unit``.
    spacing : (float, float) or None
        Height and width of a pixel, mm.
    masks : numpy.ndarray of uint8, [n, h, w], or None
    phantom : bool
        Whether the images are simulated; kept through choosing rows and in the file.
    local_only : bool
        Whether the images must not leave the machine (heads with faces, declared for local use).

    Raises
    ------
    ParameterError
        Lengths, types or values do not fit.
    """

    rows: pl.DataFrame
    pixels: NDArray[np.float32] | NDArray[np.int16]
    unit: IntensityUnit
    spacing: tuple[float, float] | None
    masks: NDArray[np.uint8] | None = None
    phantom: bool = False
    local_only: bool = False

    def __post_init__(self) -> None:
        _refuse_rows(self.rows)
        _refuse_pixels(self.pixels, self.rows.height)
        if self.masks is not None and (self.masks.dtype != np.uint8 or self.masks.shape != self.pixels.shape):
            raise ParameterError(
                f"masks must be uint8 of shape {self.pixels.shape}, got {self.masks.dtype} {self.masks.shape}; "
                "give one mask per image"
            )
        if self.spacing is not None and not (np.isfinite(self.spacing).all() and min(self.spacing) > 0):
            raise ParameterError(f"the spacing must be two lengths above 0 mm, got {self.spacing}; mend it")
        self.pixels.flags.writeable = False
        if self.masks is not None:
            self.masks.flags.writeable = False

    def __len__(self) -> int:
        return self.rows.height

    def __repr__(self) -> str:
        """No row of it: tables end up in logs and error messages."""
        marks = [word for word, holds in (("phantom", self.phantom), ("local only", self.local_only)) if holds]
        return f"ImageTable({', '.join([f'{len(self)} slices of {self.size[0]} x {self.size[1]}', *marks])})"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]

    @property
    def patients(self) -> list[str]:
        """Pseudonyms in order, each once."""
        return self.rows[PATIENT].unique().sort().to_list()

    def groups(self) -> NDArray[np.int64]:
        """Patient of each row as its place in ``patients``, shape [n]: the privacy unit of group-wise clipping."""
        return self.rows.select((pl.col(PATIENT).rank("dense") - 1).cast(pl.Int64)).to_series().to_numpy()

    def select(self, chosen: NDArray[np.bool_] | NDArray[np.integer]) -> "ImageTable":
        """The rows at the given places, or where a mask of length n is true, with their images."""
        places = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        if chosen.dtype == np.bool_ and len(chosen) != len(self):
            raise ParameterError(f"a choice of rows must have {len(self)} marks, got {len(chosen)}; give one per row")
        masks = None if self.masks is None else self.masks[places]
        return replace(self, rows=self.rows[places.tolist()], pixels=self.pixels[places], masks=masks)

    def of_patients(self, patients: list[str] | set[str]) -> "ImageTable":
        """All rows of the patients, in order; unknown ones have none."""
        return self.select(self.rows[PATIENT].is_in(list(patients)).to_numpy())


def _refuse_rows(rows: pl.DataFrame) -> None:
    wrong = [name for name, dtype in INDEX.items() if rows.schema.get(name) != dtype]
    if wrong:
        raise ParameterError(f"rows must have {', '.join(INDEX)} as text and 32-bit integers, got wrong {wrong}")
    index = rows.select(list(INDEX))
    if missing := sum(index.null_count().row(0)):
        raise ParameterError(f"rows must name patient, study, series and slice, got {missing} missing; fill them")
    if repeated := int(index.is_duplicated().sum()):
        raise ParameterError(f"rows must name each slice once, got {repeated} repeated; number the slices")


def _refuse_pixels(pixels: NDArray[np.float32] | NDArray[np.int16], rows: int) -> None:
    if pixels.dtype not in _PIXEL_TYPES or pixels.ndim != 3 or len(pixels) != rows:
        raise ParameterError(
            f"pixels must be float32 or int16 of shape [{rows}, h, w], got {pixels.dtype} {pixels.shape}; "
            "give one image per row"
        )
    if wrong := int(pixels.size - np.isfinite(pixels).sum()):
        raise ParameterError(f"pixels must be finite, got {wrong} that are not; mend the reader")
