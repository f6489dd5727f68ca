"""The hub's two secrets: the master key and the signing key.

Belongs here: reading and checking them. Does not belong here: using them (``repository``, ``audit``).
"""

import base64
import binascii
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.settings import HubSettings
from records.errors import ParameterError

BYTES = 32


@dataclass(frozen=True, repr=False)
class Keys:
    """``master`` is an AES-256 key that wraps the artefacts' keys; ``signing`` signs audit heads and permits."""

    master: bytes
    signing: Ed25519PrivateKey


def load_keys(settings: HubSettings) -> Keys:
    """The keys of a deployment.

    Raises
    ------
    ParameterError
        A key is not set, or is not 32 bytes in base64.
    """
    master = _key("PHASEIV_HUB_MASTER_KEY", settings.master_key, settings)
    signing = _key("PHASEIV_HUB_SIGNING_KEY", settings.signing_key, settings)
    return Keys(master, Ed25519PrivateKey.from_private_bytes(signing))


def _key(name: str, value: str | None, settings: HubSettings) -> bytes:
    remedy = f"set {name} to the output of `openssl rand -base64 {BYTES}`"
    if value is None:
        if not settings.demo:
            raise ParameterError(f"{name} must be set outside the demo, got nothing; {remedy}")
        return _kept(settings.home / f"{name.lower()}.demo")
    try:
        key = base64.b64decode(value, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != BYTES or len(set(key)) < BYTES // 4:
        raise ParameterError(f"{name} must be {BYTES} random bytes in base64, got something else; {remedy}")
    return key


def _kept(path: Path) -> bytes:
    """A key made at the first start of a demo; only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
            handle.write(os.urandom(BYTES))
    except FileExistsError:
        pass
    return path.read_bytes()
