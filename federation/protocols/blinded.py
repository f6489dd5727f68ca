"""Identifiers as points under a secret scalar, and lists of them between parties.

Belongs here: one party's secret of one job, applied to its own identifiers and to the points of others. Does not belong
here: who sends what to whom (``intersection``, ``linkage``).

A point is the u-coordinate of X25519, whose scalars commute. Whoever lacks one of the secrets on a point can neither
invert it nor try out known identifiers (decisional Diffie-Hellman in the random oracle model).

References
----------
Meadows (1986), A more efficient cryptographic matchmaking protocol. RFC 7748: Elliptic Curves for Security.
"""

import asyncio
import secrets
from collections.abc import Sequence
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from federation.errors import GarbledError
from federation.protocols.elligator import hash_to_curve
from federation.protocols.patients import TAG
from federation.runtime import Runtime

DOMAIN = b"phaseiv-federation-V01-CS01-with-curve25519_XMD:SHA-512_ELL2_RO_"
POINT = 32
CHUNK = 2048  # points between two messages, so that nobody waits for long
MOST = 1 << 18  # points of a list: one party's turn stays below half a minute
_SIZE = 8
Points = list[bytes]
Thing = TypeVar("Thing")


class Blinding:
    """A secret scalar of one party for one job; never stored."""

    def __init__(self) -> None:
        self._secret = X25519PrivateKey.generate()

    def hashed(self, identifiers: Sequence[str | None], job: str) -> Points:
        """Own identifiers, and decoys for ``None``, as points under the secret; ``job`` keeps jobs apart."""
        return self.applied([decoy() if one is None else _point(one, job) for one in identifiers])

    def applied(self, points: Sequence[bytes]) -> Points:
        """Points under this secret too."""
        return [self._secret.exchange(X25519PublicKey.from_public_bytes(point)) for point in points]


def decoy() -> bytes:
    """A point that belongs to nobody and looks like all others."""
    return X25519PrivateKey.generate().public_key().public_bytes_raw()


def shuffled(things: Sequence[Thing]) -> list[Thing]:
    """In an order that the operating system's entropy chose."""
    mixed = list(things)
    secrets.SystemRandom().shuffle(mixed)
    return mixed


async def send_points(rt: Runtime, peer: int, points: Sequence[bytes]) -> None:
    """Send a list of points."""
    await rt.mesh.send(peer, TAG, len(points).to_bytes(_SIZE, "big"))
    for start in range(0, len(points), CHUNK):
        await rt.mesh.send(peer, TAG, b"".join(points[start : start + CHUNK]))


async def send_hashed(rt: Runtime, peer: int, own: Blinding, identifiers: Sequence[str | None], job: str) -> None:
    """Send own identifiers, and decoys for ``None``, as they are hashed."""
    await rt.mesh.send(peer, TAG, len(identifiers).to_bytes(_SIZE, "big"))
    for start in range(0, len(identifiers), CHUNK):
        points = await asyncio.to_thread(own.hashed, identifiers[start : start + CHUNK], job)
        await rt.mesh.send(peer, TAG, b"".join(points))


async def receive_points(rt: Runtime, peer: int) -> Points:
    """Receive a list of points."""
    size = await rt.mesh.receive(peer, TAG)
    if not isinstance(size, bytes) or len(size) != _SIZE or int.from_bytes(size, "big") > MOST:
        raise GarbledError(peer, "a list of points without its length")
    content, wanted = bytearray(), int.from_bytes(size, "big") * POINT
    while len(content) < wanted:
        chunk = await rt.mesh.receive(peer, TAG)
        if not isinstance(chunk, bytes) or not chunk or len(chunk) % POINT or len(content) + len(chunk) > wanted:
            raise GarbledError(peer, "points of another length")
        content += chunk
    return [bytes(content[i : i + POINT]) for i in range(0, wanted, POINT)]


async def blinded_by(rt: Runtime, own: Blinding, points: Sequence[bytes], sender: int) -> Points:
    """Received points under one's own secret too."""
    try:
        return await asyncio.to_thread(own.applied, points)
    except ValueError as error:
        raise GarbledError(sender, "a point of low order") from error


def _point(identifier: str, job: str) -> bytes:
    return hash_to_curve(f"{job}\n{identifier}".encode(), DOMAIN)[0].to_bytes(POINT, "little")
