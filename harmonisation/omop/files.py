"""A table as CSV files of the OMOP Common Data Model, for a package that somebody orders.

Belongs here: the files' bytes. Does not belong here: databases (``exchange``), or what else is in the package.

References
----------
OMOP CDM v5.4; concept 32880 (standard algorithm: how synthetic records came about).
"""

import io

import polars as pl

from harmonisation.omop.export import to_cdm
from harmonisation.omop.fit import completed
from harmonisation.omop.mapping import OmopMapping
from records.schema import Schema

ALGORITHM = 32880


def omop_files(frame: pl.DataFrame, schema: Schema, mapping: OmopMapping | None) -> dict[str, bytes]:
    """``omop/<table>.csv`` for every table that has rows; a synthetic table's persons are numbered by row.

    Parameters
    ----------
    mapping : OmopMapping or None
        The cohort's, before de-identification; what it does not say of the released columns goes by default.
    """
    whole = completed(mapping, schema).model_copy(update={"type_concept": ALGORITHM})
    tables = to_cdm(frame, schema, whole).tables
    return {f"omop/{name}.csv": _csv(rows) for name, rows in tables.items() if not rows.is_empty()}


def _csv(rows: pl.DataFrame) -> bytes:
    target = io.BytesIO()
    rows.write_csv(target)
    return target.getvalue()
