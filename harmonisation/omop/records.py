"""The records of one column among OMOP tables, and one value per person.

Belongs here: choosing records, their value, their unit. Does not belong here: persons (``members``).

In tables of this project a column's records have its source value. In another program's database they have the
concept id; of several the one nearest to the day counts. A condition, drug or procedure counts if it is recorded by
that day, so that no later one tells of the future; what is not recorded did not take place, unless the codebook allows
it to be missing. The event is the first record after the index date.

References
----------
OMOP CDM v5.4: MEASUREMENT, OBSERVATION, CONDITION_OCCURRENCE, DRUG_EXPOSURE, PROCEDURE_OCCURRENCE.
"""

from collections.abc import Iterable

import polars as pl

from harmonisation.omop.cdm import Cdm
from harmonisation.omop.findings import DATES, END, INDEX, PERSON, SHORT, event_source
from harmonisation.omop.mapping import Mapped, Table
from harmonisation.omop.members import Members
from harmonisation.omop.tables import TABLES, primary_key
from records.errors import Problem, TableError
from records.schema import Column, Kind

VALUE, DATE, KEY = "_value", "_date", "_key"
CONTENT = (
    "value_as_number", "value_as_string", "value_as_concept_id", "value_source_value", "unit_concept_id", "unit_source_value",
)  # fmt: skip


def finding(cdm: Cdm, who: Members, table: Table, column: Column, mapped: Mapped, source: str) -> pl.Series | None:
    """The column's value per person of ``who`` from measurements or observations; ``None`` if there is no record.

    Raises
    ------
    TableError
        Records are in another unit than the mapping's.
    """
    rows = _rows(cdm, table, [source] if who.own else [], [] if who.own else [mapped.concept.id])
    if rows.is_empty():
        return None
    if column.numeric:
        _refuse_units(rows, column, mapped)
    return _single(who, rows.with_columns(_content(column, mapped).alias(VALUE)), mapped.day)


def event(cdm: Cdm, who: Members, column: Column, mapped: Mapped, source: str) -> pl.Series:
    """The column's level per person from a table of events and from observations of their absence."""
    by_source = {event_source(source, level): level for level in mapped.levels}
    ids = _ids(mapped)
    rows = _rows(cdm, mapped.table, by_source if who.own else [], [] if who.own else ids)
    if not who.own:
        known = rows.join(who.people.select(PERSON, INDEX), on=PERSON)
        rows = known.filter(pl.col(DATE) <= pl.col(INDEX) + pl.duration(days=mapped.day)).drop(INDEX)
    key = pl.col("_source").replace_strict(by_source, default=None, return_dtype=pl.String)
    if not who.own:
        key = pl.col("_concept").replace_strict(ids, default=None, return_dtype=pl.String)
    absent = _rows(cdm, Table.OBSERVATION, [source] if who.own else [], [])
    both = [rows.with_columns(key.alias(VALUE)), absent.with_columns(pl.col("value_source_value").alias(VALUE))]
    values = _single(who, pl.concat(both), mapped.day)
    others = [level for level in column.levels if level not in mapped.levels]
    return values.fill_null(others[0]) if not who.own and not column.missing and len(others) == 1 else values


def first_event(cdm: Cdm, who: Members, mapped: Mapped) -> pl.DataFrame:
    """``_value`` (level) and ``_date`` per person of the first record after the index date and up to the end."""
    ids = _ids(mapped)
    rows = _rows(cdm, mapped.table, [], ids).join(who.people.select(PERSON, INDEX, END), on=PERSON)
    after = rows.filter(pl.col(DATE) > pl.col(INDEX), pl.col(DATE) <= pl.col(END)).sort(DATE, KEY)
    level = pl.col("_concept").replace_strict(ids, default=None, return_dtype=pl.String).alias(VALUE)
    first = after.unique(PERSON, keep="first", maintain_order=True).select(PERSON, DATE, level)
    return who.people.select(PERSON).join(first, on=PERSON, how="left", maintain_order="left")


