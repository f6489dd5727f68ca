"""Two tables that belong together: every breach is counted, all in one error, and no value is shown."""

import polars as pl
import pytest
from pydantic import ValidationError

from records.errors import TableError
from records.longitudinal import LongitudinalSchema, Records
from records.longitudinal_validation import validate_records
from use_cases.longitudinal_cohort import longitudinal_cohort

COHORT = longitudinal_cohort("pbcseq")
SCHEMA = COHORT.records


@pytest.fixture(scope="module")
def records() -> Records:
    return COHORT.load()


def broken(records: Records, **changes: pl.Expr | pl.DataFrame) -> str:
    tables = {name: getattr(records, name) for name in ("patients", "visits")}
    for name, change in changes.items():
        tables[name] = tables[name].with_columns(change) if isinstance(change, pl.Expr) else change
    with pytest.raises(TableError) as caught:
        validate_records(Records(**tables), SCHEMA, source="clinic")
    return str(caught.value)


def test_valid_records_come_back_in_order(records: Records) -> None:
    shuffled = Records(records.patients, records.visits.sample(fraction=1.0, shuffle=True, seed=1))
    found = validate_records(shuffled, SCHEMA, source="clinic")
    assert found.visits.equals(records.visits)


def test_all_problems_of_both_tables_come_in_one_error(records: Records) -> None:
    late = pl.when(pl.int_range(pl.len()) == 5).then(5400).otherwise(pl.col("day")).alias("day")
    visits = records.visits.with_columns(late, pl.lit(99.0).alias("bilirubin"))
    message = broken(records, patients=records.patients[1:].with_columns(pl.lit("z").alias("sex")), visits=visits)
    for words in ("pbcseq_patients: sex", "pbcseq_visits: bilirubin", "2 visits without one", "1 visits after it"):
        assert words in message
    assert "99" not in message
    assert "5400" not in message


def test_visits_are_tied_to_patients(records: Records) -> None:
    assert "1 further visits" in broken(records, visits=pl.concat([records.visits, records.visits[:1]]))
    assert "2 without" in broken(records, visits=records.visits[3:][4:])
    assert "-1" not in broken(records, visits=pl.col("day") - 1)
    assert "no such column" in broken(records, visits=records.visits.drop("patient_id"))
    assert "no such column" in broken(records, patients=records.patients.drop("follow_up"))


def test_some_patients_can_be_taken(records: Records) -> None:
    some = records.of("patient_id", records.patients["patient_id"][:3])
    assert some.patients.height == 3
    assert set(some.visits["patient_id"]) == set(some.patients["patient_id"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"treatment": "surgery"}, "must have the columns surgery"),
        ({"leading": ("day",)}, "led by measurements"),
        ({"most_visits": 1}, "most_visits"),
        ({"patients": SCHEMA.patients.select({"patient_id", "treatment"})}, "time and an event"),
    ],
)
def test_inconsistent_schemas_are_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        LongitudinalSchema(**(dict(SCHEMA) | change))
