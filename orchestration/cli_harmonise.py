"""``phaseiv omop`` and ``phaseiv propose``: cohorts into a common data model, concepts for columns nobody knows.

Belongs here: the commands and what they print. Does not belong here: mappings and models (``harmonisation``).
"""

from pathlib import Path
from typing import Annotated

import typer

from orchestration.preparation import ended
from records.errors import ParameterError, PhaseIVError, StorageError


def omop(
    use_case: Annotated[str, typer.Argument(help="A use case.")],
    to: Annotated[
        str, typer.Option(help="SQLAlchemy URL of the database: sqlite:///omop.db, postgresql+psycopg2://...")
    ],
    cohort: Annotated[str, typer.Option(help="`COHORT`, `PLACE` or `COHORT=PLACE`; a file, FHIR folder or URL.")] = "",
    append: Annotated[bool, typer.Option(help="Add to the persons of a database that already holds some.")] = False,
) -> None:
    """Write a cohort's real patients to an OMOP CDM 5.4 database, which stays in the hospital as the cohort does."""
    from harmonisation.omop.exchange import write_omop
    from harmonisation.omop.fit import default_mapping
    from records.validation import validate
    from use_cases.omop import omop_mapping
    from use_cases.registry import discover
    from use_cases.sources import place_name, read_source

    try:
        if use_case not in (known := discover()):
            raise ParameterError(f"the use case must be one of {', '.join(known)}, got {use_case}; choose one of these")
        chosen, place = known[use_case].chosen(cohort)
        schema = chosen.table
        frame = chosen.load() if place is None else read_source(chosen, place)
        frame = validate(frame, schema, source=chosen.name if place is None else place_name(place))
        written = write_omop(frame, schema, omop_mapping(chosen) or default_mapping(schema), to, append=append)
    except (PhaseIVError, OSError) as error:
        raise ended(str(error), code=1) from error
    typer.echo(f"{place_name(to)}: " + ", ".join(f"{table} {rows}" for table, rows in written.items() if rows))


def propose(
    data: Annotated[
        Path,
        typer.Argument(help="CSV or Parquet file with columns that nobody has mapped, or the confirmed draft (YAML)."),
    ],
    out: Annotated[
        Path, typer.Option(help="Draft (YAML) for a person to confirm; from a draft, a codebook to complete.")
    ],
    unit: Annotated[list[str] | None, typer.Option(help="`COLUMN=UNIT` (UCUM) where it is known; repeatable.")] = None,
) -> None:
    """Propose a LOINC or SNOMED CT concept for each column by name, unit and values. A person confirms the draft.

    A confirmed draft becomes a codebook, for a person to complete.
    """
    from harmonisation.assistant.candidates import candidates
    from harmonisation.assistant.codebook import write_codebook
    from harmonisation.assistant.draft import draft, write_draft
    from records.reading import read_table
    from use_cases.registry import discover

    units = {name: value for name, _, value in (entry.partition("=") for entry in unit or [])}
    try:
        if out.exists():
            raise StorageError(f"{out.name} must be a new file, got one that somebody may have edited; name another")
        schemas = [cohort.table for use_case in discover().values() for cohort in use_case.cohorts]
        if data.suffix in (".yaml", ".yml"):
            open_ones = write_codebook(out, data, schemas)
            typer.echo(f"{out}: bounds or levels to add for {', '.join(open_ones) or 'no column'}, and the identifier")
            return
        made = draft(read_table(data), data.stem, candidates(schemas), units)
        write_draft(out, made)
    except (PhaseIVError, OSError) as error:
        raise ended(str(error), code=1) from error
    for name, entry in made.columns.items():
        found = f"{entry.concept} {entry.label} ({entry.score:.2f})" if entry.concept else "nothing like it"
        typer.echo(f"{name}: {found}")
    typer.echo(f"{out}: {len(made.open)} columns to confirm")
