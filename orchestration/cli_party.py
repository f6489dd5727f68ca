"""``phaseiv party ...``: the authority, a hospital's party, and a researcher's jobs.

Belongs here: commands and what they print. Does not belong here: the party itself (``federation.party``).
"""

import asyncio
import getpass
import json
import logging
import signal
from pathlib import Path
from typing import Annotated, Any

import typer

from records.errors import PhaseIVError, StorageError

party_app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_show_locals=False,
    help="Multi-party computation: certificates, a hospital's party, a researcher's jobs.",
    epilog="Example: `phaseiv party init authority`, then invite, join, sign and `phaseiv party serve north.yaml`.",
)  # fmt: skip
Config = Annotated[Path, typer.Argument(help="Settings (YAML) of the party or researcher.")]
AuthorityFolder = Annotated[Path, typer.Option("--authority", help="Folder of the authority.")]

PARTY_FILE = """\
# What this hospital allows. What is not listed is never done.
name: {name}
listen: 127.0.0.1:7101          # host:port at which the others reach it
peers: {{}}                       # name: host:port of every party that it computes with
researchers: []                 # names whose jobs it looks at
datasets: {{}}
#  stroke:
#    source: cph_stroke=cph_stroke.parquet      # cohort's codebook = de-identified table
#    computations: {{counts: auto, synthesis: ask}}
#    minimum_count: 10
#    budget_rho: 2.0
"""
RESEARCHER_FILE = """\
name: {name}
parties: {{}}                     # name: host:port of every party
"""


@party_app.command(epilog="Example: `phaseiv party init authority`")
def init(
    folder: Annotated[Path, typer.Argument(help="Folder for the authority's key; keep it offline.")],
    title: Annotated[str, typer.Option(help="Name in the certificate.")] = "PHASE IV federation",
) -> None:
    """Make the certificate authority of a new federation."""
    from federation.party.authority import Authority

    with _Refusals():
        Authority.init(folder, title=title)
        typer.echo(f"{folder}: the authority is made; invite by: phaseiv party invite NAME --authority {folder}")


@party_app.command(epilog="Example: `phaseiv party invite north --authority authority --out north.invitation`")
def invite(
    name: Annotated[str, typer.Argument(help="Name of the party or researcher.")],
    authority: AuthorityFolder = Path("authority"),
    role: Annotated[str, typer.Option(help="party or researcher.")] = "party",
    out: Annotated[Path | None, typer.Option(help="File to write; by default <name>.invitation.")] = None,
) -> None:
    """Write an invitation, which serves once within a week. Whoever holds it can join under the name."""
    from federation.party.authority import Authority, PartyRole
    from records.errors import ParameterError

    with _Refusals():
        if role not in set(PartyRole):
            raise ParameterError(f"role must be party or researcher, got {role}; choose one of these")
        path = out or Path(f"{name}.invitation")
        _write_secret(path, Authority(authority).invite(name, PartyRole(role)))
        typer.echo(f"{path}: hand it to {name} alone; there: phaseiv party join {path.name}")


@party_app.command(epilog="Example: `phaseiv party join north.invitation --home north`")
def join(
    invitation: Annotated[Path, typer.Argument(help="The invitation.")],
    home: Annotated[Path, typer.Option(help="Folder for key, settings and log.")] = Path("."),
    authority: Annotated[Path | None, typer.Option(help="Folder of the authority, if it is on this machine.")] = None,
) -> None:
    """Make a key, a request for a certificate, and a settings file to fill in."""
    from federation.party.authority import Authority
    from federation.party.authority import join as make_key

    with _Refusals():
        content = invitation.read_bytes()
        request, asked = make_key(content, home), json.loads(content)
        name, template = asked["name"], PARTY_FILE if asked["role"] == "party" else RESEARCHER_FILE
        settings = home / f"{name}.yaml"
        if not settings.exists():
            settings.write_text(template.format(name=name), encoding="utf-8")
        if authority is None:
            (home / f"{name}.request").write_bytes(request)
            typer.echo(f"{home / name}.request: have it signed by: phaseiv party sign {name}.request")
        else:
            (home / f"{name}.pem").write_bytes(Authority(authority).sign(request))
            typer.echo(f"{home}: {name} has joined; fill in {settings}")


@party_app.command(epilog="Example: `phaseiv party sign north.request --authority authority`")
def sign(
    request: Annotated[Path, typer.Argument(help="The request that an invited person made.")],
    authority: AuthorityFolder = Path("authority"),
    out: Annotated[Path | None, typer.Option(help="Certificate to write; by default <name>.pem beside.")] = None,
) -> None:
    """Sign a request; the certificate goes back to its maker and need not be kept secret."""
    from federation.party.authority import Authority

    with _Refusals():
        path = out or request.with_suffix(".pem")
        path.write_bytes(Authority(authority).sign(request.read_bytes()))
        typer.echo(f"{path}: put it into the home of the party")


