"""Reading the tables of ``phaseiv evaluate``: any tool's synthetic table beside real ones.

Belongs here: files to tables in one form, with every problem of every table in one error. Does not belong here: what is
measured on them (``metrics``).
"""

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl

from deidentification.pipeline import deidentify
from deidentification.schema import released_schema
from orchestration.own_patients import with_patients
from records.errors import CodebookError, Problem, TableError
from records.files import sha256
from records.reading import read_table
from records.schema import Kind, Role, Schema
from records.validation import validate
from use_cases.cohort import load_codebook

FEWEST_ROWS = 50
FEWEST_K = 2  # flags rows only; none is left out


class Files(NamedTuple):
    """Training patients, held-out patients, the synthetic table, and the codebook of all three."""

    real: Path
    holdout: Path
    synthetic: Path
    codebook: Path


class Compared(NamedTuple):
    """Tables in one form, and the hash of the synthetic file."""

    train: pl.DataFrame
    holdout: pl.DataFrame
    synthetic: pl.DataFrame
    schema: Schema
    sha256: str


def compared_tables(files: Files) -> Compared:
    """Read and check the tables.

    Where the synthetic table has the columns of a release (``phaseiv synthesize``: dates as days, no sites, coarsened
    quasi-identifiers), the real tables are brought to that form.

    Raises
    ------
    PhaseIVError
        A file, the codebook or a table is not fit; the error lists all problems of all tables.
    """
    real = {"real": files.real, "holdout": files.holdout}
    tables, synthetic, form = in_one_form(real, files.synthetic, files.codebook)
    return Compared(tables["real"], tables["holdout"], synthetic, form, sha256(files.synthetic.read_bytes()))


def in_one_form(
    real: Mapping[str, Path], synthetic: Path, codebook: Path
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame, Schema]:
    """Real tables by name, the synthetic table, and the schema of both; see ``compared_tables``."""
    cohort = load_codebook(codebook)
    raw, harmonised = read_table(synthetic), {n: cohort.harmonise(read_table(path)) for n, path in real.items()}
    whole = comparable(cohort.table)
    released = released_schema(cohort.table)
    as_released = set(raw.columns) == set(released.names) != set(whole.names)
    form = released if as_released else whole
    problems: list[Problem] = []
    tables = {n: _checked(n, t, _held(cohort.table, whole, t), problems) for n, t in harmonised.items()}
    problems += _misfits(raw, sorted(set(raw.columns) - _known(cohort.table, form)))
    free = form.model_copy(update={"constraints": (), "outcomes": ()})
    made = _checked("synthetic", raw if as_released else cohort.harmonise(raw), free, problems)
    if problems:
        raise TableError(", ".join(path.name for path in (*real.values(), synthetic)), problems)
    if as_released:
        tables = {name: _as_released(table, cohort.table) for name, table in tables.items()}
    return tables, made, form


def comparable(schema: Schema) -> Schema:
    """Categories and numbers without identifiers.

    Raises
    ------
    CodebookError
        The codebook names no outcome that these columns can tell.
    """
    form = schema.select(
        c.name for c in schema.columns if c.role is not Role.IDENTIFIER and (c.kind is Kind.CATEGORY or c.numeric)
    )
    if not form.outcomes:
        raise CodebookError(
            f"{schema.name} must name an outcome that a model can predict, got none; add outcomes to the codebook"
        )
    return form


def _held(schema: Schema, needed: Schema, table: pl.DataFrame) -> Schema:
    """What must be compared, and identifiers, dates and texts that the table brings along."""
    return schema.select(name for name in schema.names if name in needed.names or name in table.columns)


def _as_released(table: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """The table as de-identification leaves it; the key is thrown away, since pseudonyms are not compared."""
    named, patients = with_patients(schema, table)
    return deidentify(patients, named, key=secrets.token_bytes(32), k=FEWEST_K, holdout_share=0.0).frame


def _known(schema: Schema, form: Schema) -> set[str]:
    sources = {c.source for c in schema.columns if c.source}
    return set(schema.names) | set(form.names) | sources


def _misfits(raw: pl.DataFrame, extra: list[str]) -> Iterator[Problem]:
    if extra:
        got = f"{len(extra)} more: {', '.join(extra[:5])}{', ...' if len(extra) > 5 else ''}"
        yield Problem("synthetic", "have the codebook's columns only", got, "drop them or add them to the codebook")
    if raw.height < FEWEST_ROWS:
        yield Problem("synthetic", f"have at least {FEWEST_ROWS} rows", f"{raw.height}", "draw more rows")


def _checked(name: str, table: pl.DataFrame, schema: Schema, problems: list[Problem]) -> pl.DataFrame:
    try:
        return validate(table, schema, source=name)
    except TableError as error:
        problems += [Problem(f"{name}: {p.column}", p.rule, p.got, p.remedy) for p in error.problems]
        return table
