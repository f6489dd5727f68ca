"""Folders of files: filled under a temporary name and renamed, so that a folder is whole or not there.

Belongs here: the one way in which a folder takes its name. Does not belong here: what lies in it, or single files
(``files``).
"""

import fcntl
import glob
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from records.errors import StorageError

_DRAWN = 8  # characters that ``mkdtemp`` draws
_JUST_MADE = 60  # seconds


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside ``folder`` to write into; it takes that name when the block ends without an error.

    Whatever goes wrong before, nothing is left behind; what a process that was killed left goes with the next run. Files
    are not forced to the disk one by one: after a power cut a folder may have to be written again. Only its owner may read
    it until its rights are widened.

    Parameters
    ----------
    folder : Path
        New, or an empty folder; its parents are made.

    Raises
    ------
    StorageError
        The folder has files already, or the disk refuses.
    """
    refuse_taken(folder)
    temporary = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_left(folder)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        with _held(temporary):
            yield temporary
            temporary.replace(folder)
    except OSError as error:
        raise StorageError(
            f"{folder.name} must be written whole, got {error.strerror or type(error).__name__}; "
            "free disk space or choose another folder"
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Lock a folder while it is written; False if somebody else writes it, or if it cannot be locked."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield _locked(handle)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held by another; or on NFS, which locks only what is open for writing: no folder ever
        return False
    return True


def _remove_left(folder: Path) -> None:
    """Remove hidden folders of this name that nobody writes any more; one just made may be about to be locked."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.{'[a-z0-9_]' * _DRAWN}"):
        with suppress(OSError):  # another user's, or removed by another run meanwhile
            if left.is_dir() and not left.is_symlink() and time.time() - left.stat().st_mtime > _JUST_MADE:
                with _held(left) as free:
                    if free:
                        shutil.rmtree(left, ignore_errors=True)


def refuse_taken(folder: Path) -> None:
    """Refuse a place that holds something already.

    Raises
    ------
    StorageError
    """
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise StorageError(f"{folder.name} must be a new or empty folder, got one that is not; choose another")
