"""A cohort: its schema and where it comes from, read from one YAML codebook.

Belongs here: source, licence, sites and loading of a cohort. Does not belong here: what is done with it.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from records.codebook_file import read_codebook_file
from records.errors import StorageError
from records.files import sha256
from records.reading import read_table
from records.schema import Frozen, Kind, Schema
from records.validation import validate


class Source(Frozen):
    """Where the data were published and on what terms."""

    citation: str
    licence: str
    origin: str
    file: str = "own file"
    bundled: str | None = None
    sha256: str | None = None


OWN = Source(citation="given by the user", licence="given by the user", origin="own file")


class Sites(Frozen):
    """Hospitals: either a recorded ``column``, or ``simulated`` names assigned by a hash of the patient id."""

    column: str | None = None
    simulated: tuple[str, ...] = ()


class Cohort(Frozen):
    """A cohort's registry entry: ``table`` is its schema, ``folder`` where the codebook lies.

    ``sampling_fraction`` is the share of the population's patients of this kind who are in the table, as publicly known; it
    serves the journalist's and the marketer's risk.
    """

    table: Schema
    source: Source
    sites: Sites
    defects: tuple[str, ...] = ()
    filter: Mapping[str, str] = {}
    row_number_id: bool = False
    sampling_fraction: float | None = Field(default=None, gt=0, le=1)
    folder: Path

    @property
    def name(self) -> str:
        """The cohort's name."""
        return self.table.name

    @property
    def site_names(self) -> list[str]:
        """Names of the hospitals, in public order."""
        if self.sites.column is None:
            return list(self.sites.simulated)
        return list(self.table[self.sites.column].levels)

    def assign_sites(self, frame: pl.DataFrame) -> pl.Series:
        """Hospital of each row; a simulated split takes sha256("site:" + patient id) modulo the number of names."""
        if self.sites.column is not None:
            return frame[self.sites.column].cast(pl.String).alias("site")
        identifier = self.table.identifier
        names = self.site_names
        ids = frame[identifier.name].to_list() if identifier else []
        digests = (hashlib.sha256(f"site:{i}".encode()).digest()[:8] for i in ids)
        return pl.Series("site", [names[int.from_bytes(d, "big") % len(names)] for d in digests], dtype=pl.String)

    def load(self, file: Path | None = None) -> pl.DataFrame:
        """The whole cohort in schema form, from ``file`` or from the bundled table.

        Raises
        ------
        StorageError
            The file cannot be read, or the cohort is not bundled and no file is set.
        TableError
            The table breaks the codebook.
        """
        path = file or self._bundled()
        return validate(self.harmonise(read_table(path)), self.table, source=path.name)

    def harmonise(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Columns as published, renamed and recoded to the codebook; rows outside the cohort's filter dropped."""
        for name, wanted in self.filter.items():
            if name in raw.columns:
                raw = raw.filter(pl.col(name).cast(pl.String) == wanted)
        identifier = self.table.identifier
        if self.row_number_id and identifier and identifier.name not in raw.columns:
            raw = raw.with_row_index(identifier.name)
        return raw.select(self._columns(raw))

    def _columns(self, raw: pl.DataFrame) -> list[pl.Expr]:
        found = []
        for column in self.table.columns:
            name = column.name if column.name in raw.columns else column.source
            if name is None or name not in raw.columns:
                continue
            value = pl.col(name)
            if column.recode and name == column.source:
                value = value.cast(pl.Float64).cast(pl.Int64) if raw.schema[name].is_float() else value
                value = value.cast(pl.String).fill_null("").replace(dict(column.recode)).replace("", None)
            if column.kind is Kind.NUMBER and column.step and name == column.source:
                value = (value.cast(pl.Float64, strict=False) / column.step).round() * column.step
                value = value.round(6)
            found.append(value.alias(column.name))
        return found

    def _bundled(self) -> Path:
        if self.source.bundled is None:
            raise StorageError(
                f"{self.name} must be given as a file, got no file; set it as {self.name}=<path of {self.source.file}>"
            )
        path = self.folder / self.source.bundled
        if sha256(path.read_bytes()) != self.source.sha256:
            raise StorageError(f"{path.name} must have the codebook's sha256, got another; restore the bundled file")
        return path


def load_codebook(path: Path) -> Cohort:
    """Read one YAML codebook: a cohort's (``table``, ``source``, ``sites``), or a bare schema, a user's own.

    Raises
    ------
    CodebookError
        It is not a valid codebook; the message says which entry.
    """

    def cohort(entry: dict[str, Any]) -> Cohort:
        if "table" in entry:
            return Cohort(**entry, folder=path.parent)
        fraction = {name: entry[name] for name in entry if name == "sampling_fraction"}
        table = {name: entry[name] for name in entry if name not in fraction}
        whole = {"table": table, "source": OWN, "sites": {}, **fraction}
        return Cohort(**whole, folder=path.parent)

    return read_codebook_file(path, cohort, "codebook")
