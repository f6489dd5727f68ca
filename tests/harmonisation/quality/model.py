"""A small, faultless OMOP model with a vocabulary, made by hand."""

from datetime import date

import polars as pl

N = 40
TODAY = date(2024, 1, 1)
IDS = list(range(1, N + 1))
START, END = date(2020, 3, 1), date(2020, 3, 5)
CONCEPTS = [
    (8507, "MALE", "Gender", "Gender", "S", None), (8532, "FEMALE", "Gender", "Gender", "S", None),
    (8527, "White", "Race", "Race", "S", None), (38003564, "Not Hispanic", "Ethnicity", "Ethnicity", "S", None),
    (32809, "Case Report Form", "Type Concept", "Type Concept", "S", None),
    (9201, "Inpatient Visit", "Visit", "Visit", "S", None),
    (201826, "Type 2 diabetes", "Condition", "Clinical Finding", "S", None),
    (26662, "Testicular hypofunction", "Condition", "Clinical Finding", "S", None),
    (26663, "A kind of it", "Condition", "Clinical Finding", "S", None),
    (44833365, "Diabetes, ICD-9", "Condition", "ICD9CM", None, None),
    (999, "Withdrawn", "Condition", "Clinical Finding", "S", "D"),
    (3004249, "Systolic pressure", "Measurement", "Clinical Observation", "S", None),
    (8876, "mmHg", "Unit", "Unit", "S", None), (8840, "mg/dL", "Unit", "Unit", "S", None),
    (1124300, "diclofenac", "Drug", "Ingredient", "S", None), (40162359, "a tablet", "Drug", "Clinical Drug", "S", None),
    (4336464, "Coronary bypass", "Procedure", "Procedure", "S", None),
    (4005823, "Tobacco user", "Observation", "Clinical Finding", "S", None),
    (756265, "OMOP CDM Version 5.4.0", "Metadata", "CDM", "S", None),
]  # fmt: skip


def good() -> dict[str, pl.DataFrame]:
    """Tables by name."""
    person = pl.DataFrame({
        "person_id": IDS, "gender_concept_id": [8507, 8532] * (N // 2), "year_of_birth": [1950] * N,
        "month_of_birth": [5] * N, "day_of_birth": [17] * N, "race_concept_id": [8527] * N,
        "ethnicity_concept_id": [38003564] * N, "person_source_value": [f"p{i}" for i in IDS],
    })  # fmt: skip
    event = {"person_id": IDS, "visit_occurrence_id": IDS}
    return {
        "person": person,
        "observation_period": pl.DataFrame({
            "observation_period_id": IDS, "person_id": IDS, "observation_period_start_date": [START] * N,
            "observation_period_end_date": [END] * N, "period_type_concept_id": [32809] * N,
        }),
        "visit_occurrence": pl.DataFrame({
            "visit_occurrence_id": IDS, "person_id": IDS, "visit_concept_id": [9201] * N, "visit_start_date": [START] * N,
            "visit_end_date": [END] * N, "visit_type_concept_id": [32809] * N, "visit_source_value": ["IMP"] * N,
        }),
        "condition_occurrence": pl.DataFrame({
            "condition_occurrence_id": IDS, **event, "condition_concept_id": [201826] * N,
            "condition_start_date": [START] * N, "condition_end_date": [END] * N, "condition_type_concept_id": [32809] * N,
            "condition_source_value": ["E11"] * (N // 2) + ["E12"] * (N // 2), "condition_source_concept_id": [44833365] * N,
        }),
        "measurement": pl.DataFrame({
            "measurement_id": IDS, **event, "measurement_concept_id": [3004249] * N, "measurement_date": [START] * N,
            "measurement_type_concept_id": [32809] * N, "value_as_number": [120.0 + i for i in IDS],
            "unit_concept_id": [8876] * N, "measurement_source_value": ["LOINC:8480-6"] * N,
            "unit_source_value": ["mm[Hg]"] * N,
        }),
        "observation": pl.DataFrame({
            "observation_id": IDS, **event, "observation_concept_id": [4005823] * N, "observation_date": [START] * N,
            "observation_type_concept_id": [32809] * N, "value_as_string": ["yes"] * N,
        }),
        "drug_exposure": pl.DataFrame({
            "drug_exposure_id": IDS, **event, "drug_concept_id": [1124300] * N, "drug_exposure_start_date": [START] * N,
            "drug_exposure_end_date": [END] * N, "drug_type_concept_id": [32809] * N, "days_supply": [5] * N,
        }),
        "procedure_occurrence": pl.DataFrame({
            "procedure_occurrence_id": IDS, **event, "procedure_concept_id": [4336464] * N, "procedure_date": [START] * N,
            "procedure_end_date": [END] * N, "procedure_type_concept_id": [32809] * N,
        }),
        "death": pl.DataFrame({
            "person_id": IDS[:10], "death_date": [date(2021, 1, 1)] * 10, "death_type_concept_id": [32809] * 10,
        }),
        "cdm_source": pl.DataFrame({
            "cdm_source_name": ["Made"], "cdm_source_abbreviation": ["M"], "cdm_holder": ["nobody"],
            "source_release_date": [date(2022, 1, 1)], "cdm_release_date": [date(2022, 6, 1)],
            "cdm_version_concept_id": [756265], "vocabulary_version": ["v5.0"],
        }),
        "concept": pl.DataFrame(
            [(i, n, d, "made", c, s, str(i), date(1970, 1, 1), date(2099, 12, 31), r) for i, n, d, c, s, r in CONCEPTS],
            orient="row", schema={
                "concept_id": pl.Int64, "concept_name": pl.String, "domain_id": pl.String, "vocabulary_id": pl.String,
                "concept_class_id": pl.String, "standard_concept": pl.String, "concept_code": pl.String,
                "valid_start_date": pl.Date, "valid_end_date": pl.Date, "invalid_reason": pl.String,
            },
        ),
        "concept_ancestor": pl.DataFrame({
            "ancestor_concept_id": [26662, 26662], "descendant_concept_id": [26662, 26663],
        }),
        "condition_era": pl.DataFrame({"condition_era_id": IDS, "person_id": IDS}),
        "drug_era": pl.DataFrame({"drug_era_id": IDS, "person_id": IDS, "drug_concept_id": [1124300] * N}),
    }  # fmt: skip


def put(tables: dict[str, pl.DataFrame], table: str, rows: int, **values: object) -> dict[str, pl.DataFrame]:
    """The tables with ``values`` in the first ``rows`` rows of one table."""
    frame = tables[table]
    first = pl.int_range(pl.len()) < rows
    changed = [
        pl.when(first).then(pl.lit(value, dtype=frame.schema[name])).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    ]
    return tables | {table: frame.with_columns(changed)}
