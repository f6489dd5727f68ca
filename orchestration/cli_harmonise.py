"""``phaseiv omop`` and ``phaseiv propose``: cohorts into a common data model, concepts for columns nobody knows.

Belongs here: the commands and what they print. Does not belong here: mappings and models (``harmonisation``).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.preparation import ended
from records.errors import ParameterError, PhaseIVError, StorageError, TableError

if TYPE_CHECKING:
    from harmonisation.omop.mapping import OmopMapping


def omop(
    use_case: Annotated[str, typer.Argument(help="A use case.")],
    to: Annotated[
        str, typer.Option(help="SQLAlchemy URL of the database: sqlite:///omop.db, postgresql+psycopg2://...")
    ] = "",
    cohort: Annotated[str, typer.Option(help="`COHORT`, `PLACE` or `COHORT=PLACE`; a file, FHIR folder or URL.")] = "",
    append: Annotated[bool, typer.Option(help="Add to the persons of a database that already holds some.")] = False,
    check: Annotated[
        bool,
        typer.Option(help="Write nothing: show the mapping for review, against the vocabularies of `--to` if given."),
    ] = False,
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
        mapping = omop_mapping(chosen) or default_mapping(schema)
        if check:
            _check(mapping, to)
            return
        if not to:
            raise ParameterError("the database must be named, got none; add --to, or --check to see the mapping alone")
        frame = chosen.load() if place is None else read_source(chosen, place).frame
        frame = validate(frame, schema, source=chosen.name if place is None else place_name(place))
        written = write_omop(frame, schema, mapping, to, append=append)
    except (PhaseIVError, OSError) as error:
        raise ended(str(error), code=1) from error
    typer.echo(f"{place_name(to)}: " + ", ".join(f"{table} {rows}" for table, rows in written.items() if rows))


def _check(mapping: "OmopMapping", url: str) -> None:
    """Print the mapping's concepts, and where the vocabularies of a database say otherwise.

    Raises
    ------
    TableError
        They say otherwise.
    """
    from rich.console import Console
    from rich.table import Table

    from harmonisation.omop.exchange import read_concepts
    from harmonisation.omop.vocabulary import check_concepts, with_names

    review, problems = mapping.review(), []
    if url:
        cdm = read_concepts(url, mapping)
        problems = check_concepts(mapping, cdm)
        review = with_names(review, "concept_id", cdm).rename({"concept_name": "name in the vocabularies"})
    shown = Table(title=f"Concepts of {mapping.cohort}", caption=f"reviewed by {mapping.reviewer or 'nobody yet'}")
    for name in review.columns:
        shown.add_column(name, overflow="fold")
    for row in review.iter_rows():
        shown.add_row(*("" if value is None else str(value) for value in row))
    Console().print(shown)
    unverified = int((review["confidence"] == "unverified").sum())
    typer.echo(f"{review.height} concepts, {unverified} unverified" + (f", {len(problems)} disagree" if url else ""))
    if problems:
        raise TableError(f"the mapping of {mapping.cohort}", problems)


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
