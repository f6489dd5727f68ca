"""Who is at the other end: mutual TLS 1.3 in which both sides prove their name and their role.

Belongs here: TLS contexts, dialling, reading name and role of a peer. Does not belong here: whether a name is let in
(``settings``), and certificates' making (``authority``).

References
----------
RFC 8446 (TLS 1.3). No earlier version and no session without both certificates is accepted.
"""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from federation.errors import FederationError
from federation.party.authority import ROLE_URI, PartyRole
from records.errors import ParameterError

BUFFER = 2**20  # bytes that wait to be read before the sender must
HANDSHAKE_SECONDS = 10.0
# In TLS 1.3 a caller only learns afterwards that its certificate was refused: whom a party lets in, it greets.
GREETING = b"phaseiv party 1\n"


class IdentityError(FederationError):
    """The other end could not prove who it must be."""


class Peer(NamedTuple):
    """Name and role that a verified certificate states."""

    name: str
    role: PartyRole


class Address(NamedTuple):
    """Where a party listens."""

    host: str
    port: int

    @classmethod
    def parsed(cls, text: str) -> "Address":
        """From ``host:port``; IPv6 addresses in brackets."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise ParameterError(f"an address must be host:port, got {text!r}; for instance 127.0.0.1:7101")
        return cls(host.strip("[]"), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Credentials:
    """Files by which one proves who one is, and the authority whose certificates one believes."""

    authority: Path
    certificate: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        """For listening; the other end must show a certificate too."""
        return self._loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

    def client(self) -> ssl.SSLContext:
        """For dialling; the name of the other end is checked in the handshake."""
        context = self._loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        context.check_hostname = True
        return context

    def _loaded(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        if self.key.exists() and self.key.stat().st_mode & 0o077:
            raise ParameterError(f"{self.key} must be readable by its owner only, got a wider mode; chmod 600 it")
        try:
            context.load_verify_locations(self.authority)
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise ParameterError(
                f"{self.authority}, {self.certificate} and {self.key} must be a certificate and its key, "
                f"got {error.strerror or type(error).__name__}; join the federation by `phaseiv party join`"
            ) from None
        return context


def peer_of(writer: asyncio.StreamWriter) -> Peer:
    """Name and role of the verified other end.

    Raises
    ------
    IdentityError
        Its certificate does not state exactly one name and one role.
    """
    shown = writer.get_extra_info("peercert") or {}
    names = [value for kind, value in shown.get("subjectAltName", ()) if kind == "DNS"]
    uris = [value for kind, value in shown.get("subjectAltName", ()) if kind == "URI"]
    roles = [uri.removeprefix(ROLE_URI) for uri in uris if uri.startswith(ROLE_URI)]
    if len(names) != 1 or len(roles) != 1 or roles[0] not in set(PartyRole):
        raise IdentityError(
            "a certificate must state one name and one role, got another; ask the authority for a new one"
        )
    return Peer(names[0], PartyRole(roles[0]))


async def dial(
    context: ssl.SSLContext, name: str, address: Address, *, seconds: float = HANDSHAKE_SECONDS
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the party called ``name``, proven to be it.

    Raises
    ------
    IdentityError
        Somebody else answers there.
    OSError, TimeoutError
        Nobody answers.
    """
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(
                address.host, address.port, ssl=context, server_hostname=name, limit=BUFFER
            )
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or "a broken handshake"
        raise IdentityError(
            f"{name} at {address} must prove its name by a certificate of the authority, got: {reason}; check its address"
        ) from None
    if peer_of(writer) != Peer(name, PartyRole.PARTY):
        writer.close()
        raise IdentityError(f"{name} at {address} must be a party, got another role; check its certificate")
    await _greeted(reader, writer, name, seconds)
    return reader, writer


async def _greeted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str, seconds: float) -> None:
    line = b""
    try:
        async with asyncio.timeout(seconds):
            line = await reader.readline()
    except TimeoutError:
        raise
    except OSError:
        pass  # as if it had closed the connection: asyncio does not tell the other end why it refuses a certificate
    finally:
        if line != GREETING:
            writer.close()
    if not line:
        raise IdentityError(
            f"{name} must let this certificate in, got a closed connection; is it of the same authority?"
        )
    if line != GREETING:
        raise IdentityError(f"{name} must speak as a party of this version, got another greeting; update the older one")
