"""Encryption in frames: whole files return, and every change is found."""

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.repository import cipher
from records.errors import StorageError

KEY = bytes(range(32))
STEP = cipher.FRAME + cipher.TAG


def sealed(data: bytes, context: bytes = b"a") -> bytes:
    sink = io.BytesIO()
    cipher.encrypt(io.BytesIO(data), sink, KEY, context)
    return sink.getvalue()


def opened(data: bytes, context: bytes = b"a", key: bytes = KEY) -> bytes:
    return b"".join(cipher.decrypt(io.BytesIO(data), key, context))


@pytest.mark.parametrize("size", [0, 1, cipher.FRAME - 1, cipher.FRAME, cipher.FRAME + 1, 3 * cipher.FRAME])
def test_what_goes_in_comes_out(size: int) -> None:
    data = os.urandom(size)
    assert opened(sealed(data)) == data
    assert data[:16] not in sealed(data) or size < 16  # one byte may stand in random ones by chance


@given(st.integers(0, 2 * STEP + 99), st.integers(0, 7))
def test_every_flipped_bit_is_found(place: int, bit: int) -> None:
    data = bytearray(sealed(bytes(2 * cipher.FRAME + 83)))
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(StorageError, match="damage"):
        opened(bytes(data))


def test_cutting_moving_doubling_and_swapping_are_found() -> None:
    data = sealed(os.urandom(3 * cipher.FRAME))
    frames = [data[i : i + STEP] for i in range(0, len(data), STEP)]
    for changed in (
        frames[:2], frames[:1], [frames[1], frames[0], frames[2]], [*frames, frames[2]], [frames[0], frames[0], frames[2]], [],
    ):  # fmt: skip
        with pytest.raises(StorageError):
            opened(b"".join(changed))
    with pytest.raises(StorageError):
        opened(data, b"b")
    with pytest.raises(StorageError):
        opened(data, key=bytes(32))


def test_a_key_opens_with_its_own_master_only() -> None:
    master, key = os.urandom(32), cipher.new_key()
    assert cipher.unwrap(master, cipher.wrap(master, key)) == key
    with pytest.raises(StorageError, match="master key"):
        cipher.unwrap(os.urandom(32), cipher.wrap(master, key))
