"""A federation as its members run it: commands in processes of their own, TLS between them, files of real patients."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from typer.testing import CliRunner, Result

from deidentification.pipeline import deidentify
from orchestration.cli import app
from tests.orchestration.commands import BINARIES, PROJECT, until
from use_cases.registry import discover

pytestmark = pytest.mark.slow
COHORT = discover()["stroke"].cohort("copenhagen")
PARTIES = ("north", "south", "west")
RULE = {
    "computations": {"count": "auto", "kaplan_meier": "auto", "logistic": "auto", "histogram": "ask", "synthesis": "auto"},
    "minimum_count": 5, "budget_rho": 1.0,
}  # fmt: skip
ROWS_IN_A_MARKER = 8


def phaseiv(*words: object) -> Result:
    """A command that ends."""
    return CliRunner().invoke(app, ["party", *map(str, words)])


def done(*words: object) -> str:
    """Output of a command that must succeed."""
    result = phaseiv(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


class Federation:
    """Members made by the commands; parties as processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[str]] = {}
        done("init", folder / "authority")
        for name in (*PARTIES, "ada"):
            self._join(name, "researcher" if name == "ada" else "party")
        addresses = {name: f"127.0.0.1:{port}" for name, port in zip(PARTIES, _free_ports(3), strict=True)}
        frame = COHORT.load()
        sites = COHORT.assign_sites(frame)
        for name, hospital in zip(PARTIES, COHORT.site_names, strict=True):
            made = deidentify(frame.filter(sites == hospital), COHORT.table, key=b"k" * 32, k=5).frame
            made.write_parquet(folder / name / "stroke.parquet")
            peers = {other: address for other, address in addresses.items() if other != name}
            settings = {"listen": addresses[name], "peers": peers, "researchers": ["ada"], "timeout_seconds": 10.0}
            offered = {"stroke": {**RULE, "source": "copenhagen=stroke.parquet"}}
            self.config(name).write_text(yaml.safe_dump({"name": name, **settings, "datasets": offered}))
        self.config("ada").write_text(yaml.safe_dump({"name": "ada", "parties": addresses}))

    def _join(self, name: str, role: str) -> None:
        invitation, home, authority = self.folder / f"{name}.invitation", self.folder / name, self.folder / "authority"
        done("invite", name, "--role", role, "--authority", authority, "--out", invitation)
        if name == "north":  # the authority may be far away
            done("join", invitation, "--home", home)
            done("sign", home / f"{name}.request", "--authority", authority)
        else:
            done("join", invitation, "--home", home, "--authority", authority)

    def config(self, name: str) -> Path:
        return self.folder / name / f"{name}.yaml"

    def start(self, name: str) -> None:
        command = [str(BINARIES / "phaseiv"), "party", "serve", str(self.config(name))]
        with (self.folder / name / "output").open("w") as output:
            self.processes[name] = subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=output, text=True)
        until(lambda: "listens at" in (self.folder / name / "output").read_text())

    def job(self, **description: object) -> Path:
        """A job's file."""
        content = {"participants": list(PARTIES), "dataset": "stroke", "minimum_count": 5, **description}
        path = self.folder / "job.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    def markers(self, name: str) -> list[bytes]:
        """What only a hospital's rows look like: pseudonyms, and ages of patients that follow each other."""
        rows = pl.read_parquet(self.folder / name / "stroke.parquet")
        ages = (
            rows["age"].to_numpy()[: ROWS_IN_A_MARKER * (len(rows) // ROWS_IN_A_MARKER)].reshape(-1, ROWS_IN_A_MARKER)
        )
        numbers = [part.astype(kind).tobytes() for part in ages for kind in (np.int64, np.float64)]
        return [text.encode() for text in rows["pseudonym"]] + numbers


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    made = Federation(tmp_path_factory.mktemp("federation"))
    try:
        for name in PARTIES:
            made.start(name)
        yield made
    finally:
        for process in made.processes.values():
            process.kill()
            process.wait()


def test_a_researcher_gets_a_curve_and_a_model(federation: Federation):
    out = federation.folder / "curve.json"
    curve = federation.job(kind="kaplan_meier", columns=["time", "event"])
    process = phaseiv("run", curve, federation.config("ada"), "--out", out)
    assert process.exit_code == 0, process.stderr
    assert "bytes between the parties" in process.stderr
    assert json.loads(out.read_text())["curves"][0]["survival"][0] == 1.0
    columns = ["age", "sex", "diabetes", "time", "event"]
    model = federation.job(kind="logistic", columns=columns, parameters={"horizon": 365})
    fitted = json.loads(done("run", model, federation.config("ada")))
    assert {row["name"] for row in fitted["coefficients"]} >= {"intercept", "age"}


def test_the_log_tells_what_happened(federation: Federation):
    done("run", federation.job(kind="count", columns=["sex"], rho=0.25), federation.config("ada"))
    log = done("log", federation.config("south"))
    assert re.search(r"job\.admitted .* kind=count dataset=stroke researcher=ada rho=0\.25", log)
    assert re.search(r"job\.ended .* state=done", log)
    assert "stroke: rho 0.2500 of 1 is spent" in log
    other = federation.folder / "west" / "journal.jsonl"
    done("log", federation.config("south"), "--against", other)
    first = done("log", federation.config("south"), "--json").splitlines()[0]
    assert json.loads(first)["number"] == 1


def test_a_refusal_ends_with_its_words(federation: Federation):
    process = phaseiv("run", federation.job(kind="count", dataset="heart"), federation.config("ada"))
    assert process.exit_code == 1
    assert "must be one that north offers, got heart" in process.stderr


def test_a_person_at_each_hospital_approves(federation: Federation):
    job = federation.job(kind="histogram", columns=["sex"])
    command = [str(BINARIES / "phaseiv"), "party", "run", str(job), str(federation.config("ada"))]
    asking = subprocess.Popen(command, cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for name in PARTIES:
        until(lambda name=name: '"histogram"' in phaseiv("approve", federation.config(name)).stdout)
        waiting = json.loads(phaseiv("approve", federation.config(name)).stdout)
        assert "approved" in done("approve", federation.config(name), waiting["id"][:8], "--reason", "fine")
    output, words = asking.communicate(timeout=60)
    assert asking.returncode == 0, words
    assert "Female" in output
    assert "job.approved" in done("log", federation.config("west"))


RESEARCH = """
import asyncio, sys
from pathlib import Path

import numpy as np

from deidentification.schema import released_schema
from federation.jobs.job import issued
from federation.oracle import federated_oracle
from federation.party.researcher import Researcher
from federation.party.settings import ResearcherSettings, read_settings
from models.attributes import attribute_levels
from models.graphical_synthesizer import GraphicalSynthesizer
from use_cases.registry import discover

settings = read_settings(Path(sys.argv[1]), ResearcherSettings)

def job(kind, columns, rho):
    asked = {"kind": kind, "dataset": "stroke", "columns": columns, "minimum_count": 5, "rho": rho}
    return issued({"participants": list(settings.parties), **asked}, researcher="ada")

async def statistics():
    async with Researcher(settings) as researcher:
        for one in (job("count", ["sex"], 0.1), job("kaplan_meier", ["time", "event"], None)):
            print((await researcher.run(one)).end.state, flush=True)

asyncio.run(statistics())
schema = released_schema(discover()["stroke"].cohort("copenhagen").table)
model = GraphicalSynthesizer(selection="star")
with federated_oracle(settings, job("synthesis", schema.names, 0.3), attribute_levels(schema)) as oracle:
    model.fit_oracle(oracle, schema, budget=0.3)
table = model.sample(300, rng=np.random.default_rng(0))
print(table.height, flush=True)
sys.stdin.read()
"""


def memory(process: int) -> Iterator[bytes]:
    """All that a process may write in its own memory."""
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb") as content:
        for line in maps:
            low, high = (int(part, 16) for part in line.split()[0].split("-"))
            if line.split()[1].startswith("rw"):
                content.seek(low)
                yield content.read(high - low)


def like_rows(content: bytes) -> Iterator[bytes]:
    """The parts of a memory that could be pseudonyms or ages in a row: searching all of it for each would take minutes."""
    yield from re.findall(rb"[0-9a-f]{32,}", content)
    for kind in (np.int64, np.float64):
        values = np.frombuffer(content[: len(content) // 8 * 8], kind)
        ages = np.flatnonzero((values >= 18) & (values <= 120))
        starts = np.flatnonzero(np.diff(ages, prepend=-2) > 1)
        lengths = np.diff(starts, append=len(ages))
        for start, length in zip(
            ages[starts[lengths >= ROWS_IN_A_MARKER]], lengths[lengths >= ROWS_IN_A_MARKER], strict=True
        ):
            yield values[start : start + length].tobytes()


def seen(markers: dict[str, list[bytes]], contents: Iterator[bytes]) -> set[str]:
    """Whose rows occur."""
    owner = {marker: name for name, found in markers.items() for marker in found}
    found: set[bytes] = set()
    for content in contents:
        parts = b"|".join(like_rows(content))
        found |= {marker for marker in owner.keys() - found if marker in parts}
    return {owner[marker] for marker in found}


def test_no_row_is_in_the_researchers_memory_or_files(federation: Federation):
    markers = {name: federation.markers(name) for name in PARTIES}
    command = [sys.executable, "-c", RESEARCH, str(federation.config("ada"))]
    process = subprocess.Popen(command, cwd=PROJECT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(3)]
        assert lines == ["done", "done", "300"]
        assert sum(map(len, markers.values())) > 500
        assert seen(markers, memory(process.pid)) == set()
    finally:
        process.kill()
        process.wait()
    files = [path.read_bytes() for path in (federation.folder / "ada").rglob("*") if path.is_file()]
    assert seen(markers, iter(files)) == set()
    for name in PARTIES:  # the search does find rows: each party holds its own, and no other's
        assert seen(markers, memory(federation.processes[name].pid)) == {name}


def test_a_killed_party_is_named_and_comes_back(federation: Federation):
    federation.processes["west"].send_signal(signal.SIGKILL)
    federation.processes["west"].wait()
    process = phaseiv("run", federation.job(kind="count", columns=["sex"]), federation.config("ada"))
    assert "got lost:west; west must listen at" in process.stderr
    federation.start("west")
    done("run", federation.job(kind="count", columns=["sex"]), federation.config("ada"))


def test_a_party_stops_when_told(federation: Federation):
    north = federation.processes["north"]
    north.send_signal(signal.SIGTERM)
    assert north.wait(timeout=20) == 0
    assert "north is stopped" in (federation.folder / "north" / "output").read_text()
    log = federation.folder / "north" / "journal.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"count"', b'"heart"', 1))
    process = phaseiv("log", federation.config("north"))
    assert process.exit_code == 1
    assert "unbroken chain" in process.stderr


def test_two_parties_cannot_share_a_home(federation: Federation):
    process = phaseiv("serve", federation.config("south"))
    assert process.exit_code == 1
    assert "is it running already?" in process.stderr
    assert os.path.exists(federation.config("south"))
