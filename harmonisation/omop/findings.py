"""Findings of a cohort's patients as rows: measurements, observations, conditions, drugs and procedures.

Belongs here: one codebook column to rows of one table. Does not belong here: persons, periods and deaths (``export``).

A finding names the visit if it was made while the visit lasted, and no visit otherwise.

A condition, drug or procedure that did not take place becomes an observation of its concept with the value "No": the
model keeps only what happened in those tables, and without it "no" could not be told from "not recorded".

References
----------
OMOP CDM v5.4: MEASUREMENT, OBSERVATION, CONDITION_OCCURRENCE, DRUG_EXPOSURE, PROCEDURE_OCCURRENCE.
"""

from collections.abc import Sequence

import polars as pl

from harmonisation.omop.mapping import EVENTS, Mapped, OmopMapping, Table
from harmonisation.omop.tables import TABLES, primary_key
from records.schema import Column, Kind, Role, Schema

NO = 4188540
LABEL_LENGTH = 60
PERSON, INDEX, END, LEFT = "_person", "_index", "_end", "_left"  # no codebook column can have such a name
SHORT = {
    Table.MEASUREMENT: "measurement", Table.OBSERVATION: "observation", Table.CONDITION: "condition", Table.DRUG: "drug",
    Table.PROCEDURE: "procedure",
}  # fmt: skip
DATES = {
    Table.MEASUREMENT: ("measurement_date",), Table.OBSERVATION: ("observation_date",),
    Table.CONDITION: ("condition_start_date",),
    Table.DRUG: ("drug_exposure_start_date", "drug_exposure_end_date"), Table.PROCEDURE: ("procedure_date",),
}  # fmt: skip


def finding_tables(base: pl.DataFrame, schema: Schema, mapping: OmopMapping) -> dict[str, pl.DataFrame]:
    """The five tables of findings; ``base`` holds the columns and ``_person``, ``_index``, ``_left``, ``_end``."""
    rows = base.lazy()
    parts: dict[Table, list[pl.LazyFrame]] = {table: [] for table in SHORT}
    parts[Table.CONDITION].append(_disease(rows, mapping))
    for name, mapped in mapping.columns.items():
        column, source = schema[name], mapping.source(name)
        if mapped.table in EVENTS:
            parts[mapped.table].append(_events(rows, column, mapped, source, mapping.type_concept))
            parts[Table.OBSERVATION].append(_absences(rows, column, mapped, source, mapping.type_concept))
        elif mapped.table is Table.MEASUREMENT:
            parts[Table.MEASUREMENT].append(
                _values(rows, Table.MEASUREMENT, column, mapped, source, mapping.type_concept)
            )
        elif mapped.table is Table.OBSERVATION or mapped.field == "year_of_birth":
            parts[Table.OBSERVATION].append(
                _values(rows, Table.OBSERVATION, column, mapped, source, mapping.type_concept)
            )
    return {table.value: _numbered(table, found) for table, found in parts.items()}


def concept_of(mapped: Mapped, name: str) -> pl.Expr:
    """Concept ids of a category's levels; 0 where there is none."""
    known = {level: concept.id for level, concept in mapped.levels.items() if concept.id}
    if not known:
        return pl.lit(0, pl.Int64)
    return pl.col(name).cast(pl.String).replace_strict(known, default=0, return_dtype=pl.Int64).fill_null(0)


def event_source(source: str, level: str) -> str:
    """Source value of an event: the column's, and the level that means it."""
    return f"{source}={level}"


def when(column: Column, mapped: Mapped) -> pl.Expr:
    """The date of a column's finding, never after the end of follow-up; a date column is its own, the event is the end."""
    if column.kind is Kind.DATE:
        return pl.col(column.name)
    if column.role is Role.EVENT:
        return pl.col(END)
    return pl.min_horizontal(pl.col(INDEX) + pl.duration(days=mapped.day), pl.col(END))


