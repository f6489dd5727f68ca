"""``phaseiv party demo``: a federation on this machine, and a researcher that asks it through Dagster.

Belongs here: the command and what it prints. Does not belong here: the parties' processes (``federation_demo``).
"""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestration.preparation import ended, prepare
from records.errors import PhaseIVError


def demo(
    use_case: Annotated[str, typer.Argument(help="A use case.")] = "stroke",
    cohort: Annotated[str, typer.Option(help="`COHORT` or `COHORT=FILE`.")] = "",
    site: Annotated[
        list[str] | None, typer.Option(help="Hospital that takes part; repeatable. By default all.")
    ] = None,
    epsilon: Annotated[float, typer.Option(min=0.01, help="Privacy budget of the synthetic table.")] = 1.0,
    minimum_count: Annotated[int, typer.Option(min=5, help="Smaller counts are never opened.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the sampling (noise has none).")] = 0,
) -> None:
    """Start one party per hospital, with TLS, and run the federated assets: statistics, models, a synthetic table."""
    from assets.factory import federated_job
    from assets.federated import ASSETS
    from orchestration.execution import execute, materialise
    from orchestration.federation_demo import federation, running
    from use_cases.registry import discover

    if use_case not in (known := discover()):
        raise ended(f"the use case must be one of {', '.join(known)}, got {use_case}; choose one of these", code=2)
    if cohort:
        os.environ[f"PHASEIV_COHORTS__{use_case.upper()}"] = cohort
    settings, chosen = prepare(), known[use_case]
    table, _ = chosen.chosen(cohort)
    try:
        materialise(use_case, ["raw_cohort", "deidentified"], settings)
        researcher = federation(chosen, table, settings, _kinds(), site or ())
        os.environ[f"PHASEIV_FEDERATION__{use_case.upper()}"] = str(researcher)
        with running(researcher) as parties:
            typer.echo("parties: " + ", ".join(f"{name} (process {number})" for name, number in parties.items()))
            config = {"epsilon": epsilon, "minimum_count": minimum_count, "seed": seed}
            ops = {f"{use_case}__{name}": {"config": config} for name in ASSETS}
            error = execute(federated_job(use_case), ops, prepare())
    except PhaseIVError as refused:
        raise ended(str(refused), code=1) from refused
    if error:
        raise ended(error, code=1)
    _show(settings.workspace().report([use_case, "federated_statistics"]), researcher)
    typer.echo(f"synthetic table: {settings.workspace().table([use_case, 'federated_synthetic'])}")


def _kinds() -> list[str]:
    from federation.jobs.programs import PROGRAMS

    return list(PROGRAMS)


def _show(statistics: Path, researcher: Path) -> None:
    """What the jobs took, of both reports."""
    from rich.console import Console
    from rich.table import Table

    table = Table("job", "seconds", "rounds", "bytes between parties", "left out")
    for path in (statistics, statistics.with_stem("federated_model")):
        found: dict[str, Any] = json.loads(path.read_bytes())
        for kind, one in found.items():
            took = one["costs"]
            figures = f"{took['seconds']:.1f}", str(took["rounds"]), f"{took['bytes_between_parties']:,}"
            table.add_row(kind, *figures, str(len(one["result"]["suppressed"])))
    Console(width=100).print(table)
    typer.echo(f"a party's own log: phaseiv party log {researcher.parents[1]}/<party>/<party>.yaml")
