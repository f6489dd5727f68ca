"""The command line ``phaseiv``.

Belongs here: commands, progress and exit codes. Does not belong here: what a step does.
"""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestration import cli_deidentify, cli_evaluation, cli_harmonise, cli_market, cli_opt_out
from orchestration.cli_federation import demo
from orchestration.cli_hub import hub_app
from orchestration.cli_images import SETTING, Modality, image_study, reader_app, run_images
from orchestration.cli_keys import keys_app
from orchestration.cli_party import party_app
from orchestration.execution import execute
from orchestration.preparation import ended, prepare

# Local variables may hold rows of patients: a traceback must never print them.
app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_show_locals=False,
    help="Health data as a service: de-identified, synthetic and measured.",
    epilog="Examples: `phaseiv run all`; `phaseiv run stroke --epsilon 1`; `phaseiv status`; `phaseiv up`",
)  # fmt: skip
# Runs and metrics, not the tools for language models that MLflow shows otherwise.
MLFLOW_PAGE = "#/experiments?workflowType=machine_learning"
UseCaseArgument = Annotated[str, typer.Argument(help="A use case, or all.")]


def _chosen(name: str) -> list[str]:
    from use_cases.registry import discover

    known = list(discover())
    if name != "all" and name not in known:
        raise ended(f"the use case must be one of {', '.join(known)}, all, got {name}; choose one of these", code=2)
    return known if name == "all" else [name]


@app.command(epilog="Example: `phaseiv run stroke --epsilon 1 --cohort my_patients.csv`")
def run(
    use_case: UseCaseArgument = "all",
    epsilon: Annotated[float, typer.Option(min=0, help="Privacy budget of the candidate; 0 for none.")] = 5.0,
    synthesizer: Annotated[
        str, typer.Option(help="auto, aim, mst, star, transformer, trees or copula; images have their own.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of the sampling (noise has none).")] = 0,
    cohort: Annotated[
        str,
        typer.Option(
            help="`COHORT` (or a codebook), `PLACE` or `COHORT=PLACE`: CSV or Parquet, FHIR or DICOM folder, OMOP URL."
        ),
    ] = "",
    refits: Annotated[
        int, typer.Option(min=0, help="Repeated fits that test p-values; 0 takes a third of the time.")
    ] = 6,
    modality: Annotated[
        Modality, typer.Option(help="Tables, or images: phantoms unless --cohort is `IMAGE COHORT=FOLDER`.")
    ] = Modality.TABLE,
) -> None:
    """Run use cases from the raw cohort to the release. Exit code 1 if one failed or was refused."""
    names = _chosen(use_case)
    if cohort and use_case == "all":
        raise ended("the use case must be named beside --cohort, got all; write for instance: run stroke", code=2)
    if cohort:
        os.environ[f"PHASEIV_{SETTING[modality]}__{use_case.upper()}"] = cohort
    settings = prepare()
    asked = {"synthesizer": synthesizer, "epsilon": epsilon or None, "seed": seed}
    if modality is Modality.IMAGE:
        errors = run_images(names, asked, settings)
    else:
        errors = [error for name in names if (error := execute(name, _configured(name, asked, refits), settings))]
    for error in errors:
        typer.echo(error, err=True)
    status()
    if epsilon and any("Release refused" in error for error in errors):
        typer.echo(
            "A refusal may be chance: now and then noise falls so. The same question keeps its answer; another "
            f"epsilon, as --epsilon {1.1 * epsilon:.3g}, is another question and is debited anew.",
            err=True,
        )
    raise typer.Exit(1 if errors else 0)


def _configured(use_case: str, synthesis: dict[str, Any], refits: int) -> dict[str, Any]:
    steps = {"synthetic": synthesis, "downstream_classifier": {"refits": refits}}
    return {f"{use_case}__{step}": {"config": config} for step, config in steps.items()}


