"""``phaseiv hub ...``: running the hub, and using one.

Belongs here: commands and what they print. Does not belong here: the client (``hub.client``) and the server (``hub.server``).
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli_hub_images import describe_images, images_id
from orchestration.cli_images import Modality, place_of
from orchestration.preparation import prepare
from records.errors import ParameterError, PhaseIVError

if TYPE_CHECKING:
    from hub.deployment import Deployment
    from orchestration.settings import Settings
    from use_cases.cohort import Cohort
    from use_cases.registry import UseCase

hub_app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_show_locals=False, help="The health data hub: serve it, or use one.",
    epilog="Example: `phaseiv hub search stroke`. A client reads PHASEIV_HUB_URL and PHASEIV_HUB_TOKEN (account page).",
)  # fmt: skip


@hub_app.command(epilog="Example: `PHASEIV_HUB_DEMO=true phaseiv hub serve --port 8000`")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the hub.")] = 8000,
) -> None:
    """Serve the hub alone; `phaseiv up` serves it beside Dagster and MLflow."""
    from hub.server import serve as run
    from orchestration.settings import Settings

    try:
        run(Settings().open_hub(), host, port)
    except PhaseIVError as error:
        raise _refused(error) from error


@hub_app.command(epilog="Example: `PHASEIV_HUB_DEMO=true phaseiv hub demo`")
def demo() -> None:
    """Fill an empty hub with demonstration accounts, the bundled cohorts and their standing offers."""
    from orchestration.hub_demo import fill

    try:
        typer.echo(fill(prepare(), tell=typer.echo))
    except PhaseIVError as error:
        raise _refused(error) from error


@hub_app.command(epilog='Example: `phaseiv hub account ada@hospital.eu "Ada" --role operator`')
def account(
    email: Annotated[str, typer.Argument(help="E-mail, for signing in.")],
    name: Annotated[str, typer.Argument(help="Name of the person.")],
    role: Annotated[
        list[str], typer.Option(help="developer, holder, officer, head, checker, auditor, operator or dpo.")
    ],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
) -> None:
    """Make an account; the first operator makes the others on the hub's own page."""
    from hub.database.migration import migrate
    from hub.people import accounts
    from hub.people.roles import Role
    from orchestration.settings import Settings

    try:
        hub = Settings().open_hub()
        migrate(hub.database)
        with hub.database.write() as session:
            roles = frozenset(Role(one) for one in role)
            accounts.create(session, now=hub.clock(), email=email, name=name, roles=roles, password=password)
    except ValueError as error:
        raise _refused(error) from error
    typer.echo(f"{email} may sign in as {', '.join(role)}")


hub_app.command(
    "describe-images", epilog="Example: `phaseiv hub describe-images lung --holder ada@hospital.eu --body-email body@agency.eu --offer`"
)(describe_images)  # fmt: skip


@hub_app.command(epilog='Example: `phaseiv hub goods stroke`, then list it on the page "What you sell"')
def goods(
    use_case: Annotated[str, typer.Argument(help="A use case with a release.")],
    dataset: Annotated[str, typer.Option(help="The data set in the catalogue; by default the use case's cohort.")] = "",
    modality: Annotated[Modality, typer.Option(help="The release of its table, or of its images.")] = Modality.TABLE,
) -> None:
    """Hand the latest release of a use case to the market; the gate's verdict goes with it."""
    from assets.images.goods import deposit_images
    from assets.market import deposit_release
    from orchestration.hub_demo import dataset_id
    from orchestration.settings import Settings

    settings = Settings()
    try:
        found, cohort, hub = _market_of(settings, use_case)
        if modality is Modality.IMAGE:
            place = place_of(use_case, settings)
            made = deposit_images(place, hub, dataset or images_id(place))
        else:
            made = deposit_release(settings.workspace(), hub, found, cohort, dataset or dataset_id(found, cohort))
    except PhaseIVError as error:
        raise _refused(error) from error
    typer.echo(f"goods {made}")


@hub_app.command(
    epilog="Example: `phaseiv hub valuation stroke --account hospital_a=ada@hospital.eu`, once for each hospital"
)
def valuation(
    use_case: Annotated[str, typer.Argument(help="A use case that was valued: `dg launch --job USE_CASE_valuation`.")],
    account: Annotated[list[str], typer.Option(help="HOSPITAL=E-MAIL of the account that earns, for each hospital.")],
    dataset: Annotated[str, typer.Option(help="The data set in the catalogue; by default the use case's cohort.")] = "",
) -> None:
    """Hand the latest sealed valuation to the market; a listing's split refers to it by the digest that is printed."""
    from assets.market import deposit_valuation
    from orchestration.hub_demo import dataset_id
    from orchestration.settings import Settings

    settings = Settings()
    try:
        emails = dict(_pair(one) for one in account)
        found, cohort, hub = _market_of(settings, use_case)
        made = deposit_valuation(settings.workspace(), hub, found, dataset or dataset_id(found, cohort), emails)
    except PhaseIVError as error:
        raise _refused(error) from error
    typer.echo(f"valuation:{made}")


def _pair(text: str) -> tuple[str, str]:
    name, separator, email = text.partition("=")
    if not (name and separator and email):
        raise ParameterError("an account must be written HOSPITAL=E-MAIL, got another text; write it so")
    return name, email


def _market_of(settings: "Settings", use_case: str) -> "tuple[UseCase, Cohort, Deployment]":
    """A use case, its cohort here, and the hub with its present tables."""
    from hub.database.migration import migrate
    from use_cases.registry import discover

    if (found := discover().get(use_case)) is None:
        raise ParameterError(f"a use case must be one of {', '.join(discover())}, got another; choose one")
    cohort, _ = found.chosen(settings.cohorts.get(use_case))
    hub = settings.open_hub()
    migrate(hub.database)
    return found, cohort, hub


