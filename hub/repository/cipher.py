"""Encryption of files of any size in constant memory.

Belongs here: AES-256-GCM over numbered frames, and wrapping of keys. Does not belong here: where keys and files lie.

References
----------
Hoang, Reyhanitabar, Rogaway and Vizar (2015), Online authenticated encryption and its nonce-reuse misuse-resistance: STREAM.
NIST SP 800-38D (GCM); RFC 3394 (AES key wrap).
"""

import os
from collections.abc import Iterator
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from records.errors import StorageError

FRAME, TAG, KEY_BYTES = 65_536, 16, 32


def new_key() -> bytes:
    """A fresh AES-256 key: each file has its own, so counters may serve as nonces."""
    return os.urandom(KEY_BYTES)


def wrap(master: bytes, key: bytes) -> bytes:
    """The key, readable with the master key only."""
    return aes_key_wrap(master, key)


def unwrap(master: bytes, wrapped: bytes) -> bytes:
    """The key.

    Raises
    ------
    StorageError
        It was wrapped with another master key, or is damaged.
    """
    try:
        return aes_key_unwrap(master, wrapped)
    except InvalidUnwrap as error:
        raise StorageError(
            "an artefact's key must be wrapped by this hub's master key, got another; set the former master key"
        ) from error


def encrypt(source: IO[bytes], target: IO[bytes], key: bytes, context: bytes) -> None:
    """Write ``source`` as frames; each is bound to its number, to ``context`` and to whether it is the last.

    So a frame that is missing, moved, doubled or of another file is found when reading.
    """
    cipher, number, frame = AESGCM(key), 0, source.read(FRAME)
    while True:
        following = source.read(FRAME)
        last = not following
        target.write(cipher.encrypt(_nonce(number, last), frame, context))
        if last:
            return
        number, frame = number + 1, following


def decrypt(source: IO[bytes], key: bytes, context: bytes) -> Iterator[bytes]:
    """The frames of a file that ``encrypt`` wrote; a frame is yielded only when it is proven whole.

    Raises
    ------
    StorageError
        The file was changed or cut.
    """
    cipher, number, frame = AESGCM(key), 0, source.read(FRAME + TAG)
    while True:
        following = source.read(FRAME + TAG)
        last = not following
        try:
            yield cipher.decrypt(_nonce(number, last), frame, context)
        except InvalidTag as error:
            raise StorageError(
                f"a package must be as it was stored, got damage in frame {number}; order it again"
            ) from error
        if last:
            return
        number, frame = number + 1, following


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")
