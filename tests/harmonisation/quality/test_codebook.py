"""A cohort's table checked by its codebook: the real ones pass, each planted defect is found by its check alone."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from harmonisation.quality.codebook import check_cohort
from use_cases.registry import discover

COHORTS = [cohort for use_case in discover().values() for cohort in use_case.cohorts if cohort.source.bundled]
SMART = next(c for c in COHORTS if c.name == "smart_cerebrovascular")
Spoil = Callable[[pl.DataFrame], pl.DataFrame]


def first(name: str, value: Any, rows: int = 1) -> Spoil:
    return lambda f: f.with_columns(
        pl.when(pl.int_range(pl.len()) < rows).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
    )


DEFECTS: list[tuple[str, Spoil]] = [
    ("cdmField", lambda f: f.drop("homocysteine")),
    ("cdmDatatype", first("age", "old")),
    ("cdmDatatype", first("age", "70.5")),
    ("isRequired", first("bmi", None)),
    ("isPrimaryKey", lambda f: first("patient_id", f["patient_id"][5])(f)),
    ("fkDomain", first("smoking", "4")),
    ("plausibleValueLow", first("creatinine", "-1", rows=30)),
    ("plausibleValueHigh", first("creatinine", "2001", rows=30)),
    ("codebookConstraint", first("diastolic", "179")),
]


@pytest.mark.parametrize("cohort", COHORTS, ids=lambda cohort: cohort.name)
def test_real_cohorts_pass(cohort: Any) -> None:
    assert check_cohort(cohort.load(), cohort.table).failed() == []


@pytest.mark.parametrize(("name", "spoil"), DEFECTS, ids=[name for name, _ in DEFECTS])
def test_a_defect_is_found_by_its_check_alone(name: str, spoil: Spoil) -> None:
    text = SMART.load().cast(pl.String)
    failed = check_cohort(spoil(text), SMART.table).failed()
    assert {one.check for one in failed} == {name}
    assert len(failed) == 1


def test_missing_values_are_counted() -> None:
    frame = SMART.load()
    counted = {r.field: r.violated for r in check_cohort(frame, SMART.table) if r.check == "measureValueCompleteness"}
    assert counted == {c.name: frame[c.name].null_count() for c in SMART.table.columns if c.missing}


def test_an_empty_table_has_nothing_to_check() -> None:
    results = check_cohort(SMART.load().clear(), SMART.table)
    assert {r.check for r in results if r.applies} == {"cdmField"}
