import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from federation.party.authority import Authority, PartyRole
from federation.party.identity import GREETING, Address, Credentials, IdentityError, Peer, dial, peer_of
from records.errors import ParameterError
from tests.federation.party.members import free_ports, joined

pytestmark = pytest.mark.anyio


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.init(tmp_path / "authority")


def credentials(authority: Authority, name: str, role: PartyRole = PartyRole.PARTY) -> Credentials:
    home = joined(authority, name, role, authority.folder.parent / f"{authority.folder.name}-{name}-{role}")
    return Credentials(home / "authority.pem", home / f"{name}.pem", home / f"{name}.key")


async def called(
    server: ssl.SSLContext, call: Callable[[Address], Awaitable[object]], greeting: bytes = GREETING
) -> list[Peer]:
    """Whom a server saw during a call."""
    seen: list[Peer] = []
    address = Address("127.0.0.1", free_ports(1)[0])

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(peer_of(writer))
        writer.write(greeting)
        writer.close()

    async with await asyncio.start_server(answer, *address, ssl=server):
        await call(address)
    return seen


async def test_both_ends_know_name_and_role(authority: Authority):
    ada = credentials(authority, "ada", PartyRole.RESEARCHER)

    async def call(address: Address) -> None:
        reader, writer = await dial(ada.client(), "north", address)
        assert peer_of(writer) == Peer("north", PartyRole.PARTY)
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
        assert await reader.read() == b""
        writer.close()

    assert await called(credentials(authority, "north").server(), call) == [Peer("ada", PartyRole.RESEARCHER)]


async def test_another_party_at_the_address_is_noticed(authority: Authority):
    south = credentials(authority, "south")

    async def call(address: Address) -> None:
        with pytest.raises(IdentityError, match=r"north at .* must prove its name"):
            await dial(south.client(), "north", address)

    await called(credentials(authority, "west").server(), call)


async def test_another_authority_is_not_believed(authority: Authority, tmp_path: Path):
    south, stranger = credentials(authority, "south"), Authority.init(tmp_path / "stranger")

    async def call(address: Address) -> None:
        with pytest.raises(IdentityError, match="certificate of the authority"):
            await dial(south.client(), "north", address)

    await called(credentials(stranger, "north").server(), call)


@pytest.mark.parametrize("shown", ["none", "a stranger's"])
async def test_a_caller_without_a_certificate_of_the_authority_is_not_heard(
    authority: Authority, tmp_path: Path, shown: str
):
    ours = credentials(authority, "south")
    if shown == "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(ours.authority)
    else:
        theirs = credentials(Authority.init(tmp_path / "stranger"), "south")
        context = Credentials(ours.authority, theirs.certificate, theirs.key).client()

    async def call(address: Address) -> None:
        with pytest.raises(IdentityError, match="north must let this certificate in"):
            await dial(context, "north", address)

    assert await called(credentials(authority, "north").server(), call) == []


@pytest.mark.parametrize(
    ("greeting", "words"), [(b"phaseiv party 0\n", "another greeting"), (b"", "got a closed connection")]
)
async def test_who_does_not_greet_as_a_party_is_left(authority: Authority, greeting: bytes, words: str):
    south = credentials(authority, "south")

    async def call(address: Address) -> None:
        with pytest.raises(IdentityError, match=words):
            await dial(south.client(), "north", address)

    await called(credentials(authority, "north").server(), call, greeting)


async def test_older_tls_is_refused(authority: Authority):
    context = credentials(authority, "south").client()
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2

    async def call(address: Address) -> None:
        with pytest.raises((IdentityError, ConnectionError)):
            await dial(context, "north", address)

    assert await called(credentials(authority, "north").server(), call) == []


async def test_a_researcher_cannot_pose_as_a_party(authority: Authority):
    south = credentials(authority, "south")

    async def call(address: Address) -> None:
        with pytest.raises(IdentityError):
            await dial(south.client(), "ada", address)

    await called(credentials(authority, "ada", PartyRole.RESEARCHER).server(), call)


def test_a_key_that_others_may_read_is_refused(authority: Authority):
    north = credentials(authority, "north")
    north.key.chmod(0o640)
    with pytest.raises(ParameterError, match="owner only"):
        north.server()


def test_missing_files_are_told(tmp_path: Path):
    nothing = Credentials(tmp_path / "a.pem", tmp_path / "b.pem", tmp_path / "b.key")
    with pytest.raises(ParameterError, match="phaseiv party join"):
        nothing.client()


def test_addresses():
    assert Address.parsed("[::1]:7101") == ("::1", 7101)
    assert str(Address.parsed("[::1]:7101")) == "[::1]:7101"
    for wrong in ("", "host", "host:", ":1", "host:70000", "host:x"):
        with pytest.raises(ParameterError, match="host:port"):
            Address.parsed(wrong)
