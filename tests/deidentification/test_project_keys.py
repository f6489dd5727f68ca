"""Project keys follow RFC 5869, are not linkable, are shared only on purpose, and a lost one is told."""

import hashlib
import hmac
import stat
from pathlib import Path

import pytest

from deidentification.project_keys import export_key, fingerprint, import_key, project_key, refuse_other_key
from records.errors import ParameterError, StorageError

HOSPITAL = b"h" * 32


def hkdf(key: bytes, info: bytes) -> bytes:
    """RFC 5869 by hand, for one block and no salt."""
    extracted = hmac.digest(b"\0" * hashlib.sha256().digest_size, key, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def test_a_project_key_is_hkdf_of_the_hospitals_key() -> None:
    assert project_key(HOSPITAL, "stroke") == hkdf(HOSPITAL, b"phaseiv project key v1:stroke")
    assert project_key(HOSPITAL, "stroke") != project_key(HOSPITAL, "lung")
    assert project_key(HOSPITAL, "stroke") != project_key(b"i" * 32, "stroke")


def test_a_key_is_shared_by_its_fingerprint(tmp_path: Path) -> None:
    key, path = project_key(HOSPITAL, "stroke"), tmp_path / "shared.json"
    with pytest.raises(ParameterError, match="confirmed by its fingerprint"):
        export_key(path, key, "stroke", confirm="yes")
    assert not path.exists()
    export_key(path, key, "stroke", confirm=fingerprint(key))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert import_key(path, project="stroke") == key
    with pytest.raises(ParameterError, match="got that of stroke"):
        import_key(path, project="lung")


def test_a_damaged_or_changed_file_is_refused_without_its_key(tmp_path: Path) -> None:
    key, path = project_key(HOSPITAL, "stroke"), tmp_path / "shared.json"
    export_key(path, key, "stroke", confirm=fingerprint(key))
    text = path.read_text()
    for damaged in (text[:-10], text.replace(key.hex()[:4], "0000"), "{}", "[]", '{"key": "zz"}'):
        path.write_text(damaged)
        with pytest.raises(StorageError) as caught:
            import_key(path, project="stroke")
        assert key.hex()[8:] not in str(caught.value)


def test_a_lost_key_is_told() -> None:
    expected = fingerprint(HOSPITAL)
    refuse_other_key(HOSPITAL, expected)
    with pytest.raises(ParameterError, match=f"must have the fingerprint {expected}"):
        refuse_other_key(b"n" * 32, expected)
