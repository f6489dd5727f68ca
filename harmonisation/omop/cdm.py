"""Tables of the OMOP Common Data Model 5.4 held in memory, and whether they keep its form.

Belongs here: tables, columns, types, required values. Does not belong here: checks of the data's plausibility
(``harmonisation.quality``), databases (``database``).

References
----------
OMOP CDM v5.4, https://ohdsi.github.io/CommonDataModel/cdm54.html.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

from harmonisation.omop.tables import CLINICAL, TABLES, Field, Form, primary_key
from harmonisation.omop.tables import empty as empty_table
from records.errors import Problem, TableError

MEND = "mend the export that wrote it"
HOLDS = {
    Form.INTEGER: lambda dtype: dtype.is_integer() or dtype == pl.Null,
    Form.NUMBER: lambda dtype: dtype.is_numeric() or dtype == pl.Null,
    Form.TEXT: lambda dtype: dtype in (pl.String, pl.Null) or isinstance(dtype, pl.Enum | pl.Categorical),
    Form.DATE: lambda dtype: dtype in (pl.Date, pl.Null),
    Form.DATETIME: lambda dtype: isinstance(dtype, pl.Datetime) or dtype == pl.Null,
}


@dataclass(frozen=True)
class Cdm:
    """Tables by lower-case name; a table that is absent holds no rows.

    Parameters
    ----------
    tables : mapping of str to polars.DataFrame
    """

    tables: Mapping[str, pl.DataFrame]

    @classmethod
    def empty(cls) -> Self:
        """All clinical tables with all columns and no rows."""
        return cls({name: empty_table(name) for name in CLINICAL})

    def __getitem__(self, table: str) -> pl.DataFrame:
        """The rows of ``table``; an absent table is empty.

        Raises
        ------
        KeyError
            The model, as far as it is used here, has no such table.
        """
        return self.tables[table] if table in self.tables else empty_table(table)

    def fields(self, table: str, names: Sequence[str]) -> pl.DataFrame:
        """The named fields of ``table`` in the model's types; a field that the table lacks is empty."""
        frame, types = self[table], TABLES[table]
        return frame.select(
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(types[name].dtype).alias(name)
            for name in names
        )

    @property
    def counts(self) -> dict[str, int]:
        """Rows per table, in the model's order."""
        return {name: self[name].height for name in TABLES if name in self.tables}

    def problems(self) -> list[Problem]:
        """Breaches of the model's form: unknown or missing columns, wrong types, missing values, doubled keys."""
        found = [
            Problem(name, "be a table of OMOP CDM 5.4", "an unknown table", "rename or drop it")
            for name in self.tables
            if name not in TABLES
        ]
        for name, frame in self.tables.items():
            if name in TABLES:
                found += _breaches(name, frame)
        return found

    def check(self) -> Self:
        """The same tables, if they keep the model's form.

        Raises
        ------
        TableError
            They do not; all breaches are listed, with counts and never a value.
        """
        if found := self.problems():
            raise TableError("OMOP tables", found)
        return self


def _breaches(table: str, frame: pl.DataFrame) -> list[Problem]:
    fields = TABLES[table]
    found = [
        Problem(f"{table}.{name}", "be a field of OMOP CDM 5.4", "an unknown column", "rename or drop it")
        for name in frame.columns
        if name not in fields
    ]
    for name, field in fields.items():
        if name in frame.columns:
            found += _field_breaches(f"{table}.{name}", frame[name], field)
        elif field.required:
            found.append(Problem(f"{table}.{name}", "be present", "no such column", MEND))
    key = primary_key(table)
    if key in frame.columns and (doubled := frame.height - frame[key].n_unique()):
        found.append(Problem(f"{table}.{key}", "name each row once", f"{doubled} doubled rows", MEND))
    return found


def _field_breaches(name: str, values: pl.Series, field: Field) -> list[Problem]:
    if not HOLDS[field.form](values.dtype):
        return [Problem(name, f"hold {field.form.name.lower()} values", f"type {values.dtype}", MEND)]
    found = []
    if field.required and values.null_count():
        found.append(Problem(name, "be known in every row", f"{values.null_count()} missing", MEND))
    if field.length is not None and values.len():
        long = int((values.cast(pl.String).str.len_chars() > field.length).sum())
        if long:
            found.append(Problem(name, f"be at most {field.length} characters long", f"{long} longer", MEND))
    return found
