"""Conformance: do the tables keep the form of the model and refer to what exists?

Belongs here: cdmTable, cdmField, cdmDatatype, isRequired, isPrimaryKey, isForeignKey, fkDomain, fkClass,
isStandardValidConcept. Does not belong here: how much is filled in (``completeness``).
"""

from collections.abc import Iterator

import polars as pl

from harmonisation.omop.cdm import HOLDS
from harmonisation.omop.tables import CLINICAL, TABLES, Field, primary_key
from harmonisation.quality.context import NO_FIELD, NO_TABLE, Context, Measure, Skipped
from harmonisation.quality.results import Result

NO_VOCABULARY = "there is no vocabulary: load OHDSI's concept table to have it checked"
# Class that the concepts of a field must have.
CLASSES = {("drug_era", "drug_concept_id"): "Ingredient", ("dose_era", "drug_concept_id"): "Ingredient"}


def form(context: Context) -> Iterator[Result]:
    """cdmTable, cdmField and cdmDatatype."""
    for table in CLINICAL:
        frame = context.cdm.tables.get(table)
        yield Result("cdmTable", table, violated=int(frame is None), denominator=1)
        for name, field in TABLES[table].items():
            if frame is None:
                yield from (Result(check, table, name, reason=NO_TABLE) for check in ("cdmField", "cdmDatatype"))
            else:
                yield _present(frame, table, name, field)
                yield _datatype(frame, table, name, field)


def keys(context: Context) -> Iterator[Measure | Skipped]:
    """isRequired, isPrimaryKey and isForeignKey."""
    for table, name, field in context.fields():
        value = pl.col(name)
        if field.required:
            yield Measure("isRequired", table, name, value.is_null(), _all(name), 0, needs=(name,))
        if name == primary_key(table):
            doubled = value.is_duplicated() & value.is_not_null()
            yield Measure("isPrimaryKey", table, name, doubled, _all(name), 0, needs=(name,))
        if field.references:
            yield _foreign_key(context, table, name, field.references)


def concepts(context: Context) -> Iterator[Measure | Skipped]:
    """fkDomain, fkClass and isStandardValidConcept; all need the vocabulary."""
    wanted = [(table, name, field) for table, name, field in context.fields() if field.references == "concept"]
    vocabulary = context.vocabulary
    for table, name, field in wanted:
        checks = ["fkDomain"] * bool(field.domain) + ["isStandardValidConcept"] * ("source_concept" not in name)
        if vocabulary is None:
            yield from (Skipped(check, table, name, NO_VOCABULARY) for check in checks)
            continue
        if field.domain:
            other = _lookup(name, vocabulary, pl.col("domain_id") != field.domain)
            yield Measure("fkDomain", table, name, other, _all(name), 0, needs=(name,))
        if "isStandardValidConcept" in checks:
            wrong = (pl.col("standard_concept").fill_null("") != "S") | pl.col("invalid_reason").is_not_null()
            found = _lookup(name, vocabulary, wrong)
            yield Measure("isStandardValidConcept", table, name, found, _all(name), 0, needs=(name,))
    for (table, name), wanted_class in CLASSES.items():
        if vocabulary is None:
            yield Skipped("fkClass", table, name, NO_VOCABULARY)
        else:
            other = _lookup(name, vocabulary, pl.col("concept_class_id") != wanted_class)
            yield Measure("fkClass", table, name, other, _all(name), 0, needs=(name,))


def _present(frame: pl.DataFrame, table: str, name: str, field: Field) -> Result:
    if name in frame.columns or field.required or field.primary:
        return Result("cdmField", table, name, violated=int(name not in frame.columns), denominator=1)
    return Result("cdmField", table, name, reason="an optional field that holds nothing is made with the database")


def _datatype(frame: pl.DataFrame, table: str, name: str, field: Field) -> Result:
    if name not in frame.columns:
        return Result("cdmDatatype", table, name, reason=NO_FIELD)
    if not frame.height:
        return Result("cdmDatatype", table, name, reason="there is no record to check")
    wrong = 0
    if not HOLDS[field.form](frame.schema[name]):
        wrong = frame.height
    elif field.length is not None:
        wrong = int((frame[name].cast(pl.String).str.len_chars() > field.length).sum())
    return Result("cdmDatatype", table, name, violated=wrong, denominator=frame.height)


def _foreign_key(context: Context, table: str, name: str, other: str) -> Measure | Skipped:
    if other == "concept" and context.vocabulary is None:
        return Skipped("isForeignKey", table, name, NO_VOCABULARY)
    known = context.keys(other, primary_key(other)) if other in TABLES else None
    if known is None:
        return Skipped("isForeignKey", table, name, NO_TABLE)
    stray = pl.col(name).is_not_null() & ~pl.col(name).is_in(known.implode()).fill_null(False)
    if other == "concept":
        stray &= pl.col(name) != 0  # 0 is "no matching concept"; a vocabulary may come without its row
    return Measure("isForeignKey", table, name, stray.fill_null(False), _all(name), 0, needs=(name,))


def _lookup(name: str, vocabulary: pl.DataFrame, wrong: pl.Expr) -> pl.Expr:
    """Whether the concept is among those that are ``wrong``; 0 and unknown concepts are not."""
    found = vocabulary.filter(wrong, pl.col("concept_id") != 0)["concept_id"]
    return pl.col(name).is_in(found.implode()).fill_null(False)


def _all(name: str) -> pl.Expr:
    """Every row."""
    return pl.col(name).is_null() | pl.col(name).is_not_null()
