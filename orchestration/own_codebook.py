"""A user's own codebook: a cohort's (with ``table`` and ``source``) or a bare schema.

Belongs here: reading it as a cohort. Does not belong here: the tables that it describes.
"""

from pathlib import Path

import polars as pl
import yaml
from pydantic import ValidationError

from records.errors import CodebookError
from records.schema import Column, Kind, Role, Schema
from use_cases.cohort import Cohort, Sites, Source, load_codebook

ROW = "row_number"


def read_codebook(path: Path) -> Cohort:
    """The codebook as a cohort; a bare schema gets a source that says so.

    Raises
    ------
    CodebookError
        It is not a valid codebook; the message says which entry.
    """
    try:
        entry = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        if "table" in entry:
            return load_codebook(path)
        source = Source(citation="given by the user", licence="given by the user", origin="own file", file="own file")
        return Cohort(table=Schema(**entry), source=source, sites=Sites(), folder=path.parent)
    except (OSError, ValidationError, yaml.YAMLError, TypeError) as error:
        raise CodebookError(f"{path.name} must be a valid codebook, got: {error}; mend it") from error


def with_patients(schema: Schema, table: pl.DataFrame) -> tuple[Schema, pl.DataFrame]:
    """Schema and table with an identifier: where the codebook has none, each row is a patient and is numbered."""
    if schema.identifier is not None:
        return schema, table
    number = Column(name=ROW, label="Row number", role=Role.IDENTIFIER, kind=Kind.TEXT)
    numbered = table.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.String))
    return schema.model_copy(update={"columns": (number, *schema.columns)}), numbered
