"""Completeness: is everybody there, and how much is known and mapped?

Belongs here: measurePersonCompleteness, measureConditionEraCompleteness, measureValueCompleteness,
standardConceptRecordCompleteness, sourceConceptRecordCompleteness, sourceValueCompleteness. Does not belong here:
whether a value is right (``plausibility``). Values that the model requires are left to ``isRequired``.
"""

from collections.abc import Iterator

import polars as pl

from harmonisation.omop.tables import CLINICAL, TABLES
from harmonisation.quality.context import NO_TABLE, Context, Measure, Skipped

ANY = 100.0
UNMAPPED, UNMAPPED_SOURCE = 5.0, 10.0
# The standard concept of an event, and highest percentage of persons without a record, as the dashboard has them.
MAIN = {
    "visit_occurrence": "visit", "condition_occurrence": "condition", "measurement": "measurement",
    "observation": "observation", "drug_exposure": "drug", "procedure_occurrence": "procedure",
}  # fmt: skip
WITHOUT = {"observation_period": 0.0, "death": ANY} | dict.fromkeys(MAIN, 95.0)


def people(context: Context) -> Iterator[Measure | Skipped]:
    """measurePersonCompleteness and measureConditionEraCompleteness."""
    person = pl.col("person_id")
    for table, threshold in WITHOUT.items():
        present = context.keys(table, "person_id")
        if present is None or not present.len():
            yield Skipped("measurePersonCompleteness", table, None, "a table it needs is empty or not there")
            continue
        missing = ~person.is_in(present.implode()).fill_null(False)
        yield Measure("measurePersonCompleteness", table, None, missing, person.is_not_null(), threshold,
                      over="person", needs=("person_id",))  # fmt: skip
    yield _eras(context)


def values(context: Context) -> Iterator[Measure | Skipped]:
    """measureValueCompleteness of every optional field."""
    for table, name, field in context.fields():
        if not field.required and not field.primary:
            value = pl.col(name)
            every = value.is_null() | value.is_not_null()
            yield Measure("measureValueCompleteness", table, name, value.is_null(), every, ANY, needs=(name,))


def mapped(context: Context) -> Iterator[Measure | Skipped]:
    """standardConceptRecordCompleteness, sourceConceptRecordCompleteness and sourceValueCompleteness."""
    for table in CLINICAL:
        for name in TABLES[table]:
            if name.endswith("_source_concept_id"):
                yield _zero("sourceConceptRecordCompleteness", table, name, UNMAPPED_SOURCE)
            elif name.endswith("_concept_id"):
                yield _zero("standardConceptRecordCompleteness", table, name, _threshold(table, name))
            elif name.endswith("_source_value") and (concept := _concept_of(table, name)):
                yield _source_value(table, name, concept)


def _eras(context: Context) -> Measure | Skipped:
    check, table = "measureConditionEraCompleteness", "condition_era"
    having, eras = context.keys("condition_occurrence", "person_id"), context.keys(table, "person_id")
    if having is None or not having.len():
        return Skipped(check, table, None, "a table it needs is empty or not there")
    if eras is None:
        return Skipped(check, table, None, NO_TABLE)
    person = pl.col("person_id")
    missing = ~person.is_in(eras.implode()).fill_null(False)
    among = person.is_in(having.implode()).fill_null(False)
    return Measure(check, table, None, missing, among, 0, over="person", needs=("person_id",))


def _zero(check: str, table: str, name: str, threshold: float) -> Measure:
    among, needs = pl.col(name).is_not_null(), (name,)
    if name == "unit_concept_id":
        among, needs = among & pl.col("value_as_number").is_not_null(), (name, "value_as_number")
    return Measure(check, table, name, (pl.col(name) == 0).fill_null(False), among, threshold, needs=needs)


def _threshold(table: str, name: str) -> float:
    if name == f"{MAIN.get(table)}_concept_id" or name == "unit_concept_id":
        return UNMAPPED
    return 0.0 if name.endswith("_type_concept_id") else ANY


def _source_value(table: str, name: str, concept: str) -> Measure:
    """Distinct source values: each is counted at its first row."""
    value = pl.col(name)
    zero = (pl.col(concept) == 0).fill_null(False).any().over(value)
    threshold = UNMAPPED_SOURCE if concept == f"{MAIN.get(table)}_concept_id" else ANY
    among = value.is_first_distinct() & value.is_not_null()
    return Measure("sourceValueCompleteness", table, name, zero, among, threshold, needs=(name, concept))


def _concept_of(table: str, name: str) -> str | None:
    concept = name.replace("_source_value", "_concept_id")
    return concept if concept in TABLES[table] else None
