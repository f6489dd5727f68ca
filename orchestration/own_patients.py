"""Patients of a table whose codebook names no identifier.

Belongs here: numbering them. Does not belong here: reading a codebook (``use_cases.cohort``).
"""

import polars as pl

from records.schema import Column, Kind, Role, Schema

ROW = "row_number"


def with_patients(schema: Schema, table: pl.DataFrame) -> tuple[Schema, pl.DataFrame]:
    """Schema and table with an identifier: where the codebook has none, each row is a patient and is numbered."""
    if schema.identifier is not None:
        return schema, table
    number = Column(name=ROW, label="Row number", role=Role.IDENTIFIER, kind=Kind.TEXT)
    numbered = table.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.String))
    return schema.model_copy(update={"columns": (number, *schema.columns)}), numbered
