"""The small certificate authority of a federation: it invites by name and role, and signs each invitation once.

Belongs here: keys, certificates, invitations. Does not belong here: checking a peer on a connection (``identity``).

The authority is a folder on a machine of its own; parties only need its certificate. It knows no data and no job.
A private key never leaves the folder in which it was made. A certificate is taken back by removing its name from the
parties' settings, which name everybody whom they let in.

References
----------
RFC 5280 (X.509 profile); RFC 2986 (certification requests); RFC 2104 (HMAC, by which a request proves its invitation).
"""

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from federation.jobs.job import NAME
from records.errors import ParameterError, StorageError

AUTHORITY_LIFE, CERTIFICATE_LIFE, INVITATION_LIFE = timedelta(days=3650), timedelta(days=365), timedelta(days=7)
# A party whose clock is a day behind gets as far as the job's own check of clocks, which tells both times.
BACKDATED = timedelta(days=2)
ROLE_URI = "urn:phaseiv:role:"


class PartyRole(StrEnum):
    """What a certificate lets its holder be."""

    PARTY = "party"
    RESEARCHER = "researcher"


@dataclass(frozen=True)
class Authority:
    """The authority whose key lies in ``folder``."""

    folder: Path

    @classmethod
    def init(cls, folder: Path, *, title: str = "PHASE IV federation", now: datetime | None = None) -> Self:
        """Make the key and the self-signed certificate."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = new_key(folder / "authority.key")
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
        usage = _key_usage(signs_certificates=True)
        made = _certificate(name, name, key.public_key(), key.public_key(), now or datetime.now(UTC), AUTHORITY_LIFE)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        signed = made.add_extension(usage, critical=True).sign(key, hashes.SHA256())
        _write_new(folder / "authority.pem", _pem(signed), mode=0o644)
        return cls(folder)

    @property
    def certificate(self) -> bytes:
        """What every party keeps (PEM)."""
        return self._read("authority.pem")

    def invite(self, name: str, role: PartyRole, *, now: datetime | None = None) -> bytes:
        """An invitation: JSON that one person gets by a safe way and uses once within a week."""
        if not re.fullmatch(NAME, name):
            raise ParameterError(f"name must be lower-case letters, digits, - and _, got {name!r}; choose another")
        self._read("authority.key")
        expires = (now or datetime.now(UTC)) + INVITATION_LIFE
        invitation = {
            "name": name,
            "role": str(role),
            "token": secrets.token_hex(32),
            "expires_at": expires.isoformat(),
        }
        content = json.dumps(invitation, indent=1).encode()
        _write_new(self._invitation(_identifier(invitation["token"])), content, mode=0o600)
        return json.dumps({**invitation, "authority": self.certificate.decode()}, indent=1).encode()

    def sign(self, request: bytes, *, now: datetime | None = None) -> bytes:
        """The certificate (PEM) for a request that an invited person made by ``join``.

        Raises
        ------
        ParameterError
            The invitation is unknown, over or used, or the request is not its holder's.
        """
        now = now or datetime.now(UTC)
        csr, invitation = self._proven(request, now)
        _use_once(self._invitation(_identifier(invitation["token"])))
        issuer = x509.load_pem_x509_certificate(self.certificate)
        key = serialization.load_pem_private_key(self._read("authority.key"), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        subject = _subject(invitation["name"])
        made = _certificate(subject, issuer.subject, csr.public_key(), key.public_key(), now, CERTIFICATE_LIFE)  # type: ignore[arg-type]
        for extension, critical in _leaf_extensions(invitation["name"], PartyRole(invitation["role"])):
            made = made.add_extension(extension, critical=critical)
        return _pem(made.sign(key, hashes.SHA256()))

    def _proven(self, request: bytes, now: datetime) -> tuple[x509.CertificateSigningRequest, dict[str, Any]]:
        asked = _fields(request, "the request", ("invitation", "csr", "proof"))
        path = self._invitation(re.sub("[^0-9a-f]", "", asked["invitation"]))
        if not path.exists():
            raise ParameterError("the invitation must be one of this authority, got an unknown one; ask for another")
        invitation = json.loads(path.read_bytes())
        if datetime.fromisoformat(invitation["expires_at"]) < now:
            raise ParameterError(
                f"the invitation must be used by {invitation['expires_at']}, got {now}; ask for another"
            )
        proof = _proof(invitation["token"], asked["csr"])
        try:
            csr = x509.load_pem_x509_csr(asked["csr"].encode())
            fits = hmac.compare_digest(proof, asked["proof"]) and csr.subject == _subject(invitation["name"])
        except (ValueError, InvalidSignature):
            fits, csr = False, None
        if csr is None or not fits or not csr.is_signature_valid:
            raise ParameterError("the request must be proven by its invitation, got another's; join with your own")
        return csr, invitation

    def _invitation(self, identifier: str) -> Path:
        return self.folder / "invitations" / f"{identifier}.json"

    def _read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise StorageError(
                f"{self.folder} must hold {name}, got {error.strerror}; make an authority by `phaseiv party init`"
            ) from None


def join(invitation: bytes, folder: Path) -> bytes:
    """Make a key in ``folder`` and return the request (JSON) that the authority signs.

    The key is ``<name>.key``; the authority's certificate is kept as ``authority.pem``.
    """
    asked = _fields(invitation, "the invitation", ("name", "role", "token", "authority"))
    if not re.fullmatch(NAME, asked["name"]):
        raise ParameterError("the invitation must hold a name, got another form; ask for it again")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = new_key(folder / f"{asked['name']}.key")
    csr = x509.CertificateSigningRequestBuilder().subject_name(_subject(asked["name"])).sign(key, hashes.SHA256())
    text = csr.public_bytes(serialization.Encoding.PEM).decode()
    if not (folder / "authority.pem").exists():
        _write_new(folder / "authority.pem", asked["authority"].encode(), mode=0o644)
    made = {"invitation": _identifier(asked["token"]), "csr": text, "proof": _proof(asked["token"], text)}
    return json.dumps(made, indent=1).encode()


def new_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """A P-256 key in a new file that only its owner reads."""
    key = ec.generate_private_key(ec.SECP256R1())
    plain, form = serialization.NoEncryption(), serialization.PrivateFormat.PKCS8
    _write_new(path, key.private_bytes(serialization.Encoding.PEM, form, plain), mode=0o600)
    return key


def _certificate(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePublicKey,
    now: datetime, life: timedelta,
) -> x509.CertificateBuilder:  # fmt: skip
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - BACKDATED).not_valid_after(now + life)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    return made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)


def _leaf_extensions(name: str, role: PartyRole) -> Sequence[tuple[x509.ExtensionType, bool]]:
    names = [x509.DNSName(name), x509.UniformResourceIdentifier(f"{ROLE_URI}{role}")]
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if role is PartyRole.PARTY:
        uses.append(ExtendedKeyUsageOID.SERVER_AUTH)
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True), (_key_usage(signs_certificates=False), True),
        (x509.SubjectAlternativeName(names), False), (x509.ExtendedKeyUsage(uses), False),
    ]  # fmt: skip


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _fields(content: bytes, what: str, names: Sequence[str]) -> dict[str, str]:
    try:
        found = json.loads(content)
        return {name: str(found[name]) for name in names}
    except (ValueError, KeyError, TypeError):
        raise ParameterError(f"{what} must be a file of `phaseiv party`, got another; ask for it again") from None


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _identifier(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _proof(token: str, csr: str) -> str:
    return hmac.new(token.encode(), csr.encode(), hashlib.sha256).hexdigest()


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _use_once(path: Path) -> None:
    try:
        os.close(os.open(path.with_suffix(".used"), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise ParameterError("the invitation must be unused, got one that was used; ask for another") from None


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Never over a former file: a key that is lost cannot be made again."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    except FileExistsError:
        raise StorageError(
            f"{path} must not exist yet, got a file; it is kept, choose another folder or name"
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(content)
