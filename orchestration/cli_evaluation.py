"""The commands ``phaseiv evaluate``, ``phaseiv private-test`` and ``phaseiv compare``.

Belongs here: arguments, progress and exit codes. Does not belong here: what is measured (``evaluation``, ``metrics``).
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def evaluate(
    real: Annotated[Path, typer.Option(help="CSV or Parquet: the patients the synthesizer saw.")],
    holdout: Annotated[Path, typer.Option(help="CSV or Parquet: a random part of the patients that it did not see.")],
    synthetic: Annotated[Path, typer.Option(help="CSV or Parquet, made by any tool.")],
    schema: Annotated[Path, typer.Option(help="Codebook (YAML): a cohort's, or name, title, columns and outcomes.")],
    out: Annotated[Path, typer.Option(help="HTML page to write; its JSON goes beside it.")] = Path("evaluation.html"),
    limits: Annotated[Path | None, typer.Option(help="YAML with the gate's limits, or a use case's.")] = None,
    synthesizer: Annotated[str | None, typer.Option(help="Ours that made the table, to be run again for:")] = None,
    epsilon: Annotated[float, typer.Option(help="its privacy budget; 0 for none.")] = 1.0,
    delta: Annotated[float, typer.Option(help="its delta.")] = 1e-5,
    shadows: Annotated[int, typer.Option(min=0, help="Fits to attack it (64 tell much).")] = 0,
    refits: Annotated[int, typer.Option(min=0, help="Fits to test its p-values (200 tell much).")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of every draw.")] = 0,
) -> None:
    """Measure fidelity, utility, inference, fairness and privacy of a synthetic table. Exit code 1 if it is refused."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from records.errors import PhaseIVError

    steps = iter(range(1, 5))
    try:
        with Progress(TextColumn("{task.description:<12}"), BarColumn(), TimeElapsedColumn()) as bar:
            task = bar.add_task("reading", total=5)
            from orchestration.evaluation import Synthesizer, evaluate_files
            from orchestration.evaluation_input import Files

            again = Synthesizer(synthesizer, epsilon or None, delta, shadows, refits) if synthesizer else None
            document = evaluate_files(
                Files(real, holdout, synthetic, schema), out, limits=limits, synthesizer=again, seed=seed,
                tell=lambda step: bar.update(task, description=step, completed=next(steps)),
            )  # fmt: skip
            bar.update(task, description="done", completed=5)
    except (PhaseIVError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    _tell([out.stem], [document])
    typer.echo(f"report: {out}   figures: {out.with_suffix('.json')}")
    raise typer.Exit(0 if document["verdict"]["released"] else 1)


def private_test(
    test: Annotated[Path, typer.Option(help="CSV or Parquet: real patients that no synthesizer saw.")],
    synthetic: Annotated[Path, typer.Option(help="CSV or Parquet, made by any tool.")],
    schema: Annotated[Path, typer.Option(help="Codebook (YAML): a cohort's, or name, title, columns and outcomes.")],
    epsilon: Annotated[float, typer.Option(help="Privacy budget of the question.")] = 1.0,
    delta: Annotated[float, typer.Option(help="Below one in the number of patients.")] = 1e-5,
    total_rho: Annotated[float, typer.Option(help="zCDP that all questions to these patients may cost.")] = 0.5,
) -> None:
    """Tell who may not see the real patients how well the synthetic ones train a classifier: AUC with noise."""
    from orchestration.own_table import Allowance
    from orchestration.private_test import answer_privately
    from orchestration.settings import Settings
    from records.errors import PhaseIVError

    try:
        answer = answer_privately(test, synthetic, schema, epsilon, Allowance(delta, total_rho), Settings().workspace())
    except (PhaseIVError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if answer["auc"] is None:
        typer.echo(f"no AUC: {answer['reason']}", err=True)
        raise typer.Exit(1)
    bounds = f"{answer['auc_lower']:.3f} to {answer['auc_upper']:.3f}"
    typer.echo(f"{answer['outcome']}: AUC {answer['auc']:.3f} (95 % CI {bounds}), epsilon {epsilon:g}, delta {delta:g}")


def compare(
    evaluations: Annotated[list[Path], typer.Argument(help="Two or more JSON files of phaseiv evaluate.")],
    out: Annotated[Path, typer.Option(help="HTML page to write.")] = Path("comparison.html"),
) -> None:
    """Candidates for the same real patients side by side."""
    from metrics.reporting.comparison import comparison_page
    from records.errors import PhaseIVError
    from records.files import write_atomically

    try:
        documents = [_read(path) for path in evaluations]
        names = [path.stem for path in evaluations]
        write_atomically(out, comparison_page(names, documents).encode())
    except (PhaseIVError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    _tell(names, documents)
    typer.echo(f"comparison: {out}")


def _read(path: Path) -> dict[str, Any]:
    from metrics.reporting.document import FORMAT
    from records.errors import StorageError

    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise StorageError(f"{path.name} must be an evaluation's JSON, got something else; make it by phaseiv evaluate")
    return document


def _tell(names: list[str], documents: list[dict[str, Any]]) -> None:
    """One table: headline figures, and the verdict with reasons."""
    from rich.console import Console
    from rich.table import Table

    from metrics.reporting.headline import HEADLINES, at

    table = Table("figure", *names)
    for figure in HEADLINES:
        values = [at(document, figure.path) for document in documents]
        if any(isinstance(value, int | float) for value in values):
            table.add_row(figure.label, *("-" if value is None else f"{value:.3f}" for value in values))
    table.add_section()
    table.add_row("verdict", *("passed" if d["verdict"]["released"] else "refused" for d in documents))
    console = Console()
    console.print(table)
    for name, document in zip(names, documents, strict=True):
        for reason in document["verdict"]["reasons"]:
            console.print(f"{name}: {reason}", soft_wrap=True)
