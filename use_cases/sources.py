"""Where a cohort is read from: a table file, an OMOP database, a folder of FHIR bundles, or one of DICOM files.

Belongs here: telling the four apart and reading each in the codebook's names. Does not belong here: how each is read
(``records.reading``, ``harmonisation``, ``dicom_headers``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from records.errors import StorageError
from records.reading import read_table
from use_cases.cohort import Cohort
from use_cases.omop import omop_mapping

DATABASE = "://"
BY_PERSON_ID = "known_by_person_id"
"""Patients of an OMOP database that holds no number of the hospital."""


@dataclass(frozen=True)
class SourceRead:
    """A cohort as it was read.

    Parameters
    ----------
    frame : polars.DataFrame
        In the codebook's names, not validated yet.
    counts : mapping of str to mapping of str to int
        What the source held and what was left out of it, by kind or reason; empty for tables and databases.
    """

    frame: pl.DataFrame
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def read_source(cohort: Cohort, place: str) -> SourceRead:
    """The cohort of a place.

    Parameters
    ----------
    cohort : Cohort
    place : str
        Path of a CSV or Parquet file or of a folder with FHIR R4 bundles or DICOM files, or SQLAlchemy URL of an OMOP
        CDM 5.4 database.

    Raises
    ------
    StorageError
        Nothing can be read there.
    CodebookError
        The cohort's OMOP mapping does not fit its codebook, or its codebook names no DICOM attributes.
    TableError
        The bundles or the database do not fit the codebook.
    """
    if DATABASE in place:
        return _from_omop(cohort, place)
    path = Path(place)
    return _from_folder(cohort, path) if path.is_dir() else SourceRead(cohort.harmonise(read_table(path)))


def place_name(place: str) -> str:
    """What errors and lineage call it: a file's name, or a database without password and options, which may hold one.

    Raises
    ------
    ParameterError
        It is not the URL of a known database.
    """
    if DATABASE not in place:
        return Path(place).name
    from harmonisation.omop.database import sa_url

    return sa_url(place).set(query={}).render_as_string(hide_password=True)


def _from_omop(cohort: Cohort, url: str) -> SourceRead:
    from harmonisation.omop.exchange import read_cdm
    from harmonisation.omop.fit import default_mapping
    from harmonisation.omop.reading import cohort_from_cdm, numbered_by_model

    mapping = omop_mapping(cohort) or default_mapping(cohort.table)
    cdm = read_cdm(url, mapping=mapping)
    frame = cohort_from_cdm(cdm, cohort.table, mapping)
    return SourceRead(frame, {"omop": {BY_PERSON_ID: frame.height}} if numbered_by_model(cdm) else {})


def _from_folder(cohort: Cohort, folder: Path) -> SourceRead:
    from use_cases.dicom_headers import holds_dicom

    if any(path.suffix in (".json", ".ndjson") for path in folder.rglob("*")):
        return _from_fhir(cohort, folder)
    if holds_dicom(folder):
        return _from_dicom(cohort, folder)
    raise StorageError(
        f"{folder.name} must hold FHIR bundles (.json, .ndjson) or DICOM files, got none; a table comes as CSV or Parquet file"
    )


def _from_fhir(cohort: Cohort, folder: Path) -> SourceRead:
    from harmonisation.fhir.reading import read_bundles

    read = read_bundles(folder, cohort.table)
    return SourceRead(read.frame, {"fhir_resources": read.resources, "fhir_left_out": read.skipped})


def _from_dicom(cohort: Cohort, folder: Path) -> SourceRead:
    from use_cases.dicom_headers import read_headers

    read = read_headers(folder, cohort)
    # Files were chosen by the filter already; a row may hold another value of an attribute that differs.
    chosen = cohort.model_copy(update={"filter": {}})
    return SourceRead(chosen.harmonise(read.frame), {"dicom_files": read.files, "dicom_differing": read.differing})
