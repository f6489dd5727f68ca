"""Field elements from a seed that two parties hold: shares that need not be sent.

Belongs here: the pseudo-random generator. Does not belong here: what is shared (``runtime``).

AES-256 in counter mode, 61 bits of every 64; the one value that is not below P, which comes once in 2^61 draws, counts
as 0. Security is computational, that of AES.
"""

import os

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from federation import field

SEED_BYTES = 32
_AT_ONCE = 1 << 13
_ZEROS = memoryview(bytes(8 * _AT_ONCE))


def new_seed() -> bytes:
    """From the operating system."""
    return os.urandom(SEED_BYTES)


class Prg:
    """Draws uniform field elements; two with one seed draw the same."""

    def __init__(self, seed: bytes | None = None) -> None:
        # A seed serves one stream only, so the counter may begin at zero.
        self._stream = Cipher(algorithms.AES(seed or new_seed()), modes.CTR(bytes(16))).encryptor()

    def draw(self, shape: tuple[int, ...] | int) -> np.ndarray:
        """Independent uniform elements."""
        drawn = np.empty(int(np.prod(shape)), np.uint64)
        for start in range(0, drawn.size, _AT_ONCE):
            block = drawn[start : start + _AT_ONCE]
            words = self._stream.update(_ZEROS[: 8 * block.size])
            block[:] = field.from_words(np.frombuffer(words, dtype="<u8"))
        return drawn.reshape(shape)
