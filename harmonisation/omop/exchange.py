"""Cohorts in and out of OMOP databases.

Belongs here: what may be written where, ids that do not collide, and which rows of a database a cohort needs. Does not
belong here: connections (``database``), moving rows (``bulk``), or the mapping of columns (``export``, ``reading``).

References
----------
OMOP CDM v5.4.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from harmonisation.omop.bulk import fetch, insert
from harmonisation.omop.cdm import Cdm
from harmonisation.omop.database import create_indexes, create_tables, reading, stored_tables, writing
from harmonisation.omop.export import to_cdm
from harmonisation.omop.findings import SHORT, event_source
from harmonisation.omop.mapping import EVENTS, OmopMapping, Table
from harmonisation.omop.reading import cohort_from_cdm
from harmonisation.omop.tables import CLINICAL, TABLES, primary_key
from records.errors import Problem, StorageError, TableError
from records.schema import Schema


def write_omop(
    frame: pl.DataFrame, schema: Schema, mapping: OmopMapping, url: str, *, append: bool = False
) -> dict[str, int]:
    """Write a table, real or synthetic, to an OMOP database; all of it or nothing.

    Parameters
    ----------
    append : bool
        Add to the persons of a database that already holds some.

    Returns
    -------
    dict of str to int
        Rows written per table.

    Raises
    ------
    CodebookError
        The mapping does not fit the schema.
    TableError
        The table breaks the model's form.
    StorageError
        The database cannot be written, holds other persons and ``append`` is false, or holds these patients already.
    """
    return write_cdm(to_cdm(frame, schema, mapping), url, cohort=mapping.cohort, append=append)


def read_omop(url: str, schema: Schema, mapping: OmopMapping) -> pl.DataFrame:
    """The cohort's table from an OMOP database, in schema form and not yet validated.

    Raises
    ------
    CodebookError
        The mapping does not fit the schema.
    StorageError
        The database cannot be read or lacks tables.
    TableError
        It lacks required columns, holds values of other types, nobody of the cohort, or other units.
    """
    return cohort_from_cdm(read_cdm(url, mapping=mapping), schema, mapping)


def write_cdm(cdm: Cdm, url: str, *, cohort: str, append: bool = False) -> dict[str, int]:
    """Write tables to a database, with ids above those that are there; see ``write_omop``."""
    cdm.check()
    with writing(url) as connection:
        create_tables(connection)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE person IN EXCLUSIVE MODE")
        _refuse(connection, cdm, cohort, append)
        above = {table: _highest(connection, table) for table in CLINICAL if table != "cdm_source"}
        for table in CLINICAL:
            if table in cdm.tables:
                insert(connection, table, _shifted(cdm, table, above, connection))
        create_indexes(connection)
    return cdm.counts


def read_cdm(url: str, *, mapping: OmopMapping | None = None) -> Cdm:
    """The tables of a database; with a mapping only the findings that it names.

    Raises
    ------
    StorageError
        The database cannot be read or lacks tables.
    TableError
        It lacks required columns or holds values of other types.
    """
    with reading(url) as connection:
        stored = stored_tables(connection)
        needed = _needed(mapping) if mapping else None
        if lacking := sorted((needed or {"person"}) - set(stored)):
            text = ", ".join(lacking)
            raise StorageError(f"the OMOP database must have the tables {text}, got none; check the URL and schema")
        tables: dict[str, pl.DataFrame] = {}
        problems: list[Problem] = []
        for table in TABLES:
            if table in stored and (needed is None or table in needed):
                tables[table], found = fetch(connection, table, stored[table], _wanted(table, mapping))
                problems += found
    problems += Cdm(tables).problems()
    if problems:
        raise TableError("the OMOP database", problems)
    return Cdm(tables)


def read_concepts(url: str, mapping: OmopMapping) -> Cdm:
    """What a database's vocabularies say of the mapping's concepts; nobody's records are read.

    Raises
    ------
    StorageError
        The database cannot be read, or has no table of concepts.
    """
    ids = {concept.id for _, concept in mapping.concepts()} | {0}  # 0 is in every vocabulary: known from having none
    with reading(url) as connection:
        stored = stored_tables(connection)
        if "concept" not in stored:
            raise StorageError("the OMOP database must have the table concept, got none; check the URL and schema")
        concepts, problems = fetch(connection, "concept", stored["concept"], {"concept_id": sorted(ids)})
    if problems:
        raise TableError("the OMOP database", problems)
    return Cdm({"concept": concepts})


def _refuse(connection: sa.Connection, cdm: Cdm, cohort: str, append: bool) -> None:
    held = connection.exec_driver_sql("SELECT count(*) FROM person").scalar_one()
    if held and not append:
        raise StorageError(f"the OMOP database must be empty, got {held} persons; choose another, or append on purpose")
    query = sa.text(
        "SELECT p.person_source_value FROM person p JOIN condition_occurrence c ON c.person_id = p.person_id "
        "WHERE c.condition_source_value = :cohort"
    )
    there = pl.Series([row[0] for row in connection.execute(query, {"cohort": cohort})], dtype=pl.String)
    if twice := int(cdm["person"]["person_source_value"].is_in(there.implode()).sum()):
        raise StorageError(
            f"the OMOP database must not hold these patients yet, got {twice} of {cohort}; write the rest"
        )


def _highest(connection: sa.Connection, table: str) -> int:
    return connection.exec_driver_sql(f"SELECT max({primary_key(table)}) FROM {table}").scalar_one() or 0


def _shifted(cdm: Cdm, table: str, above: Mapping[str, int], connection: sa.Connection) -> pl.DataFrame:
    frame = cdm[table]
    if table == "cdm_source":
        named = [row[0] for row in connection.exec_driver_sql("SELECT cdm_source_name FROM cdm_source")]
        return frame.filter(~pl.col("cdm_source_name").is_in(named))
    ids = {primary_key(table): table} | {n: f.references for n, f in TABLES[table].items() if f.references in above}
    return frame.with_columns(pl.col(n) + above[str(to)] for n, to in ids.items() if n in frame.columns)


def _needed(mapping: OmopMapping) -> set[str]:
    """Tables without which the mapping's columns cannot be told."""
    used = {mapped.table for mapped in mapping.columns.values()}
    needed = {"person", "observation_period", "condition_occurrence"} | {table.value for table in used}
    needed |= {"observation"} if used & set(EVENTS) else set()
    return needed | ({"death"} if used & {Table.PERIOD, Table.DEATH} else set())


def _wanted(table: str, mapping: OmopMapping | None) -> dict[str, Sequence[Any]]:
    """The concept ids and source values of a table of findings that the mapping names."""
    if mapping is None or table not in set(SHORT):
        return {}
    ids, sources = {mapping.condition.id}, {mapping.cohort}
    for name, mapped in mapping.columns.items():
        source = mapping.source(name)
        ids |= {mapped.concept.id} | ({c.id for c in mapped.levels.values()} if mapped.table in EVENTS else set())
        sources |= {source} | {event_source(source, level) for level in mapped.levels}
    short = SHORT[Table(table)]
    return {f"{short}_concept_id": sorted(ids - {0}), f"{short}_source_value": sorted(sources)}
