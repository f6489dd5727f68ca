"""Table and text files: hashed, written to a temporary file and renamed, so that nothing is ever half written.

Belongs here: bytes on disk and their sha256. Does not belong here: reading a stranger's file (``reading``).
"""

import errno
import fcntl
import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from records.errors import StorageError

Value = TypeVar("Value")


@dataclass(frozen=True)
class TableFile:
    """A table and the sha256 of the Parquet bytes that hold it."""

    frame: pl.DataFrame
    sha256: str


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """The table as Parquet; equal tables give equal bytes under one polars version."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()


def sha256(data: bytes) -> str:
    """Hexadecimal sha256."""
    return hashlib.sha256(data).hexdigest()


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Whoever comes second to the same file waits: threads and processes of one machine.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = lock.open("ab")
    except OSError as error:
        raise StorageError(
            f"{lock.name} must be writable, got {error.strerror or error}; free disk space or mend its rights"
        ) from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_atomically(path: Path, data: bytes, *, called: str | None = None) -> None:
    """Write a whole file or nothing.

    The bytes go to a temporary file in the same folder, are flushed to disk, and take the name in one step.

    Parameters
    ----------
    called : str or None
        The file's name in the error, if it is to be renamed afterwards.

    Raises
    ------
    StorageError
        The disk is full or not writable; a former file at ``path`` is untouched.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as handle:
            temporary = Path(handle.name)
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise StorageError(
            f"{called or path.name} must be written whole, got {error.strerror or error}; {_remedy(error)}, the former file is unchanged"
        ) from error


def _remedy(error: OSError) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "free disk space or name another place" if full else "name another place or mend its rights"


def write_table(path: Path, frame: pl.DataFrame) -> TableFile:
    """Write a table atomically and return it with its sha256."""
    data = parquet_bytes(frame)
    write_atomically(path, data)
    return TableFile(frame, sha256(data))


def read_table_file(path: Path) -> TableFile:
    """Read a table that ``write_table`` wrote; hash and table come from the same bytes.

    Raises
    ------
    StorageError
        The file is missing or damaged.
    """
    damage = (pl.exceptions.PolarsError,)
    return TableFile(*read_whole(path, lambda data: pl.read_parquet(io.BytesIO(data)), "Parquet file", damage))


def read_whole(
    path: Path, read: Callable[[bytes], Value], what: str, damage: tuple[type[Exception], ...]
) -> tuple[Value, str]:
    """What ``read`` makes of a file's bytes, and the sha256 of the same bytes.

    Parameters
    ----------
    damage : tuple of exception types
        What ``read`` raises on a damaged file.

    Raises
    ------
    StorageError
        The file is missing or damaged.
    """
    try:
        data = path.read_bytes()
        return read(data), sha256(data)
    except FileNotFoundError as error:
        raise StorageError(f"{path.name} must exist, got no file; materialise the asset that writes it") from error
    except (OSError, *damage) as error:
        raise StorageError(f"{path.name} must be a whole {what}, got a damaged one; materialise it again") from error
