"""A signed head as a value: what its signature covers, and whether it is right.

Belongs here: signing and checking without a store. Does not belong here: keeping heads (``heads``).

References
----------
RFC 6962, section 3.5 (signed tree head); RFC 8032 (Ed25519).
"""

from datetime import datetime
from typing import Any, ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from hub.audit.chain import canonical, stamp
from records.errors import ParameterError

# The hub signs permits with the same key; a signature for one thing must never fit another.
PURPOSE = "phaseiv-audit-head-v1"
LARGEST_FILE = 10_000


class Head(BaseModel):
    """``root`` is the Merkle root over the digests of the first ``size`` entries, in hexadecimal."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)

    purpose: ClassVar[str] = PURPOSE
    size: int = Field(ge=1, le=2**53)
    root: str = Field(pattern="^[0-9a-f]{64}$")
    at: AwareDatetime
    signature: str = Field(default="", pattern="^([0-9a-f]{128})?$")

    @classmethod
    def signed(cls, size: int, root: bytes, at: datetime, key: Ed25519PrivateKey) -> Self:
        """A head with its signature."""
        bare = cls(size=size, root=root.hex(), at=at)
        return bare.model_copy(update={"signature": key.sign(bare.message).hex()})

    @classmethod
    def read(cls, text: str | bytes) -> Self:
        """A head from a file that was kept.

        Raises
        ------
        ParameterError
            It is not one.
        """
        try:
            return cls.model_validate_json(text[:LARGEST_FILE])
        except ValidationError as error:
            raise ParameterError(
                "a kept head must be the JSON file that the audit page gives, got another; choose it again"
            ) from error

    @property
    def message(self) -> bytes:
        """The signed bytes."""
        plain = {"purpose": self.purpose, "size": self.size, "root": self.root, "at": stamp(self.at)}
        return canonical(plain)

    def genuine(self, key: Ed25519PublicKey) -> bool:
        """Whether the holder of ``key``'s private half signed this head."""
        try:
            key.verify(bytes.fromhex(self.signature), self.message)
        except InvalidSignature:
            return False
        return True

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {"size": self.size, "root": self.root, "at": stamp(self.at), "signature": self.signature}


def public_key_of(text: str) -> Ed25519PublicKey:
    """A public key from 64 hexadecimal digits.

    Raises
    ------
    ParameterError
        It is not one.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
    except ValueError as error:
        raise ParameterError(
            f"a public key must be 64 hexadecimal digits, got {len(text)} characters; copy it from the audit page"
        ) from error
