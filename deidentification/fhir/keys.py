"""Keyed names in place of ids, references and addresses, the same in all files.

Belongs here: remapping under the hospital's key. Does not belong here: pseudonyms of patients (``deidentification.
pseudonyms``), which the tables use too.
"""

import hmac
import re
import uuid
from collections.abc import Container

# Base of full URLs in the result; the reserved domain (RFC 2606) belongs to nobody.
BASE = "http://deidentified.invalid/fhir"
_LITERAL = re.compile(
    r"(?:https?://[^\s?#]+/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)
_URN = ("urn:uuid:", "urn:oid:")


class Names:
    """New names under a key, for references to resources of ``types`` only."""

    def __init__(self, key: bytes, types: Container[str]) -> None:
        self.key, self.types = key, types

    def new_id(self, kind: str, identity: str) -> str:
        """Id of a resource: 32 hexadecimal digits."""
        return self._digest(f"{kind}/{identity}").hex()[:32]

    def reference(self, old: object) -> str | None:
        """A literal reference; ``None`` where it tells more than a resource (a search, a fragment) or of a dropped type."""
        if not isinstance(old, str):
            return None
        if old.startswith(_URN):
            return f"urn:uuid:{uuid.UUID(bytes=self._digest(old)[:16])}"
        literal = _LITERAL.fullmatch(old)
        if literal is None or literal[1] not in self.types:
            return None
        return f"{literal[1]}/{self.new_id(literal[1], literal[2])}"

    def url(self, old: object) -> str | None:
        """A ``fullUrl`` against which the new references resolve."""
        new = self.reference(old)
        return new if new is None or new.startswith("urn:") else f"{BASE}/{new}"

    def file(self, old: str) -> str:
        """Name of a file, since hospitals name files after patients."""
        return self._digest(f"file/{old}").hex()[:16]

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self.key, f"fhir:{text}".encode("utf-8", "surrogatepass"), "sha256")


def tail(reference: object) -> str | None:
    """``Type/id`` of a literal reference, or a URN as it stands."""
    if not isinstance(reference, str):
        return None
    literal = _LITERAL.fullmatch(reference)
    return f"{literal[1]}/{literal[2]}" if literal else reference
