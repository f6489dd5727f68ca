"""Cohorts with visits: their joint schema and where they come from, one YAML codebook each in ``longitudinal/``.

Belongs here: discovery and loading of longitudinal cohorts. Does not belong here: cohorts with one row per patient
(``cohort``), or what is done with either.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import polars as pl

from records.codebook_file import read_codebook_file
from records.errors import ParameterError, StorageError
from records.files import read_table_file
from records.longitudinal import LongitudinalSchema, Records
from records.longitudinal_validation import validate_records
from records.schema import Frozen
from use_cases.cohort import Source

FOLDER = Path(__file__).parent / "longitudinal"
TABLES = ("patients", "visits")


class LongitudinalCohort(Frozen):
    """A cohort's registry entry; ``sha256`` holds the hash of each bundled table."""

    records: LongitudinalSchema
    source: Source
    sha256: Mapping[str, str]
    defects: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The cohort's name."""
        return self.records.name

    def file(self, table: str) -> Path:
        """Where the bundled ``patients`` or ``visits`` lie."""
        return FOLDER / f"{self.name}_{table}.parquet"

    def load(self) -> Records:
        """The whole cohort in schema form.

        Raises
        ------
        StorageError
            A bundled table is not the one that the codebook names.
        """
        return validate_records(Records(*(self._table(name) for name in TABLES)), self.records, source=self.name)

    def _table(self, name: str) -> pl.DataFrame:
        table = read_table_file(self.file(name))
        if table.sha256 != self.sha256[name]:
            raise StorageError(
                f"{self.file(name).name} must have the codebook's sha256, got another; restore the bundled file"
            )
        return table.frame


@cache
def longitudinal_cohorts() -> dict[str, LongitudinalCohort]:
    """All longitudinal cohorts by name, in alphabetical order."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.yaml"))}


def longitudinal_cohort(name: str) -> LongitudinalCohort:
    """The longitudinal cohort called ``name``."""
    if name not in longitudinal_cohorts():
        known = ", ".join(longitudinal_cohorts())
        raise ParameterError(f"the cohort must be one of {known}, got {name}; choose one of these")
    return longitudinal_cohorts()[name]


def _read(path: Path) -> LongitudinalCohort:
    return read_codebook_file(path, lambda entry: LongitudinalCohort(**entry), "codebook")
