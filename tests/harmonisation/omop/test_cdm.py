"""The form of OMOP tables: every breach is named, and no value is told."""

from datetime import date

import polars as pl
import pytest

from harmonisation.omop.cdm import Cdm
from harmonisation.omop.tables import CLINICAL
from records.errors import TableError

PERSON = pl.DataFrame(
    {"person_id": [1, 2], "gender_concept_id": 8507, "year_of_birth": 1950, "race_concept_id": 0, "ethnicity_concept_id": 0}
)  # fmt: skip


def test_empty_keeps_the_form() -> None:
    cdm = Cdm.empty().check()
    assert cdm.counts == dict.fromkeys(CLINICAL, 0)


def test_optional_columns_may_be_absent() -> None:
    assert Cdm({"person": PERSON}).check()["death"].height == 0


@pytest.mark.parametrize(
    ("table", "frame", "told"),
    [
        ("persons", PERSON, "persons must be a table of OMOP"),
        ("person", PERSON.drop("year_of_birth"), "person.year_of_birth must be present"),
        ("person", PERSON.with_columns(year=1), "person.year must be a field"),
        ("person", PERSON.with_columns(person_id=pl.lit(1)), "1 doubled rows"),
        ("person", PERSON.with_columns(year_of_birth=pl.lit("1950")), "hold integer values, got type String"),
        ("person", PERSON.with_columns(year_of_birth=pl.lit(None, pl.Int64)), "2 missing"),
        ("person", PERSON.with_columns(person_source_value=pl.lit("x" * 51)), "at most 50 characters long, got 2 longer"),
        ("death", pl.DataFrame({"person_id": [1], "death_date": ["2000-01-01"]}), "death.death_date must hold date"),
    ],
)  # fmt: skip
def test_breaches_are_named(table: str, frame: pl.DataFrame, told: str) -> None:
    with pytest.raises(TableError) as caught:
        Cdm({table: frame}).check()
    assert told in str(caught.value)


def test_all_breaches_at_once_without_a_value() -> None:
    broken = PERSON.with_columns(person_source_value=pl.lit("Secret" * 20), year_of_birth=pl.lit(None, pl.Int64))
    death = pl.DataFrame({"person_id": [1], "death_date": [date(2000, 1, 1)], "cause": ["x"]})
    with pytest.raises(TableError) as caught:
        Cdm({"person": broken, "death": death}).check()
    assert len(caught.value.problems) == 3
    assert "Secret" not in str(caught.value)
