"""New UIDs that keep references: the same UID under the same key is the same new one, in every file of a project.

Belongs here: the keyed map and which UIDs name things of the standard. Does not belong here: which attributes hold
UIDs (``profile``).

References
----------
DICOM PS3.5 B.2 (UUID derived UIDs); RFC 9562 (UUID version 8).
"""

import hmac
from uuid import UUID

from pydicom._uid_dict import UID_dictionary

_CONTEXT = b"uid:"
_STANDARD_ROOT = "1.2.840.10008."


def new_uid(uid: str, key: bytes) -> str:
    """``2.25.`` and 128 bits of HMAC-SHA-256(key, "uid:" + uid) as a UUID of version 8."""
    drawn = bytearray(hmac.digest(key, _CONTEXT + uid.strip(" \0").encode(), "sha256")[:16])
    drawn[6] = drawn[6] & 0x0F | 0x80
    drawn[8] = drawn[8] & 0x3F | 0x80
    return f"2.25.{UUID(bytes=bytes(drawn)).int}"


def names_a_standard_thing(uid: str) -> bool:
    """Whether the UID is one of PS3.6 (a class, a transfer syntax, a well-known frame), not a made-up one.

    Private classes, coding schemes and context groups are made-up: they tell the hospital or can hold a number.
    """
    return uid in UID_dictionary or uid == _STANDARD_ROOT[:-1]