def _frame(table: Table, concept: pl.Expr, at: pl.Expr, kind: int, source: pl.Expr) -> list[pl.Expr]:
    """Fields that all findings have."""
    short = SHORT[table]
    visit = pl.when(at.is_between(INDEX, LEFT)).then(PERSON)
    return [
        pl.col(PERSON).alias("person_id"),
        concept.cast(pl.Int64).alias(f"{short}_concept_id"),
        *(at.alias(name) for name in DATES[table]),
        pl.lit(kind, pl.Int64).alias(f"{short}_type_concept_id"),
        visit.alias("visit_occurrence_id"),
        source.alias(f"{short}_source_value"),
    ]


def _disease(rows: pl.LazyFrame, mapping: OmopMapping) -> pl.LazyFrame:
    concept, source = pl.lit(mapping.condition.id), pl.lit(mapping.cohort)
    return rows.select(_frame(Table.CONDITION, concept, pl.col(INDEX), mapping.type_concept, source))


def _events(rows: pl.LazyFrame, column: Column, mapped: Mapped, source: str, kind: int) -> pl.LazyFrame:
    level = pl.col(column.name).cast(pl.String)
    concepts = {name: concept.id or mapped.concept.id for name, concept in mapped.levels.items()}
    concept = level.replace_strict(concepts, default=0, return_dtype=pl.Int64)
    named = pl.lit(event_source(source, "")) + level
    return rows.filter(level.is_in(list(mapped.levels))).select(
        _frame(mapped.table, concept, when(column, mapped), kind, named)
    )


def _absences(rows: pl.LazyFrame, column: Column, mapped: Mapped, source: str, kind: int) -> pl.LazyFrame:
    level = pl.col(column.name).cast(pl.String)
    shared = _frame(Table.OBSERVATION, pl.lit(mapped.concept.id), when(column, mapped), kind, pl.lit(source))
    value = _value(level=level, label=pl.lit("no"), concept=pl.lit(NO))
    return rows.filter(level.is_not_null() & ~level.is_in(list(mapped.levels))).select(*shared, *value)


def _values(rows: pl.LazyFrame, table: Table, column: Column, mapped: Mapped, source: str, kind: int) -> pl.LazyFrame:
    concept = pl.lit(mapped.concept.id)
    shared = _frame(table, concept, when(column, mapped), kind, pl.lit(source))
    unit = (mapped.unit.id, mapped.unit.code or column.unit) if column.numeric else (None, None)
    if column.numeric:
        value = _value(number=pl.col(column.name).cast(pl.Float64) * mapped.factor, unit=unit)
    elif column.kind is Kind.CATEGORY:
        level = pl.col(column.name).cast(pl.String)
        label = level.replace(dict(column.levels)).str.slice(0, LABEL_LENGTH)
        value = _value(level=level, label=label, concept=concept_of(mapped, column.name))
    else:
        text = pl.col(column.name).cast(pl.String)
        value = _value(level=text, label=text)
    if table is Table.MEASUREMENT:
        value = [expression for expression in value if expression.meta.output_name() != "value_as_string"]
    return rows.filter(pl.col(column.name).is_not_null()).select(*shared, *value)


def _value(
    *, number: pl.Expr | None = None, level: pl.Expr | None = None, label: pl.Expr | None = None,
    concept: pl.Expr | None = None, unit: tuple[int | None, str | None] = (None, None),
) -> list[pl.Expr]:  # fmt: skip
    nothing = pl.lit(None)
    return [
        (nothing if number is None else number).cast(pl.Float64).alias("value_as_number"),
        (nothing if label is None else label).cast(pl.String).alias("value_as_string"),
        (nothing if concept is None else concept).cast(pl.Int64).alias("value_as_concept_id"),
        pl.lit(unit[0], pl.Int64).alias("unit_concept_id"),
        pl.lit(unit[1], pl.String).alias("unit_source_value"),
        (nothing if level is None else level).cast(pl.String).alias("value_source_value"),
    ]


def _numbered(table: Table, parts: Sequence[pl.LazyFrame]) -> pl.DataFrame:
    key = primary_key(table)
    if not parts:
        return pl.DataFrame(schema={name: field.dtype for name, field in TABLES[table].items()})
    rows = pl.concat(parts).with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(key))
    order = [name for name in TABLES[table] if name in rows.collect_schema().names()]
    return rows.select(order).collect()
