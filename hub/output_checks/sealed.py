"""Outputs in the store are readable with the hub's master key only.

Belongs here: sealing and opening small contents. Does not belong here: artefacts (``repository``).

References
----------
RFC 5869 (HKDF); NIST SP 800-38D (GCM).
"""

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12


def seal(master: bytes, output_id: str, content: bytes) -> bytes:
    """The content, bound to its output."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(_key(master, output_id)).encrypt(nonce, content, output_id.encode())


def opened(master: bytes, output_id: str, sealed: bytes) -> bytes:
    """The content."""
    return AESGCM(_key(master, output_id)).decrypt(sealed[:NONCE], sealed[NONCE:], output_id.encode())


def _key(master: bytes, output_id: str) -> bytes:
    return HKDF(SHA256(), 32, None, b"output-check:" + output_id.encode()).derive(master)
