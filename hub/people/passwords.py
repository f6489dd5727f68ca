"""Passwords by scrypt.

Belongs here: hashing and checking. Does not belong here: throttling and sessions.

References
----------
RFC 7914 (scrypt); OWASP Password Storage Cheat Sheet (N = 2^17, r = 8, p = 1); NIST SP 800-63B (length, no composition).
"""

import base64
import hashlib
import hmac
import os

from records.errors import ParameterError

COST, BLOCK, PARALLEL = 2**17, 8, 1
SHORTEST, LONGEST = 12, 128


def hashed(password: str, *, cost: int = COST) -> str:
    """The stored form ``scrypt$N$salt$key``.

    Raises
    ------
    ParameterError
        The password is shorter than 12 or longer than 128 characters.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise ParameterError(
            f"a password must have {SHORTEST} to {LONGEST} characters, got {len(password)}; choose another"
        )
    salt = os.urandom(16)
    return f"scrypt${cost}${_text(salt)}${_text(_derived(password, salt, cost))}"


def matches(password: str, stored: str | None) -> bool:
    """Whether the password is right; an unknown account takes as long as a known one."""
    _, cost, salt, key = (stored or UNKNOWN).split("$")
    found = _derived(password[:LONGEST], base64.b64decode(salt), int(cost))
    return hmac.compare_digest(found, base64.b64decode(key)) and stored is not None


def _derived(password: str, salt: bytes, cost: int) -> bytes:
    memory = 256 * cost * BLOCK
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=BLOCK, p=PARALLEL, maxmem=memory, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


UNKNOWN = f"scrypt${COST}${_text(bytes(16))}${_text(bytes(32))}"
