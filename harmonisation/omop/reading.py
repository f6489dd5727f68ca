"""A cohort's table from tables of the OMOP Common Data Model: the way back, also from a hospital's own database.

Belongs here: columns in schema form. Does not belong here: which persons (``members``) and records (``records``) they
come from, databases (``database``), or checking the table against its codebook (``records.validation``).

References
----------
OMOP CDM v5.4.
"""

import polars as pl

from harmonisation.omop.cdm import Cdm
from harmonisation.omop.export import UNKNOWN_BIRTH_YEAR
from harmonisation.omop.findings import END, INDEX, PERSON
from harmonisation.omop.fit import fitted
from harmonisation.omop.mapping import DAYS, EVENTS, Mapped, OmopMapping, Table
from harmonisation.omop.members import DIED, Members, members
from harmonisation.omop.records import DATE, VALUE, event, finding, first_event, level_of
from records.errors import Problem, TableError
from records.schema import Column, Kind, Role, Schema

EVENT = "_event"
DIGITS = 6  # what is left after a step is taken off binary fractions


def cohort_from_cdm(cdm: Cdm, schema: Schema, mapping: OmopMapping) -> pl.DataFrame:
    """The cohort in schema form, one row per person, in the order of person ids; columns left out are not there.

    Raises
    ------
    CodebookError
        The mapping does not fit the schema.
    TableError
        Nobody belongs to the cohort, records are in another unit than the mapping's, or whole numbers are not whole.
    """
    mapping = fitted(mapping, schema)
    who = _with_events(cdm, members(cdm, mapping), schema, mapping)
    found = [_implicit(cdm, column, schema, who) for column in schema.columns]
    for place, column in enumerate(schema.columns):
        mapped = mapping.columns.get(column.name)
        if mapped is not None:
            values = _values(cdm, who, column, mapped, mapping.source(column.name))
            found[place] = _typed(values, column, mapped, who)
    return pl.DataFrame([values for values in found if values is not None])


def _implicit(cdm: Cdm, column: Column, schema: Schema, who: Members) -> pl.Series | None:
    """The patient's number and the index date, which need no mapping."""
    if column == schema.identifier:
        number = pl.col(PERSON).cast(pl.String) if numbered_by_model(cdm) else pl.col("person_source_value")
        return who.people.select(number.alias(column.name)).to_series()
    return who.people[INDEX].alias(column.name) if column.name == schema.index_date else None


def numbered_by_model(cdm: Cdm) -> bool:
    """Whether no person has the hospital's number, as in copies for research: ``person_id`` then tells patients apart."""
    given = cdm.fields("person", ("person_source_value",)).to_series()
    return given.null_count() == given.len()


def _with_events(cdm: Cdm, who: Members, schema: Schema, mapping: OmopMapping) -> Members:
    """In another program's tables an event other than death ends the follow-up, which goes on in the model."""
    mapped = mapping.columns.get(schema.event.name) if schema.event else None
    if who.own or mapped is None or mapped.table not in EVENTS:
        return who
    first = first_event(cdm, who, mapped)
    people = who.people.with_columns(first[VALUE].alias(EVENT), pl.min_horizontal(END, first[DATE]).alias(END))
    return Members(people, who.own)


def _values(cdm: Cdm, who: Members, column: Column, mapped: Mapped, source: str) -> pl.Series | None:
    if mapped.table is Table.PERIOD:
        days = (pl.col(END) - pl.col(INDEX)).dt.total_days()
        return who.people.select(days / DAYS[column.unit or "d"]).to_series()
    if mapped.table is Table.DEATH:
        return who.people[DIED].cast(pl.Int8).cast(pl.String)
    if mapped.field == "year_of_birth":
        return _age(cdm, who, column, mapped, source)
    if mapped.field is not None:
        told, concept = pl.col(f"{mapped.field}_source_value"), pl.col(f"{mapped.field}_concept_id")
        return who.people.select(level_of(told, concept, column, mapped)).to_series()
    if mapped.table in EVENTS and column.role is Role.EVENT and EVENT in who.people.columns:
        others = [level for level in column.levels if level not in mapped.levels]
        return who.people[EVENT].fill_null(others[0]) if others else who.people[EVENT]
    if mapped.table in EVENTS:
        return event(cdm, who, column, mapped, source)
    return finding(cdm, who, mapped.table, column, mapped, source)


def _age(cdm: Cdm, who: Members, column: Column, mapped: Mapped, source: str) -> pl.Series | None:
    """Age as it was observed; in another program's database the years since birth."""
    if who.own:
        return finding(cdm, who, Table.OBSERVATION, column, mapped, source)
    born = pl.col("year_of_birth")
    return who.people.select(pl.when(born != UNKNOWN_BIRTH_YEAR).then(pl.col(INDEX).dt.year() - born)).to_series()


def _typed(values: pl.Series | None, column: Column, mapped: Mapped, who: Members) -> pl.Series:
    """The values in the column's type; numbers are brought back to the column's unit and step."""
    if values is None:
        return pl.Series(column.name, [None] * who.people.height, dtype=column.dtype)
    if not column.numeric:
        return values.cast(column.dtype, strict=False).alias(column.name)
    number = values.cast(pl.Float64)
    if mapped.factor != 1:
        number = number / mapped.factor
    if mapped.factor != 1 or mapped.table is Table.PERIOD:
        step = column.step or 1
        number = ((number / step).round() * step).round(DIGITS)
    return _whole(number, column) if column.kind is Kind.INTEGER else number.alias(column.name)


def _whole(number: pl.Series, column: Column) -> pl.Series:
    if broken := int((number != number.round()).sum()):
        problem = Problem(column.name, "be whole numbers", f"{broken} that are not", "make the codebook's kind number")
        raise TableError("OMOP tables", [problem])
    return number.cast(pl.Int64).alias(column.name)
