"""The schemas after de-identification: what a hospital keeps, and what may be synthesised and released.

Belongs here: public meaning of the new columns, from the codebook only. Does not belong here: changing a table
(``pipeline``).
"""

from collections.abc import Iterator

from pydantic import ValidationError

from deidentification.constraints import carried_constraints, carried_outcomes
from deidentification.dates import days_column, index_column
from deidentification.generalisation import generalised_column
from deidentification.k_anonymity import K_ANONYMOUS
from deidentification.split import HOLDOUT
from records.errors import CodebookError
from records.schema import Column, Kind, Role, Schema

PSEUDONYM = Column(name="pseudonym", label="Keyed pseudonym", role=Role.IDENTIFIER, kind=Kind.TEXT)


def deidentified_schema(schema: Schema) -> Schema:
    """The schema of the de-identified table.

    The identifier becomes ``pseudonym``; other identifiers and free text are dropped; dates become days since the
    index date (which is dropped, being day 0); numbers and levels are coarsened. Applying it twice changes nothing.

    Raises
    ------
    CodebookError
        Dates without an index date, a coarsening that cannot be, or a column name that is reserved or taken.
    """
    _refuse_reserved(schema)
    index_column(schema)
    try:
        columns = tuple(_columns(schema))
        kept = {column.name for column in columns}
        return Schema(
            name=schema.name, title=schema.title, columns=columns, outcomes=tuple(carried_outcomes(schema, kept)),
            constraints=tuple(carried_constraints(schema, kept)),
        )  # fmt: skip
    except ValidationError as error:
        reasons = "; ".join(problem["msg"] for problem in error.errors())
        raise CodebookError(
            f"{schema.name} must stay a valid schema after de-identification, got: {reasons}; mend the codebook"
        ) from error


def released_schema(schema: Schema) -> Schema:
    """The de-identified schema restricted to columns that may be synthesised and released.

    Left out: identifiers, sites, text, dates, and columns that leak the outcome.

    Parameters
    ----------
    schema : Schema
        Before or after de-identification.
    """
    coarse = deidentified_schema(schema)
    return coarse.select(column.name for column in coarse.columns if _releasable(column))


def kept_as(column: Column, schema: Schema) -> Column | None:
    """The column as it is before coarsening: a date as days, the rest unchanged; ``None`` if it is dropped."""
    if column.role is Role.IDENTIFIER or (column.kind is Kind.TEXT and column.role is not Role.SITE):
        return None
    if column.kind is Kind.DATE:
        return None if column.name == schema.index_date else days_column(column, schema)
    return column


def _columns(schema: Schema) -> Iterator[Column]:
    for column in schema.columns:
        if column == schema.identifier:
            yield PSEUDONYM
        elif (kept := kept_as(column, schema)) is not None:
            yield _without_file_form(generalised_column(kept))


def _without_file_form(column: Column) -> Column:
    """The column without its name and codes in the published file, which the de-identified table has left behind."""
    return column.model_copy(update={"source": None, "recode": {}, "groups": {}})


def _releasable(column: Column) -> bool:
    hidden = column.role in (Role.IDENTIFIER, Role.SITE) or column.kind in (Kind.TEXT, Kind.DATE)
    return not hidden and not column.leakage


def _refuse_reserved(schema: Schema) -> None:
    reserved = {K_ANONYMOUS, HOLDOUT} & set(schema.names)
    if any(column.name == PSEUDONYM.name for column in schema.columns if column is not schema.identifier):
        reserved.add(PSEUDONYM.name)
    if reserved:
        raise CodebookError(
            f"{schema.name} must not use reserved names, got {sorted(reserved)}; rename them in the codebook"
        )