@hub_app.command("verify-agreement", epilog="Example: `phaseiv hub verify-agreement agreement.jsonld --key 5f2c...`")
def verify_agreement(
    document: Annotated[Path, typer.Argument(help="The signed agreement, as it was downloaded.")],
    key: Annotated[
        str, typer.Option(help="The hub's public key, 64 hexadecimal digits, from a source you trust.")
    ] = "",
) -> None:
    """Verify an agreement without the hub: its signature, and that both parties accepted the same offer."""
    from hub.market.agreement import key_of
    from hub.market.agreement import verify_agreement as verified

    try:
        told = verified(_read_json(document), key_of(key) if key else None)
    except PhaseIVError as error:
        raise _refused(error) from error
    typer.echo(
        f"genuine: {told.uid}\nholder {told.assigner}\nbuyer {told.assignee}\nabout {told.target}\nuntil {told.until}"
    )
    if not key:
        typer.echo(f"signed with {told.key}: compare it with the hub's key from a source you trust", err=True)


@hub_app.command("opt-out-key", epilog="Example: `phaseiv hub opt-out-key`, on the hub's own machine")
def opt_out_key() -> None:
    """Print the key by which a hospital finds its patients in the list of objections. Whoever has it can try identifiers."""
    from hub.duties.opting_out import hospitals_key
    from orchestration.settings import Settings

    try:
        typer.echo(hospitals_key(Settings().open_hub()).hex())
    except PhaseIVError as error:
        raise _refused(error) from error


@hub_app.command(epilog="Example: `phaseiv hub search stroke`")
def search(
    text: Annotated[str, typer.Argument(help="Words to find.")] = "",
) -> None:
    """Find data sets."""
    from rich.console import Console
    from rich.table import Table

    with _Client() as client:
        found = client.search(text)
        table = Table("id", "title", "access", title=f"{found.total} data sets")
        for item in found:
            table.add_row(item["id"], item["title"], item.get("access_rights", ""))
        Console().print(table)


@hub_app.command(epilog="Example: `phaseiv hub request stroke-copenhagen --form form.json --rows 500 --wait`")
def request(
    dataset: Annotated[str, typer.Argument(help="A data set's id.")],
    form: Annotated[Path | None, typer.Option(help="JSON with the answers of Article 67.")] = None,
    rows: Annotated[int, typer.Option(help="Rows of synthetic data, or images.")] = 500,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="parquet, csv, omop or fhir; of images dicom, nifti or png; repeatable."),
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait until the data lie ready, and download them.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the download.")] = Path("."),
) -> None:
    """Ask for synthetic data."""
    with _Client() as client:
        answers = json.loads(form.read_text(encoding="utf-8")) if form else {}
        images = client.dataset(dataset).get("modality")
        usual = ["dicom"] if images else ["parquet", "csv"]
        made = client.request(dataset, form=answers, rows=rows, formats=formats or usual)
        typer.echo(repr(made))
        if wait:
            typer.echo(repr(made.wait().get(out)))


@hub_app.command(epilog="Example: `phaseiv hub compute 5f1d... job.yaml --wait --out answer`")
def compute(
    permit: Annotated[str, typer.Argument(help="The id of a permit for multi-party computation.")],
    job: Annotated[Path, typer.Argument(help="YAML or JSON: dataset_id, purpose, kind, columns, filters, ...")],
    wait: Annotated[bool, typer.Option(help="Wait until the answer lies ready, and download it.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the download.")] = Path("."),
) -> None:
    """Have the hospitals of a data set compute together; the same question again is the same order."""
    from federation.jobs.job import read_description

    with _Client() as client:
        made = client.compute(permit, **_asked(read_description(job)))
        typer.echo(f"{made!r}\nquestion sha256 {made.facts['question_sha256']}")
        if wait:
            typer.echo(repr(made.wait().get(out)))


@hub_app.command(epilog="Example: `phaseiv hub status 0b6c...`")
def status(request_id: Annotated[str, typer.Argument(help="A request's id.")]) -> None:
    """How a request stands, and who acts next."""
    with _Client() as client:
        typer.echo(repr(client.status(request_id)))


@hub_app.command(epilog="Example: `phaseiv hub get 0b6c... --out data`")
def get(
    artefact: Annotated[str, typer.Argument(help="An artefact's id, or its request's.")],
    out: Annotated[Path, typer.Option(help="Folder for the download.")] = Path("."),
) -> None:
    """Download data that lie ready; the transfer is checked by its sha256."""
    with _Client() as client:
        found = {a["id"] for a in client.artefacts()}
        known = artefact if artefact in found else client.status(artefact).order.get("artefact_id", artefact)
        typer.echo(repr(client.get(known, out)))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ParameterError(
            "an agreement must be a JSON file, got another; give the file that was downloaded"
        ) from error


def _asked(description: dict[str, Any]) -> dict[str, Any]:
    if missing := [name for name in ("dataset_id", "kind", "purpose") if name not in description]:
        raise ParameterError(f"a job must name dataset_id, kind and purpose, got no {', '.join(missing)}; add it")
    return {str(name): value for name, value in description.items()}


class _Client:
    """The client, whose refusals end the command with their words."""

    def __enter__(self) -> Any:
        from hub.client import Hub

        return Hub()

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        import httpx

        if isinstance(error, PhaseIVError | OSError | ValueError):
            raise _refused(error) from error
        if isinstance(error, httpx.TransportError):
            raise _refused("the hub must answer at PHASEIV_HUB_URL, got no answer; is it running?") from error


def _refused(error: object) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(1)
