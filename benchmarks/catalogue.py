"""Search and export of a catalogue of 10,000 data sets on Postgres: ``python -m benchmarks.catalogue``.

Belongs here: a real Postgres and a real web server of the benchmark's own, 50 people who search, and the figures. The
descriptions are made from word lists and published by the service, which checks them; copies under other names fill the
catalogue up.
"""

import asyncio
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from rdflib import Graph

from hub.caller import Caller
from hub.catalogue.record import Agent, DatasetRecord, Distribution, Variable
from hub.catalogue.service import draft, publish
from hub.catalogue.tables import Dataset
from hub.catalogue.validation import problems
from hub.deployment import Deployment
from hub.people import accounts
from hub.people.roles import Role
from hub.settings import HubSettings

PAGE = Path("docs/benchmarks/catalogue.md")
DATASETS, USERS, SECONDS, PAUSE, CHECKED = 10_000, 50, 25.0, 2.0, 200
PUBLISHED = 250  # by the service, with all checks; the others are copies of these under other names
COPIES = DATASETS // PUBLISHED
LIMITS = httpx.Limits(max_connections=USERS, keepalive_expiry=2)  # sooner than the server ends idle connections
DISEASES = ("lung cancer", "stroke", "heart failure", "diabetes", "asthma", "sepsis", "dementia", "melanoma", "hepatitis",
            "epilepsy", "osteoporosis", "migraine")  # fmt: skip
KINDS = ("cohort", "registry", "trial", "survey", "biobank", "imaging archive", "laboratory results", "prescriptions")
PLACES = ("Oulu", "Turku", "Barcelona", "Leuven", "Tampere", "Kraków", "Malmö", "Porto", "Graz", "Lyon")
MEASURES = ("age", "sex", "body mass index", "systolic pressure", "haemoglobin", "creatinine", "albumin", "stage",
            "smoking", "survival", "treatment", "ejection fraction", "glucose", "platelets")  # fmt: skip