@app.command(epilog="Example: `phaseiv sweep --seeds 3`")
def sweep(seeds: Annotated[int, typer.Option(min=1, help="Candidates per epsilon.")] = 3) -> None:
    """Draw the privacy-utility frontier of every use case (run them once before)."""
    settings = prepare()
    config = {f"{n}__privacy_utility_frontier": {"config": {"seeds": seeds}} for n in _chosen("all")}
    if error := execute("privacy_utility_sweep", config, settings):
        raise ended(error, code=1)
    typer.echo(f"frontiers: {settings.workspace().page('*_frontier').with_suffix('.png')}")


@app.command(epilog="Example: `phaseiv synthesize --schema my.yaml --data my.csv --epsilon 1 --out synthetic.parquet`")
def synthesize(
    schema: Annotated[Path, typer.Option(help="Codebook (YAML): a cohort's, or name, title and columns.")],
    data: Annotated[Path, typer.Option(help="CSV or Parquet, one row per patient, or folder of FHIR or DICOM files.")],
    out: Annotated[Path, typer.Option(help="Parquet or CSV file to write; its manifest goes beside it.")],
    epsilon: Annotated[float, typer.Option(help="Privacy budget; 0 for no differential privacy.")] = 1.0,
    delta: Annotated[float, typer.Option(help="Below one in the number of patients.")] = 1e-5,
    synthesizer: Annotated[str, typer.Option(help="auto, aim, mst, star, transformer, trees or copula.")] = "auto",
    rows: Annotated[int | None, typer.Option(help="Rows to draw; by default as many as patients.")] = None,
    given: Annotated[list[str] | None, typer.Option(help="`COLUMN=VALUE` that all rows carry; repeatable.")] = None,
    balance: Annotated[str | None, typer.Option(help="Category of which all levels get equally many rows.")] = None,
    tables: Annotated[int | None, typer.Option(help="Tables for pooled inference (30), in one file.")] = None,
    measure: Annotated[
        list[str] | None, typer.Option(help="`COLUMN,COLUMN` that an analysis uses together; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the sampling (noise has none).")] = 0,
    total_rho: Annotated[float, typer.Option(help="zCDP that all questions to this data set may cost.")] = 2.0,
) -> None:
    """Synthesize a table of your own by its codebook. The same question asked again costs nothing."""
    from rich.console import Console

    from assets.answers import SynthesisConfig
    from orchestration.own_table import Allowance, Draw
    from orchestration.own_table import synthesize as run_synthesis
    from records.errors import PhaseIVError

    declared = [entry.split(",") for entry in measure or []]
    name = "declared" if declared and synthesizer == "auto" else synthesizer
    config = SynthesisConfig(synthesizer=name, marginals=declared, epsilon=epsilon or None, seed=seed)
    condition = {name: value for name, _, value in (entry.partition("=") for entry in given or [])}
    workspace = prepare().workspace()
    try:
        with Console().status("measuring and learning"):
            draw = Draw(rows, condition, balance, tables)
            manifest = run_synthesis(schema, data, out, config, Allowance(delta, total_rho), workspace, draw)
    except (PhaseIVError, OSError) as error:
        raise ended(str(error), code=1) from error
    spend, model = manifest["spend"], manifest["model"]
    guarantee = f"epsilon {spend['epsilon']:.3f}, delta {spend['delta']:g}" if spend["rho"] else "no privacy guarantee"
    typer.echo(f"{out}: {manifest['rows']} rows, {guarantee}; {model['why']}")
    if "warning" in model:
        typer.echo(f"warning: {model['warning']}", err=True)


