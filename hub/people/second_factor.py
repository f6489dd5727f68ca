"""The second factor: time-based one-time passwords.

Belongs here: enrolling and checking. Does not belong here: the password.

References
----------
RFC 6238 (TOTP): 30 s steps, one step of drift, each step's code is accepted once.
"""

import base64
import hmac
import os
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from hub.people.tables import Person

STEP_SECONDS, DIGITS, ISSUER = 30, 6, "PHASE IV AI hub"


def new_secret() -> str:
    """A secret of 160 bits in base32."""
    return base64.b32encode(os.urandom(20)).decode()


def provisioning_uri(secret: str, account: str) -> str:
    """What an authenticator application reads from the QR code."""
    return _totp(secret).get_provisioning_uri(account, ISSUER)


def code_at(secret: str, now: datetime) -> str:
    """The code of the present step."""
    return _totp(secret).generate(int(now.timestamp())).decode()


def accept(person: Person, code: str, now: datetime) -> bool:
    """Whether ``code`` is right and was not used before; remembers its step."""
    if person.totp_secret is None:
        return True
    present = int(now.timestamp()) // STEP_SECONDS
    for step in (present, present - 1):
        expected = _totp(person.totp_secret).generate(step * STEP_SECONDS)
        if hmac.compare_digest(expected, code.encode()) and step > (person.totp_last or 0):
            person.totp_last = step
            return True
    return False


def _totp(secret: str) -> TOTP:
    # Authenticator applications know SHA-1 only; HMAC-SHA-1 is unbroken for this use (RFC 6238, section 1.2).
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS, enforce_key_length=False)