def described(number: int, hub: str) -> DatasetRecord:
    """A data set's description that no data stand behind."""
    rng = random.Random(number)
    disease, kind, place = rng.choice(DISEASES), rng.choice(KINDS), rng.choice(PLACES)
    agent = Agent(name=f"{place} University Hospital", email="data@example.org")
    chosen, name = rng.sample(MEASURES, 8), _name(number, 0)
    return DatasetRecord(
        title=f"{disease.capitalize()} {kind} of {place}, {name}", identifier=f"urn:benchmark:{name}",
        description=f"A {kind} of people with {disease} treated in {place}, with {', '.join(chosen)}. "
        f"Follow-up by national registries; missing values are told for each variable.",
        applicable_legislation=["http://data.europa.eu/eli/reg/2025/327/oj"],  # type: ignore[list-item]
        keywords=[disease, kind, place], themes=["HEAL"], types=["PERSONAL_DATA"],
        health_categories=sorted(rng.sample("aeklmpq", rng.randint(1, 2))), provenance=f"Records of {place}.",
        contact=agent, publisher=agent, access_body=Agent(name="Access body", email="body@example.org"),
        access_rights="NON_PUBLIC", records=rng.randint(10, 5000) * 10, countries=["FIN"],
        distributions=[Distribution(title="Ask", access_url=f"{hub}/catalogue/set-{name}/request", format="CSV")],  # type: ignore[arg-type]
        variables=[Variable(name=m.replace(" ", "_"), label=m.capitalize(), datatype="number", unit="1") for m in chosen],
    )  # fmt: skip


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """URL of a Postgres of our own, with its default settings."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    port, data = _free_port(), folder / "data"
    shutil.chown(folder, "postgres")

    def run(program: str, *options: str) -> None:
        command = ["runuser", "-u", "postgres", "--", str(programs / program), "-D", str(data), *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    run("initdb", "-U", "tester", "--auth=trust", "-E", "UTF8")
    serving = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", serving, "start")
    try:
        yield f"postgresql+psycopg2://tester@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-m", "immediate", "stop")


def filled(url: str, home: Path) -> float:
    """Fill the catalogue; seconds of CPU that publishing one data set takes."""
    hub = _hub(url, home)
    hub.database.create()
    with hub.database.write() as session:
        holder = accounts.create(session, now=hub.clock(), email="h@example.org", name="Holder", password=None,
                                 roles=frozenset({Role.HOLDER}))  # fmt: skip
        start, caller = time.process_time(), Caller(session, hub.clock(), hub, holder)
        for number in range(PUBLISHED):
            name = f"set-{_name(number, 0)}"
            draft(
                caller, name, described(number, hub.settings.public_url), use_case="demo" if number % 10 == 0 else None
            )
            publish(caller, name)
        took = (time.process_time() - start) / PUBLISHED
    with hub.database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for copy in range(1, COPIES):
            connection.exec_driver_sql(_copied(copy))
        connection.exec_driver_sql("VACUUM ANALYZE datasets")
    return took


def _name(number: int, copy: int) -> str:
    return f"{number:05d}-{copy}"


def _copied(copy: int) -> str:
    """SQL that copies all published sets under other names; blank nodes of JSON-LD get labels of their own."""
    made = {name: name for name in Dataset.__table__.columns.keys()}  # noqa: SIM118
    for column in ("id", "title", "turtle", "json_ld", "record"):
        text = f"replace({column}::text, substr(id, 5), regexp_replace(substr(id, 5), '0$', '{copy}'))"
        made[column] = f"replace({text}, '\"_:N', '\"_:N{copy}x')" if column == "json_ld" else text
    made["record"] += "::json"
    return (
        f"INSERT INTO datasets ({', '.join(made)}) SELECT {', '.join(made.values())} FROM datasets WHERE id LIKE '%%-0'"
    )


@contextmanager
def served(url: str, home: Path) -> Iterator[tuple[str, int]]:
    """Address and process of a hub of its own, one worker as in operation."""
    port = _free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.catalogue", "serve", url, str(home), str(port)])
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                httpx.get(f"{address}/api/v1/health")
                break
            except httpx.TransportError:
                time.sleep(0.2)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


async def search(address: str, path: str, pause: float, seconds: float) -> list[float]:
    """Milliseconds of each search of 50 people, who read for ``pause`` seconds (exponential) between two."""
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=LIMITS) as client:
        end = time.perf_counter() + seconds
        found = await asyncio.gather(*(_person(client, path, pause, end, seed) for seed in range(USERS)))
    return [took for each in found for took in each]


async def _person(client: httpx.AsyncClient, path: str, pause: float, end: float, seed: int) -> list[float]:
    rng, took = random.Random(seed), list[float]()
    await asyncio.sleep(rng.random() * pause)
    while time.perf_counter() < end:
        asked = _question(rng)
        start = time.perf_counter()
        answer = await client.get(path, params=asked)
        took.append(1000 * (time.perf_counter() - start))
        assert answer.status_code == 200, answer.text
        await asyncio.sleep(rng.expovariate(1 / pause) if pause else 0)
    return took


def _question(rng: random.Random) -> dict[str, str]:
    words = [rng.choice(DISEASES), rng.choice(PLACES).lower(), rng.choice(KINDS), rng.choice(MEASURES), ""]
    asked = {"q": " ".join(rng.sample(words, rng.randint(1, 2))).strip()[: rng.choice((4, 30))]}
    if rng.random() < 0.4:
        asked["category"] = rng.choice("aekl")
    if rng.random() < 0.2:
        asked["synthetic"] = "true"
    if rng.random() < 0.2:
        asked["page"] = str(rng.randint(2, 5))
    return asked


def exported(address: str, format: str) -> tuple[float, str]:
    """Seconds and text of the whole export."""
    start = time.perf_counter()
    answer = httpx.get(f"{address}/api/v1/export", params={"format": format}, timeout=300)
    answer.raise_for_status()
    return time.perf_counter() - start, answer.text


def check(turtle: str) -> tuple[int, int]:
    """Number of documents in the export, and problems that a sample of them has."""
    documents = turtle.split("\n\n@prefix")[1:]
    chosen = random.Random(0).sample(documents, CHECKED)
    return len(documents), sum(len(problems(Graph().parse(data="@prefix" + d, format="turtle"))) for d in chosen)


def main() -> None:
    """Measure and write the page."""
    with tempfile.TemporaryDirectory(prefix="catalogue") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "store").mkdir()
        home = folder / "hub"
        with postgres(folder / "store") as url:
            published = filled(url, home)
            postmaster = int((folder / "store" / "data" / "postmaster.pid").read_text().split()[0])
            with served(url, home) as (address, server):
                _write(published, address, (server, postmaster))


def cpu_seconds(processes: tuple[int, ...]) -> float:
    """CPU that the processes and their children have used: what others do on the machine hardly changes it."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdecimal():
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                own = int(entry.name) in processes
                if own or int(fields[1]) in processes:
                    # Of the processes themselves, also what children that have ended used.
                    ticks += sum(map(int, fields[11 : 15 if own else 13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _write(published: float, address: str, processes: tuple[int, int]) -> None:
    rows = []
    for what, path, pause in (
        ("page", "/catalogue", PAUSE),
        ("API", "/api/v1/datasets", PAUSE),
        ("API", "/api/v1/datasets", 0.0),
    ):
        asyncio.run(search(address, path, pause, 5))  # warm
        before = cpu_seconds(processes)
        took = sorted(asyncio.run(search(address, path, pause, SECONDS)))
        used, p95 = 1000 * (cpu_seconds(processes) - before) / len(took), took[int(0.95 * len(took))]
        rows.append(
            f"| {what} | {pause:g} s | {len(took) / SECONDS:.0f} | {statistics.median(took):.0f} | {p95:.0f} | {took[-1]:.0f} | {used:.1f} |"
        )
    (turtle_seconds, turtle), (linked_seconds, linked) = exported(address, "ttl"), exported(address, "jsonld")
    documents, wrong = check(turtle)
    PAGE.write_text(f"""# Catalogue of {DATASETS:,} data sets

One web server process and Postgres with its default settings on 2 cores, which the {USERS} people's program shares
(`python -m benchmarks.catalogue`). {_load()}

## Search, {USERS} people at once

Words (whole or begun), facets and later pages, at random. People read between two searches (exponential, mean below); with
no pause {USERS} searches are always under way, which shows the most that the machine does. The CPU is that of the web server
and Postgres together.

| answer | pause | searches a second | median ms | p95 ms | longest ms | CPU ms a search |
|---|---|---|---|---|---|---|
{chr(10).join(rows)}

## Export as HealthDCAT-AP

| form | seconds | MiB |
|---|---|---|
| Turtle | {turtle_seconds:.1f} | {len(turtle.encode()) / 2**20:.0f} |
| JSON-LD | {linked_seconds:.1f} | {len(linked.encode()) / 2**20:.0f} |

The documents are made and checked against the shapes when a data set is published, which takes {1000 * published:.0f} ms of
CPU. {PUBLISHED} were published so; the others are copies of them under other names. The Turtle holds {documents:,} documents
of data sets; {CHECKED} of them, taken at random and checked again, had {wrong} problems.
""")


def _load() -> str:
    """Whether the figures are those of a machine that did nothing else."""
    waiting, cores = os.getloadavg()[2], os.cpu_count() or 1
    return f"Load of the last 15 minutes, this benchmark's own included: {waiting:.1f} on {cores} cores."


def _hub(url: str, home: Path) -> Deployment:
    return Deployment.from_settings(HubSettings(home=home, database_url=url, demo=True))


def _serve(url: str, home: Path, port: int) -> None:
    import uvicorn

    from hub.web.application import build

    uvicorn.run(build(_hub(url, home)), host="127.0.0.1", port=port, log_level="warning")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        _serve(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
