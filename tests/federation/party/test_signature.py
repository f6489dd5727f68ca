"""Signatures on results: valid for exactly the job and result signed, and a party that signs otherwise is named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.jobs.ends import JobEndedError
from federation.party import messages, participation
from federation.party.researcher import Researcher
from federation.party.signature import signed, verified
from tests.federation.party.members import Members
from tests.federation.party.test_service import EVERYTHING, asked, serving

DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Members:
    return Members(tmp_path_factory.mktemp("members"), rule=EVERYTHING)


def certificate(members: Members, name: str) -> bytes:
    pem = members.settings[name].credentials.certificate.read_bytes()
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def test_only_what_was_signed_by_its_signer_is_verified(members: Members) -> None:
    north, south = certificate(members, "north"), certificate(members, "south")
    key = members.settings["north"].credentials.key

    @settings(max_examples=30)
    @given(DIGESTS, DIGESTS, DIGESTS)
    def holds(job: str, result: str, other: str) -> None:
        proof = signed(key, job, result)
        assert verified(north, proof, job, result) is not None
        assert verified(south, proof, job, result) is None
        if other not in (job, result):
            assert verified(north, proof, other, result) is None
            assert verified(north, proof, job, other) is None

    holds()
    for nonsense in (None, "", "zz", 7, "00" * 70):
        assert verified(north, nonsense, "a" * 64, "b" * 64) is None


def test_a_certificate_with_another_kind_of_key_verifies_nothing() -> None:
    key, now = ed25519.Ed25519PrivateKey.generate(), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "north")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(key, None)
    assert verified(made.public_bytes(Encoding.DER), "00" * 64, "a" * 64, "b" * 64) is None


@pytest.mark.anyio
async def test_all_parties_sign_what_the_researcher_gets(members: Members) -> None:
    job = asked(members)
    async with serving(members), Researcher(members.researcher) as researcher:
        result = await researcher.run(job)
    assert set(result.signatures) == set(members.names)
    assert result.sha256 == messages.digest(result.value)
    for name, one in result.signatures.items():
        assert verified(certificate(members, name), one.value, job.sha256, result.sha256) is not None
        assert one.certificate == members.settings[name].credentials.certificate.read_text()


@pytest.mark.anyio
async def test_a_party_that_signs_another_result_is_named(members: Members, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = participation.signed

    def forged(key: Path, job: str, result: str) -> Any:
        return honest(key, job, "0" * 64 if key.name == "south.key" else result)

    monkeypatch.setattr(participation, "signed", forged)
    async with serving(members), Researcher(members.researcher) as researcher:
        with pytest.raises(JobEndedError) as error:
            await researcher.run(asked(members))
    assert error.value.end.state == "garbled:south"
