"""MetaImage files (``.mha``, ``.mhd`` with its data file), the form in which PI-CAI is published.

Belongs here: one three-dimensional grey file. Does not belong here: folders of them. An own reader of a text header
and an array, plain or zlib, instead of SimpleITK (a compiled library of 50 MB); the tests read what SimpleITK wrote.

References
----------
MetaIO documentation (Kitware), tags of MetaImage: ``TransformMatrix`` lists the direction (LPS) of axis after axis.
"""

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from use_cases.images.report import SeriesError
from use_cases.images.volume import placed

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_LAST_TAG = "ElementDataFile"
_LONGEST_HEADER = 65_536


def read_metaimage(path: Path) -> tuple[NDArray[np.float32], tuple[float, float, float]]:
    """Values [z, y, x] and the spacing of slices, rows and columns in mm.

    Raises
    ------
    SeriesError
        The file is damaged, in colour, or not one three-dimensional volume.
    """
    try:
        data = path.read_bytes()
        tags, start = _header(data)
        if int(tags.get("ElementNumberOfChannels", 1)) != 1:
            raise SeriesError("be grey", "a colour image", "leave it out")
        if int(tags["NDims"]) != 3:
            raise SeriesError("be one volume", f"{int(tags['NDims'])} dimensions", "split it by time or direction")
        values = _values(tags, _body(path, data[start:], tags))
        spacing = np.array(tags.get("ElementSpacing", "1 1 1").split(), float)
        directions = np.array(tags.get("TransformMatrix", "1 0 0 0 1 0 0 0 1").split(), float).reshape(3, 3)
    except (OSError, KeyError, UnicodeDecodeError, zlib.error, ValueError) as error:
        if isinstance(error, SeriesError):
            raise
        raise SeriesError("have whole files", "a damaged MetaImage file", "copy the series again") from None
    return placed(values, directions * spacing[:, None])


def _header(data: bytes) -> tuple[dict[str, str], int]:
    """Tags, and where the data begins."""
    end = data.index(b"\n", data.index(_LAST_TAG.encode(), 0, _LONGEST_HEADER))
    lines = data[:end].decode("ascii").splitlines()
    pairs = (line.partition("=")[::2] for line in lines if "=" in line)
    return {name.strip(): value.strip() for name, value in pairs}, end + 1


def _body(path: Path, local: bytes, tags: dict[str, str]) -> bytes:
    file = tags[_LAST_TAG]
    if file == "LOCAL":
        body = local
    elif Path(file).name == file:
        body = (path.parent / file).read_bytes()
    else:
        raise SeriesError("have its data file beside it", "another folder or a list", "write it as one .mha file")
    return zlib.decompress(body) if tags.get("CompressedData", "False") == "True" else body


def _values(tags: dict[str, str], body: bytes) -> NDArray[np.float32]:
    """Values with axes in the order of the tags: x, y, z."""
    order = ">" if tags.get("BinaryDataByteOrderMSB", "False") == "True" else "<"
    kind = np.dtype(order + _TYPES[tags["ElementType"]])
    shape = [int(n) for n in tags["DimSize"].split()]
    return np.frombuffer(body, kind).reshape(shape[::-1]).astype(np.float32).transpose()