@app.command(epilog="Example: `phaseiv impute --schema my.yaml --data my.csv --tables 10 --out completed.parquet`")
def impute(
    schema: Annotated[Path, typer.Option(help="Codebook (YAML): a cohort's, or name, title and columns.")],
    data: Annotated[Path, typer.Option(help="CSV or Parquet, one row per patient.")],
    out: Annotated[Path, typer.Option(help="Parquet or CSV file to write: your patients' rows, completed.")],
    tables: Annotated[int, typer.Option(help="Completed copies, numbered in the column table.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0,
) -> None:
    """Fill missing values by draws given what is known of each patient. The output is as sensitive as the input."""
    from rich.console import Console

    from orchestration.own_table import impute as run_imputation
    from records.errors import PhaseIVError

    try:
        with Console().status("learning and completing"):
            missing = run_imputation(schema, data, out, tables=tables, seed=seed)
    except (PhaseIVError, OSError) as error:
        raise ended(str(error), code=1) from error
    typer.echo(f"{out}: {tables} copies, {missing} missing values completed in each; patients' rows, not for release")


@app.command(epilog="Example: `phaseiv progression --cohort pbcseq --epsilon 5 --given sex=f --out simulated`")
def progression(
    out: Annotated[Path, typer.Option(help="Folder for patients, visits, figure and manifest.")],
    cohort: Annotated[str, typer.Option(help="pbcseq or csl.")] = "pbcseq",
    epsilon: Annotated[float, typer.Option(help="Privacy budget; 0 for no differential privacy.")] = 5.0,
    delta: Annotated[float, typer.Option(help="Below one in the number of patients.")] = 1e-5,
    patients: Annotated[int | None, typer.Option(help="Patients to draw; by default as many as in the cohort.")] = None,
    given: Annotated[
        list[str] | None, typer.Option(help="`COLUMN=VALUE` of baseline or first visit; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the sampling (noise has none).")] = 0,
    total_rho: Annotated[float, typer.Option(help="zCDP that all questions to this cohort may cost.")] = 2.0,
) -> None:
    """Simulate patients over time, from a given baseline under a given treatment."""
    from rich.progress import Progress

    from orchestration.own_table import Allowance
    from orchestration.progression import Wish, simulate
    from records.errors import PhaseIVError
    from use_cases.longitudinal_cohort import longitudinal_cohort

    condition = {name: value for name, _, value in (entry.partition("=") for entry in given or [])}
    workspace, wish = prepare().workspace(), Wish(patients, condition, seed)
    try:
        with Progress() as bar:
            task = bar.add_task(f"learning {cohort}", total=1.0)
            manifest = simulate(
                longitudinal_cohort(cohort), out, wish, epsilon or None, Allowance(delta, total_rho), workspace,
                tell=lambda share: bar.update(task, completed=share),
            )  # fmt: skip
    except (PhaseIVError, OSError) as error:
        raise ended(str(error), code=1) from error
    spend, rows = manifest["spend"], {name: table["rows"] for name, table in manifest["tables"].items()}
    guarantee = f"epsilon {spend['epsilon']:.3f}, delta {spend['delta']:g}" if spend["rho"] else "no privacy guarantee"
    typer.echo(f"{out}: {rows['patients']} patients, {rows['visits']} visits, {guarantee}")


app.command(epilog="Example: `phaseiv deidentify my.csv --schema my.yaml --k 5 --out released.csv`")(
    cli_deidentify.deidentify
)
app.command(epilog="Example: `phaseiv refused scans/ --report clean.report.json`")(cli_deidentify.refused)
app.command(epilog="Example: `phaseiv scrub notes.csv --text note --patient id --language fi --out scrubbed.csv`")(
    cli_deidentify.scrub
)
app.command("share-key", epilog="Example: `phaseiv share-key stroke --out stroke_key.json`")(cli_deidentify.share_key)
app.add_typer(keys_app, name="keys")
app.command("opt-out", epilog="Example: `phaseiv opt-out objections.csv --on 2026-11-26`")(cli_opt_out.opt_out)
app.command(epilog="Example: `phaseiv omop stroke --to sqlite:///omop.db`")(cli_harmonise.omop)
app.command(epilog="Example: `phaseiv propose extract.csv --unit crea=umol/L --out draft.yaml`")(cli_harmonise.propose)
app.command(
    epilog="Example: `phaseiv evaluate --real train.csv --holdout test.csv --synthetic made.csv --schema my.yaml`"
)(cli_evaluation.evaluate)
app.command(epilog="Example: `phaseiv private-test --test test.csv --synthetic made.csv --schema my.yaml`")(
    cli_evaluation.private_test
)
app.command(epilog="Example: `phaseiv compare ours.json theirs.json --out comparison.html`")(cli_evaluation.compare)

app.command("image-study", epilog="Example: `phaseiv image-study lung`")(image_study)
app.add_typer(reader_app, name="reader-study")
app.command("market-sim", epilog="Example: `phaseiv market-sim --rounds 100 --seed 0 --out market`")(
    cli_market.market_sim
)
app.add_typer(hub_app, name="hub")
party_app.command(epilog="Example: `phaseiv party demo stroke --epsilon 1`")(demo)
app.add_typer(party_app, name="party")


@app.command(epilog="Example: `xdg-open $(phaseiv report lung)`")
def report(use_case: UseCaseArgument = "all") -> None:
    """Print the path of each report. Exit code 1 if one was not made yet."""
    workspace, names = prepare().workspace(), _chosen(use_case)
    for name in names:
        if workspace.page(name).exists():
            typer.echo(str(workspace.page(name)))
    if missing := [name for name in names if not workspace.page(name).exists()]:
        raise ended(f"the report must have been made, got none for {', '.join(missing)}; phaseiv run it", code=1)


@app.command(epilog="Example: `PHASEIV_HOME=/srv/phaseiv phaseiv status`")
def status() -> None:
    """One table of the newest candidates and their verdicts."""
    from rich.console import Console
    from rich.table import Table

    workspace = prepare().workspace()
    table = Table("use case", "n", "epsilon", "TRTR", "TSTR", "max TVD2", "membership AUC", "verdict")
    for name in _chosen("all"):
        path = workspace.report([name, "report"])
        if path.exists():
            s: dict[str, Any] = json.loads(path.read_bytes())
            verdict = "released" if s["released"] else "refused: " + "; ".join(s["reasons"])
            figures = [_figure(s[k]) for k in ("trtr_auc", "tstr_auc", "max_tvd2", "membership_auc")]
            table.add_row(name, str(s["n"]), str(s["epsilon"] or "none"), *figures, verdict)
    console = Console(width=None if sys.stdout.isatty() else 140)
    if table.row_count:
        console.print(table)
    for name in _chosen("all"):
        if workspace.page(name).exists():
            console.print(f"report: {workspace.page(name)}", soft_wrap=True)


@app.command(epilog='Example: `eval "$(phaseiv init)"; dg launch --job stroke`')
def init() -> None:
    """Make the folders that runs need and print the settings under which Dagster's own commands find them."""
    prepare()
    for name in ("PHASEIV_HOME", "DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", "MLFLOW_DISABLE_TELEMETRY"):
        typer.echo(f"export {name}={shlex.quote(os.environ[name])}")


@app.command(epilog="Example: `phaseiv up --dagster-port 3001 --mlflow-port 5001`")
def up(
    dagster_port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    mlflow_port: Annotated[int, typer.Option(help="Port of MLflow.")] = 5000,
    hub_port: Annotated[int, typer.Option(help="Port of the health data hub.")] = 8000,
    hub: Annotated[bool, typer.Option(help="Whether to serve the health data hub too.")] = True,
) -> None:
    """Start Dagster (webserver and daemon), MLflow and the hub on 127.0.0.1; Ctrl-C stops all.

    The hub needs its keys in the environment; with PHASEIV_HUB_DEMO=true it makes them and fills itself for a trial.
    """
    from orchestration.servers import commands, serve
    from records.errors import PhaseIVError

    settings = prepare()
    servers = commands(settings.workspace(), dagster_port, mlflow_port, hub_port if hub else None)
    try:
        if hub and settings.hub().demo:
            from orchestration.hub_demo import fill

            typer.echo(fill(settings, tell=typer.echo))
        elif hub:
            settings.open_hub()
    except PhaseIVError as error:
        raise ended(f"{error}; or leave the hub out by --no-hub", code=1) from error
    at = "http://127.0.0.1"
    typer.echo(f"Dagster {at}:{dagster_port}   MLflow {at}:{mlflow_port}/{MLFLOW_PAGE}")
    typer.echo(f"Hub {at}:{hub_port}" if hub else "no hub")
    typer.echo("Ctrl-C stops all")
    if server := serve(servers):
        raise ended(server, code=1)
    typer.echo("all are stopped")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
