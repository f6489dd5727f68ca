"""``phaseiv market-sim``: who earns what in a market in which some cheat.

Belongs here: arguments, progress, and loading the cohorts. Does not belong here: the market (``hub.market.simulation``).
"""

from pathlib import Path
from typing import Annotated

import typer

COHORTS = ("support2_lung", "byar_greene", "copenhagen", "smart_cerebrovascular")


def market_sim(
    out: Annotated[Path, typer.Option(help="Folder for tables, picture and page.")],
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; each divides the patients anew.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every draw.")] = 0,
    cohort: Annotated[list[str] | None, typer.Option(help="A bundled cohort; repeatable; by default four.")] = None,
) -> None:
    """Simulate honest, free-riding, copying, poisoning, colluding and strategic holders under several rules of sharing."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from hub.market.simulation.rounds import simulate
    from hub.market.simulation.summary import NAMES, write
    from hub.market.simulation.table import study
    from orchestration.preparation import ended
    from records.errors import PhaseIVError

    try:
        found = [_cohort(name) for name in dict.fromkeys(cohort or COHORTS)]
        studies = [study(one.load(), one.table) for one in found]
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns) as bar:
            task = bar.add_task("rounds", total=rounds)
            deviations, crowd = simulate(studies, rounds, seed, tell=lambda done: bar.update(task, completed=done))
        facts = {"rounds": rounds, "seed": seed, "cohorts": [s.name for s in studies]}
        summary = write(out, deviations, crowd, facts)
    except (PhaseIVError, OSError) as error:
        raise ended(str(error), code=1) from error
    for row in summary["gains"]:
        if row["rule"] == "ours" and row["strategy"] != "honest" and row["gain"] is not None:
            typer.echo(f"{row['strategy']:<28}{100 * row['gain']:+6.0f} % beside honest")
    typer.echo(f"{out}: {', '.join(NAMES)}")


def _cohort(name: str):
    from records.errors import ParameterError
    from use_cases.registry import discover

    known = {c.name: c for use_case in discover().values() for c in use_case.cohorts if c.source.bundled}
    if name not in known:
        raise ParameterError(f"the cohort must be one of {', '.join(known)}, got {name}; choose one of these")
    return known[name]
