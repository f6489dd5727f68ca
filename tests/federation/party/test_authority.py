import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from federation.party.authority import Authority, PartyRole, join
from records.errors import ParameterError, StorageError


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.init(tmp_path / "authority")


def test_an_invited_party_gets_a_certificate_of_its_name_and_role(authority: Authority, tmp_path: Path):
    request = join(authority.invite("north", PartyRole.PARTY), tmp_path / "north")
    made = x509.load_pem_x509_certificate(authority.sign(request))
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["north"]
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:phaseiv:role:party"]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    made.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate))
    key = serialization.load_pem_private_key((tmp_path / "north" / "north.key").read_bytes(), None)
    assert key.public_key() == made.public_key()


def test_a_researcher_cannot_serve(authority: Authority, tmp_path: Path):
    request = join(authority.invite("ada", PartyRole.RESEARCHER), tmp_path / "ada")
    made = x509.load_pem_x509_certificate(authority.sign(request))
    uses = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]


def test_keys_and_invitations_are_for_their_owner_only(authority: Authority, tmp_path: Path):
    join(authority.invite("north", PartyRole.PARTY), tmp_path / "north")
    kept = [authority.folder / "authority.key", tmp_path / "north" / "north.key"]
    kept += list((authority.folder / "invitations").iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


def test_an_invitation_serves_once(authority: Authority, tmp_path: Path):
    invitation = authority.invite("north", PartyRole.PARTY)
    authority.sign(join(invitation, tmp_path / "one"))
    with pytest.raises(ParameterError, match="must be unused"):
        authority.sign(join(invitation, tmp_path / "two"))


def test_an_invitation_is_over_after_a_week(authority: Authority, tmp_path: Path):
    request = join(authority.invite("north", PartyRole.PARTY), tmp_path / "north")
    with pytest.raises(ParameterError, match="must be used by"):
        authority.sign(request, now=datetime.now(UTC) + timedelta(days=8))


def test_an_invitation_of_another_authority_is_unknown(authority: Authority, tmp_path: Path):
    other = Authority.init(tmp_path / "other")
    with pytest.raises(ParameterError, match="unknown one"):
        authority.sign(join(other.invite("north", PartyRole.PARTY), tmp_path / "north"))


def test_a_request_is_bound_to_its_invitation(authority: Authority, tmp_path: Path):
    mine = json.loads(join(authority.invite("north", PartyRole.PARTY), tmp_path / "north"))
    theirs = json.loads(join(authority.invite("south", PartyRole.PARTY), tmp_path / "south"))
    for forged in ({**mine, "csr": theirs["csr"]}, {**mine, "invitation": theirs["invitation"]}, {**mine, "proof": ""}):
        with pytest.raises(ParameterError, match="another's"):
            authority.sign(json.dumps(forged).encode())
    authority.sign(json.dumps(mine).encode())  # the attempts have not used it up


def test_nobody_is_invited_as_a_path_or_a_wildcard(authority: Authority):
    for name in ("../north", "*.hospital", "", "north\n", "North", "-x"):
        with pytest.raises(ParameterError, match="name must be"):
            authority.invite(name, PartyRole.PARTY)


def test_keys_are_never_overwritten(authority: Authority, tmp_path: Path):
    with pytest.raises(StorageError, match="must not exist yet"):
        Authority.init(authority.folder)
    join(authority.invite("north", PartyRole.PARTY), tmp_path / "north")
    with pytest.raises(StorageError, match="must not exist yet"):
        join(authority.invite("north", PartyRole.PARTY), tmp_path / "north")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"csr": 1}', b"\xff"])
def test_other_files_are_refused(authority: Authority, tmp_path: Path, content: bytes):
    with pytest.raises(ParameterError, match="must be a file of"):
        authority.sign(content)
    with pytest.raises(ParameterError, match="must be a file of"):
        join(content, tmp_path)


def test_a_folder_without_authority_is_told(tmp_path: Path):
    with pytest.raises(StorageError, match="phaseiv party init"):
        Authority(tmp_path).invite("north", PartyRole.PARTY)
