"""One pseudonym key per project, derived from the hospital's key, and how two hospitals come to share one on purpose.

Belongs here: deriving, naming (by fingerprint) and handing over a project's key. Does not belong here: the hospital's
own key (``pseudonyms``), or which key was in use when (``key_register``).

Pseudonyms of two projects cannot be linked without the hospital's key, nor those of two hospitals, unless one exports
a project's key and the other imports it. The hospital's own key never leaves.

References
----------
RFC 5869 (HKDF). EDPB Guidelines 01/2025 on pseudonymisation, section 3 (pseudonymisation domains).
"""

import hmac
import json
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deidentification.pseudonyms import NEW_KEY_BYTES, key_from_text, refuse_short_key
from records.errors import ParameterError, StorageError
from records.files import write_atomically

FINGERPRINT_CHARACTERS = 16


def project_key(hospital_key: bytes, project: str, generation: int = 1) -> bytes:
    """The project's key: HKDF-SHA-256 of the hospital's key in the context of the project's name; 32 bytes.

    A project whose key was rotated has one of the next ``generation``.

    Raises
    ------
    ParameterError
        The hospital's key is too short, or the project has no name.
    """
    refuse_short_key(hospital_key, "the hospital's key", "use a longer key")
    if not project.strip():
        raise ParameterError("a project must have a name to have a key of its own, got none; name the project")
    context = "phaseiv project key v1" + (f", generation {generation}" if generation > 1 else "") + ":"
    return HKDF(SHA256(), NEW_KEY_BYTES, salt=None, info=f"{context}{project.strip()}".encode()).derive(hospital_key)


def fingerprint(key: bytes) -> str:
    """Public name of a key: 16 hexadecimal characters of HMAC-SHA-256, from which the key cannot be found."""
    return hmac.digest(key, b"fingerprint", "sha256").hex()[:FINGERPRINT_CHARACTERS]


def refuse_other_key(key: bytes, expected: str, *, what: str = "this release") -> None:
    """Refuse to go on with a key other than the one of an earlier release.

    Raises
    ------
    ParameterError
        The key's fingerprint is not ``expected``: the right key is lost or another was put in its place.
    """
    if (got := fingerprint(key)) != expected:
        raise ParameterError(
            f"the key of {what} must have the fingerprint {expected}, got {got}; put that key back, or, if it is lost, "
            "start a new key and de-identify the source again: pseudonyms of a lost key can be linked to nothing"
        )


def export_key(path: Path, key: bytes, project: str, *, confirm: str) -> None:
    """Write a project's key to a file for another hospital, so that the pseudonyms of both can be linked.

    Parameters
    ----------
    path : pathlib.Path
        Written with mode 0600; whoever reads it can try identifiers against the project's pseudonyms.
    confirm : str
        The key's fingerprint, repeated by the person who decides it.

    Raises
    ------
    ParameterError
        The confirmation is not the key's fingerprint.
    StorageError
        The file cannot be written.
    """
    if confirm != fingerprint(key):
        raise ParameterError(
            f"sharing the key of {project} must be confirmed by its fingerprint {fingerprint(key)}, got another word; "
            "a shared key makes patients linkable across hospitals: repeat the fingerprint to confirm"
        )
    entry = {"project": project, "fingerprint": fingerprint(key), "key": key.hex()}
    write_atomically(path, json.dumps(entry, indent=2).encode())  # its temporary file is born with mode 0600


def import_key(path: Path, *, project: str) -> bytes:
    """The project's key that another hospital exported.

    Raises
    ------
    StorageError
        The file is missing, damaged, or its key does not have its fingerprint.
    ParameterError
        It is the key of another project.
    """
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
        key, named, expected = key_from_text(entry["key"]), entry["project"], entry["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise StorageError(
            f"{path.name} must be an exported project key, got none or a damaged file; export it again"
        ) from None  # the cause may quote the key
    if named != project:
        raise ParameterError(f"{path.name} must hold the key of {project}, got that of {named}; take the other file")
    if fingerprint(key) != expected:
        raise StorageError(f"{path.name} must hold the key of its fingerprint, got another key; export it again")
    return key
