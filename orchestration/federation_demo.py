"""A federation on this machine: one party per hospital of a cohort, each a process beside its own file.

Belongs here: certificates, settings and processes of the demonstration. Does not belong here: the party itself
(``federation.party``) or what a researcher asks (``assets.federated``).

The hospitals' tables are the de-identified ones of the pipeline. Where a cohort has one real hospital its split is
simulated, and the page of the use case says so. Fewer than three hospitals are joined by parties that only compute.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from federation.jobs.job import FEWEST_PARTIES
from federation.party.authority import Authority, PartyRole, join
from orchestration.settings import Settings
from records.errors import ParameterError, StorageError
from records.files import write_atomically
from use_cases.cohort import Cohort
from use_cases.registry import UseCase

RESEARCHER = "researcher"
START_SECONDS = 180.0
STOP_SECONDS = 10.0
MINIMUM_COUNT = 5


def federation(
    use_case: UseCase, cohort: Cohort, settings: Settings, kinds: Sequence[str], sites: Sequence[str] = ()
) -> Path:
    """Make certificates and settings of all parties and a researcher; what is there already stays.

    Parameters
    ----------
    kinds : sequence of str
        Computations that every party allows without asking.
    sites : sequence of str
        Hospitals that take part; by default all of the cohort with a table.

    Returns
    -------
    Path
        The researcher's settings.
    """
    folder = settings.workspace().home / "federation" / cohort.name
    tables = _tables(use_case, settings, sites)
    helpers = [f"computing-{i + 1}" for i in range(FEWEST_PARTIES - len(tables))]
    names = [*tables, *helpers]
    addresses = {name: f"127.0.0.1:{port}" for name, port in zip(names, _free_ports(len(names)), strict=True)}
    authority = _authority(folder / "authority")
    rule = {
        "computations": dict.fromkeys(kinds, "auto"),
        "minimum_count": MINIMUM_COUNT,
        "budget_rho": use_case.budget_rho,
    }
    for name in names:
        own: dict[str, Any] = {"computes": {cohort.name: cohort.name}}
        if name in tables:
            own = {"datasets": {cohort.name: {**rule, "source": f"{cohort.name}={tables[name]}"}}}
        peers = {other: address for other, address in addresses.items() if other != name}
        party = {
            "name": name,
            "listen": addresses[name],
            "peers": peers,
            "researchers": [RESEARCHER],
            "least_collusion": 0,
        }
        _member(folder / name, name, PartyRole.PARTY, party | own, authority)
    return _member(
        folder / RESEARCHER, RESEARCHER, PartyRole.RESEARCHER, {"name": RESEARCHER, "parties": addresses}, authority
    )


@contextlib.contextmanager
def running(researcher: Path) -> Iterator[Mapping[str, int]]:
    """The parties of a federation as processes that listen; name to process id."""
    parties = yaml.safe_load(researcher.read_text())["parties"]
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name in parties:
            processes[name] = _started(researcher.parents[1] / name)
        for name, address in parties.items():
            _until_it_listens(name, address, processes[name])
        yield {name: process.pid for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            _ended(process)


def party_name(site: str) -> str:
    """A hospital's name as parties are named: lower case, digits and hyphens."""
    plain = "".join(c if c.isalnum() else "-" for c in site.lower()).strip("-")
    return plain if plain.startswith(tuple("abcdefghijklmnopqrstuvwxyz")) else f"hospital-{plain}"


def _tables(use_case: UseCase, settings: Settings, sites: Sequence[str]) -> dict[str, Path]:
    stored = settings.workspace().table([use_case.key, "deidentified"]).with_suffix("")
    found = {path.stem: path for path in sorted(stored.glob("[!.]*.parquet"))}
    if unknown := [site for site in sites if site not in found]:
        raise ParameterError(f"sites must be hospitals with a table ({', '.join(found)}), got {', '.join(unknown)}")
    return {party_name(site): found[site] for site in sites or found}


def _authority(folder: Path) -> Authority:
    return Authority(folder) if folder.exists() else Authority.init(folder, title="PHASE IV demonstration")


def _member(home: Path, name: str, role: PartyRole, settings: Mapping[str, Any], authority: Authority) -> Path:
    home.mkdir(parents=True, exist_ok=True)
    if not (home / f"{name}.pem").exists():
        (home / f"{name}.pem").write_bytes(authority.sign(join(authority.invite(name, role), home)))
    path = home / f"{name}.yaml"
    write_atomically(path, yaml.safe_dump(dict(settings), sort_keys=False).encode())
    return path


def _started(home: Path) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).parent / "phaseiv"), "party", "serve", str(home / f"{home.name}.yaml")]
    with (home / "party.log").open("ab") as log:
        # One thread each: parties share this machine's cores.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
        return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)


def _until_it_listens(name: str, address: str, process: subprocess.Popen[bytes]) -> None:
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return
        time.sleep(0.1)
    raise StorageError(f"the party {name} must start within {START_SECONDS:g} s, got none; see its party.log")


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(number)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]
