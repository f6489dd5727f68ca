"""Quasi-identifiers in codes of ICD-10 or NUTS: one way of writing each code, and codes that are none.

Belongs here: the form of codes in a table. Does not belong here: their groups (``icd10``, ``codebook_hierarchies``).
"""

import polars as pl

from deidentification.anonymity import icd10
from records.errors import Problem
from records.schema import Column, Kind, Role, Schema

NUTS = r"^[A-Z]{2}[0-9A-Z]{0,3}$"
_SYSTEMS = {"ICD-10": (icd10.CODE, "an ICD-10 code"), "NUTS": (NUTS, "a NUTS code")}
_REMEDY = "correct these codes or take the code system out of the codebook"


def plain_codes(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """ICD-10 codes with a point, in capitals and without the marks of cause and manifestation: ``c341`` and ``C34.1+`` are ``C34.1``.

    Columns whose levels the codebook lists keep their values.
    """
    coded = (c.name for c in _coded(schema, frame) if c.kind is Kind.TEXT and "ICD-10" in c.codes)
    return frame.with_columns(icd10.plain(pl.col(name).cast(pl.String)) for name in coded)


def code_problems(frame: pl.DataFrame, schema: Schema) -> list[Problem]:
    """Each quasi-identifier of a code system that holds something else."""
    return [problem for c in _coded(schema, frame) for problem in others(c, frame[c.name])]


def others(column: Column, values: pl.Series) -> list[Problem]:
    """The problem with values that are no codes of the column's system, if there are some."""
    form, what = next((_SYSTEMS[system] for system in _SYSTEMS if system in column.codes), ("", ""))
    count = int((~values.cast(pl.String).str.contains(form)).sum()) if form else 0
    return [Problem(column.name, f"hold {what} in every row", f"{count} other values", _REMEDY)] if count else []


def _coded(schema: Schema, frame: pl.DataFrame) -> list[Column]:
    by_role = schema.with_role(Role.SITE, Role.QUASI_IDENTIFIER)
    texts = [name for name, dtype in frame.schema.items() if dtype in (pl.String, pl.Categorical, pl.Enum)]
    return [c for c in by_role if c.name in texts and any(system in c.codes for system in _SYSTEMS)]
