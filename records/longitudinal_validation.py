"""Checking the two tables of longitudinal records together: all problems in one error, never a row value.

Belongs here: both tables against their schemas, and the rules that tie visits to patients. Does not belong here: one
table alone (``validation``), or mending either.
"""

from collections.abc import Iterator

import polars as pl

from records.errors import Problem, TableError
from records.longitudinal import LongitudinalSchema, Records
from records.schema import Schema
from records.validation import MEND_ROWS, validate


def validate_records(records: Records, schema: LongitudinalSchema, *, source: str) -> Records:
    """The records in schema form; visits stand in the order of patients and days.

    Raises
    ------
    TableError
        With *all* problems of both tables: what ``records.validation.validate`` finds in each, visits without a
        patient, patients without a visit on day 0, visits after the end of follow-up, two visits on one day.
    """
    patients, problems = _checked(records.patients, schema.patients, source)
    measured = schema.visits.select(set(schema.visits.names) - {schema.patient_id})
    visits, found = _checked(records.visits, measured, source)
    problems += [*found, *_linking_problems(records, schema)]
    if problems:
        raise TableError(source, problems)
    linked = records.visits.select(pl.col(schema.patient_id).cast(pl.String))
    order = patients.select(schema.patient_id).with_row_index("order")
    whole = pl.concat([linked, visits], how="horizontal").select(schema.visits.names)
    ordered = whole.join(order, on=schema.patient_id).sort("order", schema.day).drop("order")
    return Records(patients, ordered)


def _checked(frame: pl.DataFrame, schema: Schema, source: str) -> tuple[pl.DataFrame, list[Problem]]:
    try:
        return validate(frame, schema, source=source), []
    except TableError as error:
        return frame, [Problem(f"{schema.name}: {p.column}", p.rule, p.got, p.remedy) for p in error.problems]


def _linking_problems(records: Records, schema: LongitudinalSchema) -> Iterator[Problem]:
    """Problems that need both tables; none if a column they need is missing, which is a problem already."""
    key, day, end = schema.patient_id, schema.day, schema.follow_up.name
    if key not in records.visits.columns:
        yield Problem(f"{schema.visits.name}: {key}", "be in the table", "no such column", "add it")
        return
    if not {key, end} <= set(records.patients.columns) or day not in records.visits.columns:
        return
    ends = records.patients.select(pl.col(key).cast(pl.String), pl.col(end).cast(pl.Float64, strict=False))
    visits = records.visits.select(pl.col(key).cast(pl.String), pl.col(day).cast(pl.Float64, strict=False))
    if lost := visits.join(ends, on=key, how="anti").height:
        yield Problem("each visit", "have a patient", f"{lost} visits without one", "add the patients")
    if late := visits.join(ends.unique(key), on=key).filter(pl.col(day) > pl.col(end)).height:
        yield Problem("each visit", f"be no later than {end}", f"{late} visits after it", MEND_ROWS)
    if twice := visits.height - visits.n_unique():
        yield Problem("each patient", "have one visit a day", f"{twice} further visits", "bring each day to one row")
    first = visits.group_by(key).agg(pl.col(day).min())
    if unseen := ends.join(first.filter(pl.col(day) == 0), on=key, how="anti").height:
        yield Problem("each patient", "have a first visit on day 0", f"{unseen} without", "count days from it")
