"""De-identification of one hospital's table: all steps in their one order.

Belongs here: the pure function from a validated table to a de-identified one. Does not belong here: files, keys on
disk (``pseudonyms.load_key``), or Dagster.
"""

from dataclasses import asdict, dataclass

import polars as pl

from deidentification.dates import days
from deidentification.generalisation import generalised
from deidentification.k_anonymity import K_ANONYMOUS, class_sizes, count_classes, with_k_flag
from deidentification.pseudonyms import pseudonymise
from deidentification.schema import PSEUDONYM, deidentified_schema, kept_as
from deidentification.split import DEFAULT_SHARE, HOLDOUT, holdout
from records.errors import CodebookError, Problem, TableError
from records.schema import Column, Kind, Schema


@dataclass(frozen=True)
class Counts:
    """How de-identification went, in patients. Exact counts of real patients: for the hospital, not for release.

    Parameters
    ----------
    rows : int
        Patients in the table.
    suppressed : int
        Patients whose class is smaller than k: in no row-level hand-out.
    classes : int
        Classes of equal quasi-identifiers.
    smallest_class : int
        Patients in the smallest class; 0 for an empty table.
    held_out : int
        Patients that no synthesizer learns from.
    """

    rows: int
    suppressed: int
    classes: int
    smallest_class: int
    held_out: int

    def to_json(self) -> dict[str, int]:
        """The counts as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Deidentified:
    """A de-identified table (schema columns, then ``k_anonymous`` and ``holdout``), its schema and counts."""

    frame: pl.DataFrame
    schema: Schema
    counts: Counts


def deidentify(
    frame: pl.DataFrame, schema: Schema, *, key: bytes, k: int, holdout_share: float = DEFAULT_SHARE
) -> Deidentified:
    """De-identify one hospital's table.

    All but ``k_anonymous`` is row-wise and fixed by the codebook, so removing one patient removes one row and
    changes nothing else: the step is 1-stable, and a differentially private mechanism run on the result is as
    private towards the patients of the raw table. Rows are sorted by pseudonym, since the order of admission could
    tell who is who.

    Parameters
    ----------
    frame : polars.DataFrame, n rows
        Validated, one row per patient, columns in schema types (more columns are ignored).
    schema : Schema
        Its codebook.
    key : bytes
        The hospital's pseudonym key, at least 16 bytes.
    k : int
        Patients per class below which a row is not handed out, at least 2.
    holdout_share : float
        Expected share of patients held out, 0 <= share < 1.

    Returns
    -------
    Deidentified
        ``frame`` has n rows: suppressed ones stay, flagged, for mechanisms that are themselves private.

    Raises
    ------
    CodebookError
        The schema has no identifier, dates without an index date, or a coarsening that cannot be.
    TableError
        A column is missing, or an identifier occurs more than once.
    ParameterError
        ``k``, ``holdout_share`` or ``key`` is out of range, or an identifier is missing.
    """
    coarse = deidentified_schema(schema)
    identifier = _privacy_unit(schema)
    _refuse_misfit(frame, schema, identifier)
    ids = frame[identifier.name]
    table = frame.with_columns(pseudonymise(ids, key), holdout(ids, holdout_share))
    kept = [*values(schema), pl.col(HOLDOUT)]
    table = with_k_flag(table.select(kept), coarse, k).sort(PSEUDONYM.name)
    table = table.select(*coarse.names, K_ANONYMOUS, HOLDOUT)
    return Deidentified(table, coarse, _counts(table, coarse))


def values(schema: Schema) -> list[pl.Expr]:
    """Expressions of the de-identified columns, in order."""
    return [expression for column in schema.columns if (expression := _value(column, schema)) is not None]


def _value(column: Column, schema: Schema) -> pl.Expr | None:
    if column == schema.identifier:
        return pl.col(PSEUDONYM.name)
    kept = kept_as(column, schema)
    if kept is None:
        return None
    return generalised(kept, days(column, schema) if column.kind is Kind.DATE else None)


def _privacy_unit(schema: Schema) -> Column:
    if schema.identifier is None:
        raise CodebookError(
            f"{schema.name} must have an identifier, the unit that privacy protects, got none; give a column the role"
        )
    return schema.identifier


def _refuse_misfit(frame: pl.DataFrame, schema: Schema, identifier: Column) -> None:
    remedy = "validate the table first"
    problems = [
        Problem(name, "be in the table", "no such column", remedy) for name in schema.names if name not in frame
    ]
    if not problems and (repeated := frame.height - frame[identifier.name].n_unique()):
        rule = "name each patient once"
        problems = [Problem(identifier.name, rule, f"{repeated} repeated rows", "bring each patient to one row")]
    if problems:
        raise TableError(f"the table of {schema.name}", problems)


def _counts(table: pl.DataFrame, schema: Schema) -> Counts:
    sizes = class_sizes(table, schema)
    return Counts(
        rows=table.height,
        suppressed=table.height - int(table[K_ANONYMOUS].sum()),
        classes=count_classes(table, schema),
        smallest_class=int(sizes.min() or 0),  # type: ignore[arg-type]
        held_out=int(table[HOLDOUT].sum()),
    )
