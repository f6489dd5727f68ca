"""``phaseiv keys``: which keys pseudonyms are under, giving the hospital or a project a new one, and moving what is under the old.

Belongs here: the commands. Does not belong here: keys (``deidentification.kept_keys``), objections under them
(``deidentification.opt_out_keys``).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from orchestration.deidentification import hospital_keys
from orchestration.home_patients import home_patients
from orchestration.preparation import ended, prepare
from orchestration.settings import Settings
from records.errors import ParameterError, PhaseIVError

if TYPE_CHECKING:
    from deidentification.kept_keys import HospitalKeys
    from deidentification.key_register import KeyEntry

# Local variables hold keys: a traceback must never print them.
keys_app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_show_locals=False,
    help="Pseudonym keys: list, rotate, remove, and move tables to a new key.",
    epilog="Example: `phaseiv keys list`, then `phaseiv keys rotate hospital`",
)  # fmt: skip
PatientsOption = Annotated[Path | None, typer.Option(help="CSV or Parquet whose column patient_id holds the patients.")]


@keys_app.command("list", epilog="Example: `phaseiv keys list`")
def list_keys() -> None:
    """Keys by fingerprint with their days, the hospital's and each project's. No key is shown."""
    from rich.console import Console
    from rich.table import Table

    from deidentification.key_register import REGISTER, read_register

    with _ending():
        keys = hospital_keys(prepare(), today=date.today())
        table = Table("project", "key", "from", "to", "state")
        for entry in read_register(keys.home / REGISTER):
            table.add_row(
                entry.project, entry.fingerprint, str(entry.created), str(entry.retired or ""), _state(keys, entry)
            )
    Console(width=120).print(table)


@keys_app.command(epilog="Example: `phaseiv keys rotate hospital`; `phaseiv keys rotate stroke`")
def rotate(
    project: Annotated[str, typer.Argument(help="A project with a key of its own, or hospital.")],
    old: Annotated[
        Path | None, typer.Option(help="Hospital: file with the key of before, if the new one is in place already.")
    ] = None,
    shared_key: Annotated[
        Path | None, typer.Option(help="Project: the next key from another hospital (`phaseiv share-key`).")
    ] = None,
    lost: Annotated[
        str, typer.Option(help="Fingerprint of a key that nobody has any more, in place of the key itself.")
    ] = "",
) -> None:
    """Give the hospital or a project a new key; the old one is kept until it is removed, and opt-outs go on to hold."""
    from deidentification.key_register import HOSPITAL

    settings, today = prepare(), date.today()
    with _ending():
        _refuse_mixed(project == HOSPITAL, old, shared_key, lost)
        if project == HOSPITAL:
            entry = _rotate_hospital(settings, old, lost, today)
        else:
            entry = _rotate_project(settings, project, shared_key, lost, today)
    typer.echo(
        f"{project}: key {entry.fingerprint} from {entry.created}; pseudonyms and date shifts are others from now on"
    )
    for path in sorted(settings.workspace().home.glob("storage/*/deidentified")) if project == HOSPITAL else []:
        typer.echo(f"{path.parent.name}: its de-identified tables are under the key of before; run it again")


def _refuse_mixed(hospital: bool, old: Path | None, shared: Path | None, lost: str) -> None:
    """What would be passed over is refused: a key would be rotated another way than was meant."""
    given = {"--old": old, "--shared-key": shared, "--lost": lost}
    names = [name for name, value in given.items() if value]
    fitting = ("--old", "--lost") if hospital else ("--shared-key", "--lost")
    if len(names) > 1 or not set(names) <= set(fitting):
        whose = "the hospital's key" if hospital else "a project's key"
        raise ParameterError(
            f"rotating {whose} must come with one of {' and '.join(fitting)} at most, got {' and '.join(names)}; leave out "
            "what does not belong"
        )


def _rotate_hospital(settings: Settings, old: Path | None, lost: str, today: date) -> "KeyEntry":
    from deidentification.kept_keys import key_of_file, replace_lost_hospital, rotate_hospital

    home, register = settings.workspace().home, settings.workspace().opted_out
    if lost:
        return replace_lost_hospital(home, settings.pseudonym_key, lost, opted_out=register, today=today)
    return rotate_hospital(home, settings.pseudonym_key, old=key_of_file(home, old) if old else None, today=today)


def _rotate_project(settings: Settings, project: str, shared: Path | None, lost: str, today: date) -> "KeyEntry":
    from deidentification.kept_keys import rotate_project
    from deidentification.project_keys import import_key

    keys = hospital_keys(settings, today=today)
    key = import_key(shared, project=project) if shared else None
    return rotate_project(keys, project, shared=key, lost=lost, today=today)


@keys_app.command(epilog="Example: `phaseiv keys remove 0123456789abcdef --patients opted_out.csv`")
def remove(
    key: Annotated[str, typer.Argument(help="Fingerprint of a retired key of the hospital.")],
    patients: PatientsOption = None,
) -> None:
    """Destroy a retired key for good, or tell that it is lost. Opt-outs under it are put under the key in use first; tables
    under it can be linked to nothing afterwards."""
    from deidentification import kept_keys
    from deidentification.key_register import REGISTER, changing
    from deidentification.opt_out_keys import carry_over

    settings, today = prepare(), date.today()
    with _ending(), changing(settings.workspace().home / REGISTER):  # nobody opts out under the key in between
        keys, carried = hospital_keys(settings, today=today), 0
        old = keys.held(kept_keys.removable(keys, key))
        if settings.workspace().opted_out.exists():
            others = tuple(other for other in keys.here if other != old)
            ids = _everybody(settings, patients)
            carried = carry_over(settings.workspace().opted_out, ids, old, key=keys.current, former=others)
        kept_keys.remove(keys, key, today=today)
    ending = "marked as lost, as it is not here" if old is None else "destroyed"
    typer.echo(f"key {key} is {ending}; {carried} choices of opt-outs are under the key in use now")


@keys_app.command(
    epilog="Example: `phaseiv keys rekey released.csv --patients source.csv --project stroke --out moved.csv`"
)
def rekey(
    table: Annotated[Path, typer.Argument(help="A table that `phaseiv deidentify` made, its report beside it.")],
    patients: Annotated[Path, typer.Option(help="CSV or Parquet whose column patient_id holds the source's patients.")],
    out: Annotated[Path, typer.Option(help="CSV or Parquet file to write; its report goes beside it.")],
    project: Annotated[str | None, typer.Option(help="The table's project; without it the hospital's key.")] = None,
) -> None:
    """Give a table made under a former key the pseudonyms of the key in use, so that it can be linked with newer ones."""
    from orchestration.rekeying import rekey_table

    with _ending():
        rows, name = rekey_table(
            hospital_keys(prepare(), today=date.today()), table, _patients(patients), out, project, today=date.today()
        )
    typer.echo(f"{out}: {rows} patients under key {name}; dates stay as they were moved under the key of before")


def _state(keys: "HospitalKeys", entry: "KeyEntry") -> str:
    if entry.removed is not None:
        return "removed or lost"
    here = "" if keys.held(entry) is not None else ", not here (shared or lost)"
    return ("retired, kept" if entry.retired and not here else "retired" if entry.retired else "in use") + here


def _everybody(settings: Settings, patients: Path | None) -> pl.Series:
    """Identifiers of the home's cohorts and of a list, as text."""
    lists = [ids for ids in home_patients(settings).values() if ids is not None]
    lists += [_patients(patients)] if patients else []
    return pl.concat([pl.Series("id", dtype=pl.String), *(ids.cast(pl.String).alias("id") for ids in lists)]).unique()


def _patients(path: Path) -> pl.Series:
    from records.reading import read_table

    table = read_table(path)
    if "patient_id" not in table.columns:
        raise ParameterError(f"{path.name} must have a column patient_id, got none; rename the column")
    return table["patient_id"].cast(pl.String)


@contextmanager
def _ending() -> Iterator[None]:
    try:
        yield
    except (PhaseIVError, OSError, json.JSONDecodeError) as error:
        raise ended(str(error), code=1) from error
