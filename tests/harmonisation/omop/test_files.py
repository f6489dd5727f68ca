"""CSV files of a released table: every value is there once, under the codes that the codebook gives."""

import io

import polars as pl
import pytest

from deidentification.schema import released_schema
from harmonisation.omop.files import omop_files
from use_cases.cohort import Cohort
from use_cases.omop import omop_mapping
from use_cases.registry import discover

COHORTS = [cohort for use_case in discover().values() for cohort in use_case.cohorts]


def read(data: bytes) -> pl.DataFrame:
    return pl.read_csv(io.BytesIO(data), infer_schema_length=None)


def one_row(cohort: Cohort) -> pl.DataFrame:
    return pl.DataFrame(
        {c.name: pl.Series([next(iter(c.levels), None) or c.minimum or 0], dtype=c.dtype, strict=False)
         for c in released_schema(cohort.table).columns}
    )  # fmt: skip


@pytest.mark.parametrize("cohort", COHORTS, ids=lambda cohort: cohort.name)
def test_released_tables_of_all_cohorts_fit(cohort: Cohort) -> None:
    files = omop_files(one_row(cohort), released_schema(cohort.table), omop_mapping(cohort))
    person = read(files["omop/person.csv"])
    assert person["person_source_value"].to_list() == [f"{cohort.name}-1"]
    assert read(files["omop/cdm_source.csv"])["cdm_version"].item() in (5.4, "5.4")
    facts = sum(
        read(files[f"omop/{name}.csv"]).height for name in ("measurement", "observation") if f"omop/{name}.csv" in files
    )
    assert facts >= 5
    assert "omop/drug_exposure.csv" not in files or cohort.name != "copenhagen"


@pytest.mark.parametrize("columns", [["systolic"], ["age", "sex"], ["diabetes"], ["sex"]])
def test_a_choice_of_columns_is_enough(columns: list[str]) -> None:
    cohort = discover()["stroke"].cohort("smart_cerebrovascular")
    schema = released_schema(cohort.table).select(columns)
    files = omop_files(one_row(cohort).select(columns), schema, omop_mapping(cohort))
    assert read(files["omop/person.csv"]).height == 1


def test_without_follow_up_nobody_has_a_day_of_death() -> None:
    """Without it a death would fall on the index date."""
    cohort = discover()["lung"].cohort("support2_lung")
    for columns, dated in ((["age", "event"], False), (["age", "time", "event"], True)):
        schema = released_schema(cohort.table).select(columns)
        dead = one_row(cohort).select(columns).with_columns(event=pl.lit("1", schema["event"].dtype))
        files = omop_files(dead, schema, omop_mapping(cohort))
        assert ("omop/death.csv" in files) == dated
        if not dated:
            assert "event=1" in read(files["omop/condition_occurrence.csv"])["condition_source_value"].to_list()


def test_codes_and_type_of_a_measurement() -> None:
    cohort = discover()["stroke"].cohort("smart_cerebrovascular")
    files = omop_files(one_row(cohort), released_schema(cohort.table), omop_mapping(cohort))
    pressure = read(files["omop/measurement.csv"]).filter(pl.col("measurement_source_value") == "LOINC:8480-6")
    wanted = ("value_as_number", "unit_source_value", "measurement_type_concept_id", "measurement_concept_id")
    assert pressure.select(wanted).row(0) == (60.0, "mm[Hg]", 32880, 3004249)
