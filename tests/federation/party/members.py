"""Members of a federation for tests: certificates in a folder, settings with free ports on the loopback."""

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from federation.party.authority import Authority, PartyRole, join
from federation.party.settings import PartySettings, ResearcherSettings, Rule

PARTIES = ("north", "south", "west")


def joined(authority: Authority, name: str, role: PartyRole, home: Path) -> Path:
    """A member's home, with key and certificate."""
    certificate = authority.sign(join(authority.invite(name, role), home))
    (home / f"{name}.pem").write_bytes(certificate)
    return home


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens at now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Members:
    """An authority, parties and the researcher ``ada``.

    Parameters
    ----------
    folder : Path
    names : sequence of str
    rule : mapping
        Of the data set ``stroke`` at every party.
    settings
        Of every party, beside.
    """

    def __init__(
        self, folder: Path, names: Sequence[str] = PARTIES, *, rule: dict[str, Any] | None = None, **settings: Any
    ) -> None:
        self.folder, self.names = folder, tuple(names)
        self.authority = Authority.init(folder / "authority")
        ports = free_ports(len(names))
        self.addresses = {name: f"127.0.0.1:{port}" for name, port in zip(names, ports, strict=True)}
        offered = {
            "stroke": Rule(**{"computations": {"sum": "auto", "steps": "auto"}, "budget_rho": 1.0, **(rule or {})})
        }
        common: dict[str, Any] = {"timeout_seconds": 3.0, "researchers": ("ada",), "datasets": offered, **settings}
        self.settings = {name: self._party(name, common) for name in names}
        self.researcher = ResearcherSettings(
            name="ada", home=joined(self.authority, "ada", PartyRole.RESEARCHER, folder / "ada"),
            parties=self.addresses, timeout_seconds=3.0, grace_seconds=2.0,
        )  # fmt: skip

    def _party(self, name: str, common: dict[str, Any]) -> PartySettings:
        home = joined(self.authority, name, PartyRole.PARTY, self.folder / name)
        peers = {other: address for other, address in self.addresses.items() if other != name}
        return PartySettings(name=name, home=home, listen=self.addresses[name], peers=peers, **common)
