"""A released table as files of the OMOP Common Data Model.

Belongs here: the mapping. Does not belong here: looking up concept ids, which needs the licensed vocabularies: concepts
are 0 ("no matching concept", as the model asks) and the code stands in ``*_source_value``, from which a site with the
vocabularies maps it. Numbers become measurements, levels and dates observations; all lie on one index day.

References
----------
OMOP CDM v5.4 (OHDSI): PERSON, MEASUREMENT, OBSERVATION, required fields. Concepts 8507 (male), 8532 (female), 32880
(standard algorithm: how these records came about).
"""

import io
from collections.abc import Sequence

import polars as pl

from hub.repository.coding import (
    INDEX_DAY,
    age_column,
    birth_year,
    findings,
    sex_column,
    sex_of,
    source_code,
)
from records.schema import Column, Schema

SEX_CONCEPTS = {"female": 8532, "male": 8507}
UNMAPPED, ALGORITHM = 0, 32880
PERSON = ("person_id", "gender_concept_id", "year_of_birth", "race_concept_id", "ethnicity_concept_id",
          "person_source_value", "gender_source_value")  # fmt: skip
MEASUREMENT = ("measurement_id", "person_id", "measurement_concept_id", "measurement_date",
               "measurement_type_concept_id", "value_as_number", "unit_concept_id", "measurement_source_value",
               "unit_source_value", "value_source_value")  # fmt: skip
OBSERVATION = ("observation_id", "person_id", "observation_concept_id", "observation_date",
               "observation_type_concept_id", "value_as_string", "observation_source_value",
               "value_source_value")  # fmt: skip


def tables(frame: pl.DataFrame, schema: Schema) -> dict[str, bytes]:
    """``omop/person.csv``, ``omop/measurement.csv`` and ``omop/observation.csv``; person ids are row numbers."""
    numbered = frame.with_columns(pl.int_range(1, frame.height + 1).alias("person_id"))
    columns = [column for column in findings(schema) if column.name in frame.columns]
    measured = [_measurement(numbered, column) for column in columns if column.numeric]
    observed = [_observation(numbered, column) for column in columns if not column.numeric]
    return {
        "omop/person.csv": _written([_persons(numbered, schema)], PERSON, None),
        "omop/measurement.csv": _written(measured, MEASUREMENT, "measurement_id"),
        "omop/observation.csv": _written(observed, OBSERVATION, "observation_id"),
    }


def _persons(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    age, sex = age_column(schema), sex_column(schema)
    ages = frame[age.name].to_list() if age is not None else [None] * frame.height
    levels = frame[sex.name].to_list() if sex is not None else [None] * frame.height
    found = [sex_of(sex, level) if sex is not None else None for level in levels]
    return pl.DataFrame(
        {
            "person_id": frame["person_id"],
            "gender_concept_id": [SEX_CONCEPTS.get(one or "", UNMAPPED) for one in found],
            # Required by the model; an unknown age gives the index year, which a reader finds as age 0.
            "year_of_birth": [birth_year(one) or INDEX_DAY.year for one in ages],
            "race_concept_id": UNMAPPED,
            "ethnicity_concept_id": UNMAPPED,
            "person_source_value": [f"synthetic-{number}" for number in frame["person_id"]],
            "gender_source_value": pl.Series(levels, dtype=pl.String, strict=False),
        }
    )


def _measurement(frame: pl.DataFrame, column: Column) -> pl.DataFrame:
    value = pl.col(column.name)
    return frame.filter(value.is_not_null()).select(
        "person_id",
        measurement_concept_id=pl.lit(UNMAPPED),
        measurement_date=pl.lit(INDEX_DAY),
        measurement_type_concept_id=pl.lit(ALGORITHM),
        value_as_number=value.cast(pl.Float64),
        unit_concept_id=pl.lit(UNMAPPED),
        measurement_source_value=pl.lit(source_code(column)),
        unit_source_value=pl.lit(column.unit, dtype=pl.String),
        value_source_value=value.cast(pl.String),
    )


def _observation(frame: pl.DataFrame, column: Column) -> pl.DataFrame:
    value = pl.col(column.name).cast(pl.String)
    return frame.filter(value.is_not_null()).select(
        "person_id",
        observation_concept_id=pl.lit(UNMAPPED),
        observation_date=pl.lit(INDEX_DAY),
        observation_type_concept_id=pl.lit(ALGORITHM),
        value_as_string=value.replace(dict(column.levels)) if column.levels else value,
        observation_source_value=pl.lit(source_code(column)),
        value_source_value=value,
    )


def _written(parts: Sequence[pl.DataFrame], fields: Sequence[str], counter: str | None) -> bytes:
    if parts:
        whole = pl.concat(parts)
    else:
        whole = pl.DataFrame(schema={field: pl.String for field in fields if field != counter})
    if counter is not None:
        whole = whole.sort("person_id", maintain_order=True).with_columns(
            pl.int_range(1, whole.height + 1).alias(counter)
        )
    target = io.BytesIO()
    whole.select(fields).write_csv(target)
    return target.getvalue()