def _ids(mapped: Mapped) -> dict[int, str]:
    """Concept id to the level that it means."""
    return {concept.id or mapped.concept.id: level for level, concept in reversed(list(mapped.levels.items()))}


def _rows(cdm: Cdm, table: Table, sources: Iterable[str], concepts: Iterable[int]) -> pl.DataFrame:
    short = SHORT[table]
    named = (f"{short}_source_value", f"{short}_concept_id", DATES[table][0], primary_key(table))
    rows = cdm.fields(table, ("person_id", *named, *(name for name in CONTENT if name in TABLES[table])))
    known = [number for number in concepts if number]
    rows = rows.filter(pl.col(named[0]).is_in(list(sources)) | pl.col(named[1]).is_in(known))
    lacking = {name: TABLES["observation"][name].dtype for name in CONTENT if name not in rows.columns}
    return rows.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in lacking.items()).select(
        pl.col("person_id").alias(PERSON), pl.col(named[0]).alias("_source"), pl.col(named[1]).alias("_concept"),
        pl.col(named[2]).alias(DATE), pl.col(named[3]).alias(KEY), *CONTENT,
    )  # fmt: skip


def _content(column: Column, mapped: Mapped) -> pl.Expr:
    if column.numeric:
        return pl.col("value_as_number")
    if column.kind is Kind.DATE:
        return pl.col(DATE)
    if column.kind is Kind.TEXT:
        return pl.coalesce("value_as_string", "value_source_value")
    return level_of(pl.col("value_source_value"), pl.col("value_as_concept_id"), column, mapped)


def level_of(source: pl.Expr, concept: pl.Expr, column: Column, mapped: Mapped) -> pl.Expr:
    """The codebook's level: the source value where it is one, else that of the value's concept."""
    levels = {found.id: level for level, found in reversed(list(mapped.levels.items())) if found.id}
    told = pl.when(source.is_in(list(column.levels))).then(source)
    if not levels:
        return told
    return told.otherwise(concept.replace_strict(levels, default=None, return_dtype=pl.String))


def _refuse_units(rows: pl.DataFrame, column: Column, mapped: Mapped) -> None:
    """The unit's concept decides; a record without one (0) has the unit that its source value names."""
    named = pl.col("unit_source_value").fill_null("").str.strip_chars()
    known = pl.col("unit_concept_id").fill_null(0)
    units = {unit for unit in (mapped.unit.code, column.unit if mapped.factor == 1 else None) if unit}
    told = named.str.to_lowercase().is_in([unit.lower() for unit in units])
    right = pl.when(known == 0).then(told).otherwise(known == mapped.unit.id) if mapped.unit.id else told | (known != 0)
    if not units:
        right = named == ""
    values = rows.filter(pl.col("value_as_number").is_not_null())
    wrong = values.filter(~right)
    if wrong.height:
        unit = mapped.unit.code or column.unit or "no unit"
        without = wrong.filter((known == 0) & (named == "")).height
        told_of = f"{wrong.height} records in another unit" + (f" or none ({without})" if without else "")
        problem = Problem(
            column.name, f"be recorded in {unit}", told_of, "convert them, or add the unit's concept or code"
        )
        raise TableError("OMOP tables", [problem])


def _single(who: Members, rows: pl.DataFrame, day: int) -> pl.Series:
    """One value per person: that of the record nearest to ``day`` after the index date."""
    if rows[PERSON].is_duplicated().any():
        distance = (pl.col(DATE) - pl.col(INDEX)).dt.total_days() - day
        dated = rows.filter(pl.col(VALUE).is_not_null()).join(who.people.select(PERSON, INDEX), on=PERSON)
        rows = dated.sort(distance.abs(), KEY).unique(PERSON, keep="first", maintain_order=True)
    return who.people.select(PERSON).join(rows.select(PERSON, VALUE), on=PERSON, how="left", maintain_order="left")[
        VALUE
    ]
