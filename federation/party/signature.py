"""A party's signature on the result of a job: who computed what, provable without the network.

Belongs here: the signed statement, signing and verifying. Does not belong here: certificates (``authority``), or when a party
signs (``participation``).

What is signed are two digests: of the job that all parties agreed on, and of the result's one line of JSON
(``messages.encoded``). The key is the one of the party's certificate.

References
----------
FIPS 186-5 (ECDSA on P-256 with SHA-256).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HEADING = "phaseiv party result 1"


@dataclass(frozen=True)
class Signature:
    """A party's certificate (PEM) and its signature (DER, hexadecimal) on ``statement``."""

    certificate: str
    value: str

    def to_json(self) -> dict[str, str]:
        """As plain values."""
        return {"certificate": self.certificate, "signature": self.value}


def statement(job_sha256: str, result_sha256: str) -> bytes:
    """The bytes that are signed: three lines of text."""
    return f"{HEADING}\n{job_sha256}\n{result_sha256}\n".encode()


def signed(key_file: Path, job_sha256: str, result_sha256: str) -> str:
    """A party's signature, hexadecimal."""
    key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(statement(job_sha256, result_sha256), ec.ECDSA(hashes.SHA256())).hex()


def verified(certificate: bytes, value: Any, job_sha256: str, result_sha256: str) -> Signature | None:
    """The signature, if the holder of a certificate (DER) made it; otherwise nothing."""
    shown = x509.load_der_x509_certificate(certificate)
    public = shown.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return None
    try:
        public.verify(bytes.fromhex(value), statement(job_sha256, result_sha256), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, TypeError):
        return None
    return Signature(shown.public_bytes(serialization.Encoding.PEM).decode(), value)
