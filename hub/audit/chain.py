"""The hash chain: what an entry's digest covers.

Belongs here: canonical bytes and digests, without a store. Does not belong here: appending (``log``), verification
(``verify``).

References
----------
RFC 8785 (canonical JSON): sorted keys, no spaces; numbers are written as Python writes them, which one program does alike
everywhere. Haber and Stornetta (1991), How to time-stamp a digital document: linking.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
BODY = ("number", "at", "actor", "action", "subject", "detail")


def canonical(value: Mapping[str, Any]) -> bytes:
    """One text for one value."""
    return ENCODER.encode(value).encode()


def stamp(at: datetime) -> str:
    """A time in UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def digest_of(body: Mapping[str, Any], former: str) -> str:
    """Hexadecimal sha256 over the canonical JSON of an event and the former digest."""
    plain = {**body, "at": stamp(body["at"]), "former": former}
    return hashlib.sha256(canonical(plain)).hexdigest()
