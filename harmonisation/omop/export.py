"""A cohort's table as tables of the OMOP Common Data Model.

Belongs here: numbering of persons, dates, and the tables around the findings. Does not belong here: the findings
themselves (``findings``), databases (``database``), or the way back (``reading``).

Persons are numbered in the order of their pseudonyms, so that the order of rows tells nothing. Without calendar dates
day 0 is the mapping's public epoch, and ``cdm_source`` says so.

References
----------
OMOP CDM v5.4: PERSON, OBSERVATION_PERIOD, VISIT_OCCURRENCE, CONDITION_OCCURRENCE, DEATH, CDM_SOURCE.
"""

from datetime import date

import polars as pl

from harmonisation.omop.cdm import Cdm
from harmonisation.omop.findings import END, INDEX, LEFT, PERSON, concept_of, finding_tables
from harmonisation.omop.fit import fitted
from harmonisation.omop.mapping import DAYS, Concept, OmopMapping, Table
from harmonisation.omop.tables import VERSION
from records.errors import Problem, TableError
from records.schema import Schema

# The model requires a year of birth; an unknown one gets the earliest that OHDSI's checks accept, far from any patient.
UNKNOWN_BIRTH_YEAR = 1850
VERSION_CONCEPT = 756265


def to_cdm(frame: pl.DataFrame, schema: Schema, mapping: OmopMapping, *, released: date | None = None) -> Cdm:
    """The table's rows in the model; one row per patient becomes one person with the findings of the index date.

    Parameters
    ----------
    frame : polars.DataFrame, (n, columns)
        In schema form; columns outside the schema are ignored.
    released : date or None
        Date of release in ``cdm_source``; by default today.

    Raises
    ------
    CodebookError
        The mapping does not fit the schema.
    TableError
        A patient has no index date, or values are longer than the model allows.
    """
    mapping = fitted(mapping, schema)
    base = _numbered(frame, schema, mapping)
    tables = {
        "person": _persons(base, schema, mapping),
        "observation_period": _periods(base, mapping),
        "visit_occurrence": _visits(base, mapping),
        **finding_tables(base, schema, mapping),
        "death": _deaths(base, mapping),
        "cdm_source": _source(schema, mapping, released or date.today()),
    }
    return Cdm(tables).check()


def _numbered(frame: pl.DataFrame, schema: Schema, mapping: OmopMapping) -> pl.DataFrame:
    identifier = schema.identifier
    if identifier is not None and identifier.name in frame.columns:
        frame = frame.sort(identifier.name)
    index = pl.col(schema.index_date) if schema.index_date else pl.lit(mapping.epoch)
    dated = frame.with_columns(index.alias(INDEX), pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(PERSON))
    if unknown := dated[INDEX].null_count():
        problem = Problem(
            schema.index_date or INDEX, "be known in every row", f"{unknown} rows missing", "add the dates"
        )
        raise TableError(schema.name, [problem])
    ended = dated.with_columns((pl.col(INDEX) + pl.duration(days=_length(schema, mapping))).alias(END))
    left = pl.min_horizontal(pl.col(INDEX) + pl.duration(days=mapping.visit_days), END)
    return ended.with_columns(left.alias(LEFT))


def _length(schema: Schema, mapping: OmopMapping) -> pl.Expr:
    """Days from the index date to the end of observation."""
    followed = mapping.where(Table.PERIOD)
    if followed:
        return (pl.col(followed[0]) * DAYS[schema[followed[0]].unit or "d"]).round().cast(pl.Int64)
    return pl.lit(max((mapped.day for mapped in mapping.columns.values()), default=0))


def _persons(base: pl.DataFrame, schema: Schema, mapping: OmopMapping) -> pl.DataFrame:
    chosen = {mapping.columns[name].field: name for name in mapping.where(Table.PERSON)}
    number = pl.col(PERSON).cast(pl.String)
    known = schema.identifier is not None and schema.identifier.name in base.columns
    source = pl.col(schema.identifier.name) if known and schema.identifier else pl.lit(f"{schema.name}-") + number
    birth = pl.lit(UNKNOWN_BIRTH_YEAR)
    if "year_of_birth" in chosen:
        age = pl.col(chosen["year_of_birth"]).floor().cast(pl.Int64)
        birth = (pl.col(INDEX).dt.year() - age).fill_null(UNKNOWN_BIRTH_YEAR)
    values = {"year_of_birth": birth.cast(pl.Int64), "person_source_value": source}
    for field in ("gender", "race", "ethnicity"):
        name = chosen.get(field)
        values[f"{field}_concept_id"] = concept_of(mapping.columns[name], name) if name else pl.lit(0, pl.Int64)
        values[f"{field}_source_value"] = pl.col(name).cast(pl.String) if name else pl.lit(None, pl.String)
    return base.select(pl.col(PERSON).alias("person_id"), **values)


def _periods(base: pl.DataFrame, mapping: OmopMapping) -> pl.DataFrame:
    return base.select(
        observation_period_id=PERSON,
        person_id=PERSON,
        observation_period_start_date=INDEX,
        observation_period_end_date=END,
        period_type_concept_id=pl.lit(mapping.type_concept),
    )


def _visits(base: pl.DataFrame, mapping: OmopMapping) -> pl.DataFrame:
    return base.select(
        visit_occurrence_id=PERSON,
        person_id=PERSON,
        visit_concept_id=pl.lit(mapping.visit.id),
        visit_start_date=INDEX,
        visit_end_date=LEFT,
        visit_type_concept_id=pl.lit(mapping.type_concept),
        visit_source_value=pl.lit(_text(mapping.visit), pl.String),
    )


def _deaths(base: pl.DataFrame, mapping: OmopMapping) -> pl.DataFrame:
    events = mapping.where(Table.DEATH)
    died = base.filter(pl.col(events[0]).cast(pl.String) == "1") if events else base.clear()
    return died.select(person_id=PERSON, death_date=END, death_type_concept_id=pl.lit(mapping.type_concept))


def _source(schema: Schema, mapping: OmopMapping, released: date) -> pl.DataFrame:
    dates = (
        f"Dates count from {schema.index_date} of each patient."
        if schema.index_date
        else f"The source has no calendar dates: day 0 is the public epoch {mapping.epoch}, for every patient."
    )
    return pl.DataFrame(
        {
            "cdm_source_name": schema.title,
            "cdm_source_abbreviation": schema.name[:25],
            "cdm_holder": mapping.holder,
            "source_description": f"{schema.title} ({schema.name}). {dates}",
            "source_release_date": released,
            "cdm_release_date": released,
            "cdm_version": VERSION,
            "cdm_version_concept_id": VERSION_CONCEPT,
            "vocabulary_version": "none handed in",
        }
    )


def _text(concept: Concept) -> str | None:
    return concept.text or concept.name
