"""One file per image table: rows, pixels, masks and what they mean, hashed and written whole or not at all.

Belongs here: bytes on disk. Does not belong here: formats of scanners and other programs (``use_cases.images``).

The file is a ZIP of NumPy arrays (NumPy's NPZ form) whose rows are Parquet bytes. Entries bear a fixed time, so equal
tables give equal bytes under one version of polars and NumPy.
"""

import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from records.errors import ParameterError
from records.files import parquet_bytes, read_whole, sha256, write_atomically
from records.images.schema import IntensityUnit
from records.images.table import ImageTable

_EPOCH = (1980, 1, 1, 0, 0, 0)
_DAMAGE = (EOFError, KeyError, ValueError, zlib.error, zipfile.BadZipFile, pl.exceptions.PolarsError, ParameterError)


@dataclass(frozen=True)
class ImageFile:
    """An image table and the sha256 of the bytes that hold it."""

    table: ImageTable
    sha256: str


def image_bytes(table: ImageTable) -> bytes:
    """The table as one NPZ file."""
    about = {
        "unit": table.unit.value, "spacing": table.spacing, "phantom": table.phantom, "local_only": table.local_only,
    }  # fmt: skip
    arrays = {
        "about": np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8),
        "rows": np.frombuffer(parquet_bytes(table.rows), np.uint8),
        "pixels": table.pixels,
    }
    if table.masks is not None:
        arrays["masks"] = table.masks
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), _npy(array), zipfile.ZIP_DEFLATED, 1)
    return buffer.getvalue()


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def write_images(path: Path, table: ImageTable) -> ImageFile:
    """Write an image table atomically and return it with its sha256.

    Raises
    ------
    StorageError
        The disk is full or not writable; a former file is untouched.
    """
    data = image_bytes(table)
    write_atomically(path, data)
    return ImageFile(table, sha256(data))


def read_images(path: Path) -> ImageFile:
    """Read what ``write_images`` wrote; hash and table come from the same bytes.

    Raises
    ------
    StorageError
        The file is missing or damaged.
    """
    return ImageFile(*read_whole(path, _table, "image file", _DAMAGE))


def _table(data: bytes) -> ImageTable:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        spacing = about["spacing"]
        return ImageTable(
            rows=pl.read_parquet(io.BytesIO(arrays["rows"].tobytes())),
            pixels=arrays["pixels"],
            unit=IntensityUnit(about["unit"]),
            spacing=None if spacing is None else (spacing[0], spacing[1]),
            masks=arrays.get("masks"),
            phantom=about["phantom"],
            local_only=about["local_only"],
        )
