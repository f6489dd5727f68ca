"""Who attests the state of the books: an interface, and the hub's own signature as its first form.

Belongs here: attesting and checking heads. Does not belong here: keeping them (``heads``). Another notary, for instance a time
stamping service (RFC 3161), only has to give these two functions.

References
----------
RFC 6962, section 3.5 (signed tree head); RFC 8032 (Ed25519).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from hub.audit.head import Head
from hub.keys import Keys


class BooksHead(Head):
    """The Merkle root over the first ``size`` transactions; its signature fits no head of the audit log."""

    purpose: ClassVar[str] = "phaseiv-books-head-v1"


class Notary(Protocol):
    """Attests that the books had a root at a time."""

    def attest(self, size: int, root: bytes, at: datetime) -> BooksHead:
        """A head with its signature."""
        ...

    def genuine(self, head: BooksHead) -> bool:
        """Whether this notary attested the head."""
        ...


@dataclass(frozen=True)
class LocalNotary:
    """Signs with the hub's own key: proves nothing against the hub itself unless heads are kept elsewhere."""

    keys: Keys

    def attest(self, size: int, root: bytes, at: datetime) -> BooksHead:
        """A head signed by Ed25519."""
        return BooksHead.signed(size, root, at, self.keys.signing)

    def genuine(self, head: BooksHead) -> bool:
        """Whether the hub's key signed it."""
        return bool(head.signature) and head.genuine(self.keys.signing.public_key())
