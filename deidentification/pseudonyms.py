"""Keyed pseudonyms of patient identifiers, and the hospital's secret key.

Belongs here: the keyed hash and where its key comes from. Does not belong here: which column is the identifier
(``records.schema``), or any table that maps pseudonyms back: re-identification is done by hashing again with the key.
"""

import hmac
import os
import re
import secrets
import stat
import tempfile
from pathlib import Path

import polars as pl

from deidentification.identifiers import identifier_texts
from records.errors import ParameterError, StorageError

PSEUDONYM_CHARACTERS = 32
MINIMUM_KEY_BYTES = 16
NEW_KEY_BYTES = 32
_HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2})+")


def pseudonymise(ids: pl.Series, key: bytes) -> pl.Series:
    """Keyed pseudonym of each identifier.

    HMAC-SHA256 cut to 128 bits: without the key it can neither be inverted nor tried out on a list of known
    identifiers, which an unkeyed hash would allow. 45 CFR 164.514(c) permits such a code as long as the key stays
    with the hospital.

    Parameters
    ----------
    ids : polars.Series of String or integers, length n
        Equal identifiers get equal pseudonyms.
    key : bytes
        At least 16 bytes, see ``load_key``.

    Returns
    -------
    polars.Series of String, length n
        32 hexadecimal characters each, named ``pseudonym``.

    Raises
    ------
    ParameterError
        The key is too short, or identifiers are missing or of another type.
    """
    refuse_short_key(key, "the pseudonym key", "use a longer key")
    texts = identifier_texts(ids)
    unique = texts.unique(maintain_order=True)
    hashed = [hmac.digest(key, text.encode(), "sha256").hex()[:PSEUDONYM_CHARACTERS] for text in unique]
    pseudonyms = pl.Series("pseudonym", hashed, dtype=pl.String)
    if len(unique) == len(texts):
        return pseudonyms
    return texts.replace_strict(unique, pseudonyms, return_dtype=pl.String).alias("pseudonym")


def load_key(path: Path, environment: str | None = None) -> bytes:
    """The hospital's key: from the environment's value if there is one, else from a private file.

    Parameters
    ----------
    path : pathlib.Path
        Key file with mode 0600; its bytes are the key as they stand. Created with 32 random bytes when missing.
    environment : str or None
        Value of the environment variable: an even number of hexadecimal digits, or any other text taken as UTF-8.

    Raises
    ------
    ParameterError
        The key has fewer than 16 bytes.
    StorageError
        The file can be read by others, or cannot be read or written.
    """
    if environment is not None:
        return key_from_text(environment)
    try:
        if not path.exists():
            _create(path)
        key = _read_private(path)
    except OSError as error:
        raise StorageError(
            f"key file {path.name} must be readable and writable by its owner, got {error.strerror or error}; "
            "mend the folder's permissions or set the key in the environment"
        ) from error
    refuse_short_key(key, f"key file {path.name}", "put the right key back; a new one changes all pseudonyms")
    return key


def key_from_text(text: str) -> bytes:
    """Key from an environment value; the value never shows in an error.

    Raises
    ------
    ParameterError
        It holds fewer than 16 bytes.
    """
    text = text.strip()
    hexadecimal = _HEXADECIMAL.fullmatch(text) is not None
    key = bytes.fromhex(text) if hexadecimal else text.encode()
    source = f"the pseudonym key from the environment ({'hexadecimal' if hexadecimal else 'text'})"
    refuse_short_key(key, source, 'make one with `python -c "import secrets; print(secrets.token_hex(32))"`')
    return key


def refuse_short_key(key: bytes, what: str, remedy: str) -> None:
    """Raise ``ParameterError`` for a key of fewer than 16 bytes; ``what`` and ``remedy`` go into the message."""
    if len(key) < MINIMUM_KEY_BYTES:
        raise ParameterError(f"{what} must hold at least {MINIMUM_KEY_BYTES} bytes, got {len(key)}; {remedy}")


def _read_private(path: Path) -> bytes:
    with path.open("rb") as handle:
        mode = stat.S_IMODE(os.fstat(handle.fileno()).st_mode)
        if mode & 0o077:
            raise StorageError(
                f"key file {path.name} must be private to its owner (mode 600), got mode {mode:o}; "
                "run `chmod 600` on it, and change the key if others may have read it"
            )
        return handle.read()


def _create(path: Path) -> None:
    """Write a new key whole, then link it to its name: of two racing processes one wins and both read its key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp: mode 0600
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(secrets.token_bytes(NEW_KEY_BYTES))
            handle.flush()
            os.fsync(handle.fileno())
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
