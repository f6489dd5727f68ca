"""``phaseiv opt-out``: patients who object to secondary use, in the register that every run respects.

Belongs here: the command. Does not belong here: the register (``deidentification.opt_out``), the hub's intake
(``hub.duties``).

References
----------
Regulation (EU) 2025/327, Article 71.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from orchestration.deidentification import hospital_keys
from orchestration.home_patients import home_patients
from orchestration.preparation import ended, prepare
from orchestration.settings import Settings
from records.errors import ParameterError, PhaseIVError


def opt_out(
    patients: Annotated[Path | None, typer.Argument(help="CSV whose column named patient_id holds who chose.")] = None,
    back_in: Annotated[bool, typer.Option(help="They withdraw their objection.")] = False,
    take_over: Annotated[
        Path | None, typer.Option(help="Instead: the hub's whole list (POST /opt-outs/export).")
    ] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of the choice; today by default.")
    ] = None,
) -> None:
    """Record who opted out; permits and runs from that day on leave these patients out. Only pseudonyms are stored."""
    settings, day = prepare(), on.date() if on else date.today()
    try:
        if (patients is None) == (take_over is None):
            raise ParameterError("either patients or the hub's list must be named, got both or none; name one")
        words = _taken_over(settings.workspace().opted_out, take_over, day) if take_over else None
        typer.echo(words or _recorded(settings, patients or Path(), "in" if back_in else "out", day))
    except (PhaseIVError, OSError) as error:
        raise ended(str(error), code=1) from error


def _recorded(settings: Settings, patients: Path, choice: str, day: date) -> str:
    from deidentification.identifiers import plain_identifiers
    from deidentification.key_register import REGISTER, changing
    from deidentification.opt_out_keys import record_under
    from records.reading import read_table

    table = read_table(patients)
    if "patient_id" not in table.columns:
        raise ParameterError(f"{patients.name} must have a column patient_id, got none; rename the column")
    ids = _stripped(table["patient_id"])
    # No key is rotated or removed between its reading and the record.
    with changing(settings.workspace().home / REGISTER):
        keys = hospital_keys(settings, today=date.today())
        without = record_under(settings.workspace().opted_out, ids, choice, day, key=keys.current, former=keys.former)
    people = plain_identifiers(ids).unique()
    words = f"{len(people)} patients opted {choice} from {day}"
    never = [f"Warning: {without} of them had not opted out under these numbers"] if without else []
    return "\n".join([words, *never, *_unknown(settings, people)])


def _stripped(ids: pl.Series) -> pl.Series:
    """Identifiers without the spaces around them.

    Raises
    ------
    ParameterError
        One is empty.
    """
    if ids.dtype != pl.String:
        return ids
    stripped = ids.str.strip_chars()
    if empty := (stripped.fill_null("") == "").arg_true().to_list():
        raise ParameterError(
            f"patient_id must be there in each row, got {len(empty)} without, the first in line {empty[0] + 2}; fill or drop these rows"
        )
    return stripped


def _unknown(settings: Settings, people: pl.Series) -> list[str]:
    """What to say of identifiers that no cohort of this home has; their choice is recorded all the same."""
    from deidentification.identifiers import plain_identifiers

    found, lines = pl.Series(dtype=pl.Boolean, values=[False] * len(people)), []
    for key, patients in home_patients(settings).items():
        if patients is None:
            lines.append(f"Warning: the cohort of {key} could not be read, so nobody was looked for in it")
        else:
            found |= people.is_in(plain_identifiers(patients).implode())
    if unknown := int((~found).sum()):
        lines.append(
            f"Warning: {unknown} of {len(people)} identifiers are of nobody in this home's cohorts; they are recorded, "
            "but look whether they are written as the hospital writes them"
        )
    return lines


def _taken_over(register: Path, export: Path, day: date) -> str:
    from deidentification.opt_out import take_over

    gone, back = take_over(register, export, day)
    return (
        f"{gone} opted out, {back} opted back in since the last list; set PHASEIV_OPT_OUT_KEY so that runs match them"
    )
