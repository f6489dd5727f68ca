"""OMOP: every value of the table is there once, with its code and unit, and what is missing is not."""

import io

import polars as pl
import pytest

from hub.repository.omop import tables as omop
from records.schema import Column, Kind, Role, Schema

YES = {"0": "no", "1": "yes"}
SCHEMA = Schema(
    name="made",
    title="Made",
    columns=(
        Column(name="patient_id", label="Patient", role=Role.IDENTIFIER, kind=Kind.TEXT),
        Column(name="age", label="Age", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, minimum=18, maximum=90, unit="a",
               codes={"LOINC": "30525-0"}, missing=True),
        Column(name="sex", label="Sex", role=Role.QUASI_IDENTIFIER, kind=Kind.CATEGORY,
               levels={"female": "Female", "male": "Male", "unknown": "Unknown"}, codes={"LOINC": "76689-9"}),
        Column(name="systolic", label="Systolic pressure", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=0, maximum=300,
               unit="mm[Hg]", codes={"LOINC": "8480-6"}, missing=True),
        Column(name="visits", label="Visits", role=Role.COVARIATE, kind=Kind.INTEGER, minimum=0, maximum=9),
        Column(name="diabetes", label="Diabetes", role=Role.COVARIATE, kind=Kind.CATEGORY, levels=YES,
               codes={"SNOMED": "73211009"}, missing=True),
    ),
)  # fmt: skip
FRAME = pl.DataFrame(
    {
        "age": [70, None, 55], "sex": ["female", "male", "unknown"], "systolic": [140.5, None, 120.0],
        "visits": [0, 1, 2], "diabetes": ["1", "0", None],
    }
)  # fmt: skip


def read(data: bytes) -> pl.DataFrame:
    return pl.read_csv(io.BytesIO(data), infer_schema=False)


def test_omop_persons() -> None:
    persons = read(omop(FRAME, SCHEMA)["omop/person.csv"])
    assert persons["gender_concept_id"].to_list() == ["8532", "8507", "0"]
    assert persons["year_of_birth"].to_list() == ["1930", "2000", "1945"]
    assert persons["person_source_value"][0] == "synthetic-1"


def test_omop_values() -> None:
    made = omop(FRAME, SCHEMA)
    measured, observed = read(made["omop/measurement.csv"]), read(made["omop/observation.csv"])
    pressures = measured.filter(pl.col("measurement_source_value") == "LOINC:8480-6")
    assert pressures["value_as_number"].cast(pl.Float64).to_list() == [140.5, 120.0]
    assert set(pressures["unit_source_value"]) == {"mm[Hg]"}
    assert measured.filter(pl.col("measurement_source_value") == "visits").height == 3
    assert observed.select("person_id", "value_as_string", "value_source_value").rows() == [
        ("1", "yes", "1"),
        ("2", "no", "0"),
    ]
    assert measured["measurement_id"].to_list() == [str(n) for n in range(1, 6)]
    assert set(observed["observation_source_value"]) == {"SNOMED:73211009"}


@pytest.mark.parametrize("columns", [["visits"], ["age", "sex"], ["diabetes"], ["sex"]])
def test_a_choice_of_columns_is_enough(columns: list[str]) -> None:
    chosen, schema = FRAME.select(columns), SCHEMA.select(columns)
    assert read(omop(chosen, schema)["omop/person.csv"]).height == 3


def test_real_codebooks_fit() -> None:
    """Every cohort's levels and kinds have a place."""
    from use_cases.registry import discover

    for use_case in discover().values():
        for cohort in use_case.cohorts:
            schema = cohort.table
            rows = {c.name: pl.Series([next(iter(c.levels), None) or c.minimum or c.earliest], dtype=c.dtype, strict=False)
                    for c in schema.columns}  # fmt: skip
            frame = pl.DataFrame(rows)
            assert omop(frame, schema)["omop/person.csv"]
