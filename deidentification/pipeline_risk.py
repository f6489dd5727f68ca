"""Residual risk of the rows that a hospital may hand out, beside that of its raw table, and what became of columns.

Belongs here: figures on a table that ``pipeline`` made. Does not belong here: the risk measures themselves
(``anonymity.risk``), or changing the table.
"""

import numpy as np
import polars as pl

from deidentification.anonymity.risk import Risk, residual_risk
from deidentification.generalisation import coarsened
from deidentification.k_anonymity import class_columns, hand_out
from deidentification.pipeline import Deidentified
from deidentification.schema import kept_as
from records.schema import Schema


def risks(
    raw: pl.DataFrame, schema: Schema, done: Deidentified, *, population_multiplier: float = 1.0
) -> tuple[Risk, Risk]:
    """Risk of the raw table and of the k-anonymous rows of the de-identified one."""
    sizes = _sizes(raw, schema), _sizes(hand_out(done.frame), done.schema)
    before, after = (residual_risk(rows, population_multiplier=population_multiplier) for rows in sizes)
    return before, after


def removed_columns(schema: Schema) -> list[str]:
    """Columns that de-identification drops: identifiers (the pseudonym stands for the first), text, the index date."""
    return [column.name for column in schema.columns if kept_as(column, schema) is None]


def generalised_columns(schema: Schema) -> list[str]:
    """Columns that de-identification coarsens."""
    return [c.name for c in schema.columns if kept_as(c, schema) is not None and (coarsened(c) or c.groups)]


def _sizes(table: pl.DataFrame, schema: Schema) -> np.ndarray:
    keys = class_columns(schema)
    sizes = table.group_by(keys).len()["len"] if keys else pl.Series([table.height] if table.height else [])
    return sizes.to_numpy()