@party_app.command(epilog="Example: `phaseiv party serve north/north.yaml`")
def serve(config: Config) -> None:
    """Run a hospital's party until Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    with _Refusals():
        asyncio.run(_serve(config))


async def _serve(config: Path) -> None:
    from federation.jobs.programs import PROGRAMS
    from federation.party.service import PartyService
    from federation.party.settings import PartySettings, read_settings

    settings = read_settings(config, PartySettings)
    site = _site(settings)
    for name in settings.datasets:
        typer.echo(f"{name}: {_patients(site, name)}")
    async with PartyService(settings, site, PROGRAMS) as party:
        running = asyncio.ensure_future(party.serve())
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, running.cancel)
        typer.echo(f"{settings.name} listens at {settings.listen}; Ctrl-C stops it")
        await asyncio.gather(running, return_exceptions=True)
    typer.echo(f"{settings.name} is stopped")


def _patients(site: Any, dataset: str) -> str:
    try:
        rows = site.table(dataset, site.schema(dataset).names[:1]).height
    except (PhaseIVError, OSError) as error:
        return f"jobs on it will be refused, {error}"
    return f"{rows} patients" if rows else "jobs on it will be refused, it holds no patients"


def _site(settings: Any) -> Any:
    """The site that reads what the settings name; a data set without a source is a cohort's."""
    from assets.federated_site import DatasetFile, FederatedSite

    sources = {name: rule.source or name for name, rule in settings.datasets.items()} | dict(settings.computes)
    return FederatedSite({name: DatasetFile.named(source, settings.home) for name, source in sources.items()})


@party_app.command(epilog="Example: `phaseiv party log north/north.yaml`")
def log(
    config: Config,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    against: Annotated[Path | None, typer.Option(help="Another party's log, which noted how this one stood.")] = None,
) -> None:
    """Print what a party took part in and what is left of its budgets; a changed log ends with exit code 1."""
    from federation.party.journal import DEBITED, contradicting, entries
    from federation.party.settings import PartySettings, read_settings

    with _Refusals():
        settings, spent = read_settings(config, PartySettings), dict[str, float]()
        for entry in entries(settings.journal) if settings.journal.exists() else ():
            if entry.event == DEBITED:
                spent[entry.detail["dataset"]] = spent.get(entry.detail["dataset"], 0.0) + entry.detail["rho"]
            line = entry.line.decode().rstrip() if as_json else _told(entry)
            typer.echo(line)
        if against and (found := contradicting(settings.journal, against, settings.name)):
            raise StorageError(
                f"{settings.journal} must hold what {against} noted of it, got another past at "
                f"{', '.join(one.job for one in found)}; it was rewritten"
            )
        for name, rule in settings.datasets.items():
            if rule.budget_rho is not None and not as_json:
                typer.echo(f"{name}: rho {spent.get(name, 0.0):.4f} of {rule.budget_rho:g} is spent")


def _told(entry: Any) -> str:
    shown = ("kind", "dataset", "researcher", "rho", "state", "reason", "bytes", "name", "by", "why")
    detail = " ".join(f"{key}={entry.detail[key]}" for key in shown if entry.detail.get(key) not in (None, ""))
    return f"{entry.number:>5} {entry.at[:19]}Z {entry.event:<18} {entry.job[:8]:<8} {detail}".rstrip()


@party_app.command(epilog="Example: `phaseiv party approve north/north.yaml 1b9d6bcd`")
def approve(
    config: Config,
    job: Annotated[
        str | None, typer.Argument(help="Beginning of the job's id; without it, what waits is listed.")
    ] = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse instead.")] = False,
    reason: Annotated[str, typer.Option(help="What the researcher is told.")] = "",
) -> None:
    """List the jobs that wait for a person, or decide on one."""
    from federation.party.approval import Approvals, Decision
    from federation.party.settings import PartySettings, read_settings

    with _Refusals():
        approvals = Approvals(read_settings(config, PartySettings).approvals)
        if job is None:
            for one in approvals.waiting():
                typer.echo(json.dumps(one.model_dump(mode="json"), indent=1))
            return
        decided = approvals.decide(job, Decision(not refuse, getpass.getuser(), reason))
        typer.echo(f"{decided.id}: {'refused' if refuse else 'approved'}")


@party_app.command(epilog="Example: `phaseiv party run job.yaml ada/ada.yaml --out result.json`")
def run(
    job: Annotated[Path, typer.Argument(help="Description of the job (YAML or JSON).")],
    config: Config,
    out: Annotated[Path | None, typer.Option(help="JSON file for the result; by default it is printed.")] = None,
) -> None:
    """Have parties compute a job of one step, as a researcher."""
    from federation.jobs.job import issued, read_description
    from federation.party.settings import ResearcherSettings, read_settings
    from records.files import write_atomically

    with _Refusals():
        settings = read_settings(config, ResearcherSettings)
        asked = issued(read_description(job), researcher=settings.name)
        result = asyncio.run(_ran(settings, asked))
        text = json.dumps(_plain(result.value), indent=1)
        if out is None:
            typer.echo(text)
        else:
            write_atomically(out, text.encode())
        typer.echo(f"{asked.id}: done in {result.seconds:.1f} s, {result.bytes:,} bytes between the parties", err=True)


async def _ran(settings: Any, job: Any) -> Any:
    from federation.party.researcher import Researcher

    async with Researcher(settings) as researcher:
        return await researcher.run(job, on_progress=_tell)


def _tell(progress: Any) -> None:
    figures = progress.figures
    typer.echo(
        f"{progress.party:>12} {progress.stage:<9} {figures.seconds:7.1f} s {figures.rounds:>6} rounds {figures.bytes:>13,} bytes {progress.note}",
        err=True,
    )


def _plain(value: Any) -> Any:
    import numpy as np

    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _write_secret(path: Path, content: bytes) -> None:
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)


class _Refusals:
    """Refusals end the command with their words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PhaseIVError | OSError):
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error
