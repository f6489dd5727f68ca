"""Reading an uploaded archive within limits.

Belongs here: refusing archives that would fill memory, leave their folder or hide something. Does not belong here: what
the files mean (``output_checks``). Nothing is ever written to disk.

References
----------
CWE-22 (path traversal), CWE-409 (decompression bombs); PKWARE APPNOTE 6.3 (zip).
"""

import io
import lzma
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from records.errors import ParameterError

PIECE = 65_536
# What the standard library raises on archives that are no archives.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OSError,
)


@dataclass(frozen=True)
class Limits:
    """The most an archive may hold, in bytes and files; ``ratio`` is unpacked to packed size."""

    archive: int = 20 * 2**20
    files: int = 100
    unpacked: int = 100 * 2**20
    ratio: int = 200


def read_archive(data: bytes, limits: Limits = Limits()) -> dict[str, bytes]:
    """Name to bytes of every file in a zip archive.

    Raises
    ------
    ParameterError
        It is no zip archive, breaks a limit, or holds a name, link or encryption that is not accepted.
    """
    if len(data) > limits.archive:
        raise ParameterError(
            f"an archive must have at most {limits.archive} bytes, got {len(data)}; send less at a time"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _must_fit(entries, limits)
            return _contents(archive, entries, limits)
    except ParameterError:
        raise
    except DAMAGE as error:
        raise ParameterError("an archive must be a whole zip file, got another; pack it again") from error


def safe_name(name: str) -> bool:
    """Whether ``name`` stays in its folder on every system."""
    path = PurePosixPath(name)
    plain = name.isprintable() and not set(name) & set('\\:*?"<>|') and len(name) <= 200
    return (
        plain and not path.is_absolute() and name != "" and ".." not in path.parts and str(path) == name and name != "."
    )


def _must_fit(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(entries) > limits.files:
        raise ParameterError(f"an archive must hold at most {limits.files} files, got {len(entries)}; send fewer")
    if len({entry.filename.lower() for entry in entries}) != len(entries):
        raise ParameterError("an archive must name each file once, got one twice; rename it")
    for entry in entries:
        if not safe_name(entry.filename):
            raise ParameterError("an archive's names must be plain relative paths, got another; rename the file")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise ParameterError("an archive must hold plain files, got a link; send the file itself")
        if entry.flag_bits & 1:
            raise ParameterError("an archive must not be encrypted, got an encrypted file; send it plain")
        if entry.file_size > limits.ratio * max(entry.compress_size, 1):
            raise ParameterError(
                f"a file must unpack to at most {limits.ratio} times its size, got more; send it plain"
            )
    if (total := sum(entry.file_size for entry in entries)) > limits.unpacked:
        raise ParameterError(f"an archive must unpack to at most {limits.unpacked} bytes, got {total}; send less")


def _contents(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], limits: Limits) -> dict[str, bytes]:
    """What the directory says of sizes may be a lie: what is unpacked is counted."""
    made: dict[str, bytes] = {}
    left = limits.unpacked
    for entry in entries:
        parts: list[bytes] = []
        with archive.open(entry) as source:
            while part := source.read(PIECE):
                left -= len(part)
                if left < 0:
                    raise ParameterError(f"an archive must unpack to at most {limits.unpacked} bytes; send less")
                parts.append(part)
        made[entry.filename] = b"".join(parts)
    return made
