"""The fields of the OMOP Common Data Model 5.4 as data: type, whether required, key, reference, domain, length.

Belongs here: what the standard says of the tables this project fills or reads. Does not belong here: the rows of a
database (``cdm``), their creation in SQL (``database``), or what a cohort's columns mean in it (``mapping``).

References
----------
OHDSI, OMOP Common Data Model v5.4, https://ohdsi.github.io/CommonDataModel/cdm54.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import polars as pl

VERSION = "5.4"


class Form(Enum):
    """A data type of the model, with the polars type that holds it."""

    INTEGER = pl.Int64()
    NUMBER = pl.Float64()
    TEXT = pl.String()
    DATE = pl.Date()
    DATETIME = pl.Datetime("us")


@dataclass(frozen=True)
class Field:
    """One field of a table.

    Parameters
    ----------
    form : Form
    required : bool
        Whether the model forbids NULL.
    primary : bool
        Whether it is the table's primary key.
    references : str or None
        Table whose key it holds, such as ``person`` or ``concept``.
    domain : str or None
        Domain that a standard concept in it must have.
    length : int or None
        Longest text the model allows, in characters.
    """

    form: Form
    required: bool = False
    primary: bool = False
    references: str | None = None
    domain: str | None = None
    length: int | None = None

    @property
    def dtype(self) -> pl.DataType:
        """The polars type."""
        return self.form.value


def _field(text: str) -> tuple[str, Field]:
    """``name! form -> reference @domain``: ``!`` is required, ``*`` the primary key, ``(50)`` a length."""
    head, _, domain = text.partition(" @")
    head, _, references = head.partition(" -> ")
    name, word = head.split()
    form, _, length = word.partition("(")
    primary = name.endswith("*")
    return name.rstrip("!*"), Field(
        form=Form[form.upper()],
        required=name.endswith(("!", "*")),
        primary=primary,
        references=references or None,
        domain=domain or None,
        length=int(length.rstrip(")")) if length else None,
    )


def _table(text: str) -> Mapping[str, Field]:
    return dict(_field(line.strip()) for line in text.strip().splitlines())


TABLES: Mapping[str, Mapping[str, Field]] = {
    "person": _table("""
        person_id* integer
        gender_concept_id! integer -> concept @Gender
        year_of_birth! integer
        month_of_birth integer
        day_of_birth integer
        birth_datetime datetime
        race_concept_id! integer -> concept @Race
        ethnicity_concept_id! integer -> concept @Ethnicity
        location_id integer -> location
        provider_id integer -> provider
        care_site_id integer -> care_site
        person_source_value text(50)
        gender_source_value text(50)
        gender_source_concept_id integer -> concept
        race_source_value text(50)
        race_source_concept_id integer -> concept
        ethnicity_source_value text(50)
        ethnicity_source_concept_id integer -> concept
    """),
    "observation_period": _table("""
        observation_period_id* integer
        person_id! integer -> person
        observation_period_start_date! date
        observation_period_end_date! date
        period_type_concept_id! integer -> concept @Type Concept
    """),
    "visit_occurrence": _table("""
        visit_occurrence_id* integer
        person_id! integer -> person
        visit_concept_id! integer -> concept @Visit
        visit_start_date! date
        visit_start_datetime datetime
        visit_end_date! date
        visit_end_datetime datetime
        visit_type_concept_id! integer -> concept @Type Concept
        provider_id integer -> provider
        care_site_id integer -> care_site
        visit_source_value text(50)
        visit_source_concept_id integer -> concept
        admitted_from_concept_id integer -> concept @Visit
        admitted_from_source_value text(50)
        discharged_to_concept_id integer -> concept @Visit
        discharged_to_source_value text(50)
        preceding_visit_occurrence_id integer -> visit_occurrence
    """),
    "condition_occurrence": _table("""
        condition_occurrence_id* integer
        person_id! integer -> person
        condition_concept_id! integer -> concept @Condition
        condition_start_date! date
        condition_start_datetime datetime
        condition_end_date date
        condition_end_datetime datetime
        condition_type_concept_id! integer -> concept @Type Concept
        condition_status_concept_id integer -> concept @Condition Status
        stop_reason text(20)
        provider_id integer -> provider
        visit_occurrence_id integer -> visit_occurrence
        visit_detail_id integer -> visit_detail
        condition_source_value text(50)
        condition_source_concept_id integer -> concept
        condition_status_source_value text(50)
    """),
    "measurement": _table("""
        measurement_id* integer
        person_id! integer -> person
        measurement_concept_id! integer -> concept @Measurement
        measurement_date! date
        measurement_datetime datetime
        measurement_time text(10)
        measurement_type_concept_id! integer -> concept @Type Concept
        operator_concept_id integer -> concept
        value_as_number number
        value_as_concept_id integer -> concept
        unit_concept_id integer -> concept @Unit
        range_low number
        range_high number
        provider_id integer -> provider
        visit_occurrence_id integer -> visit_occurrence
        visit_detail_id integer -> visit_detail
        measurement_source_value text(50)
        measurement_source_concept_id integer -> concept
        unit_source_value text(50)
        unit_source_concept_id integer -> concept
        value_source_value text(50)
        measurement_event_id integer
        meas_event_field_concept_id integer -> concept
    """),
    "observation": _table("""
        observation_id* integer
        person_id! integer -> person
        observation_concept_id! integer -> concept
        observation_date! date
        observation_datetime datetime
        observation_type_concept_id! integer -> concept @Type Concept
        value_as_number number
        value_as_string text(60)
        value_as_concept_id integer -> concept
        qualifier_concept_id integer -> concept
        unit_concept_id integer -> concept @Unit
        provider_id integer -> provider
        visit_occurrence_id integer -> visit_occurrence
        visit_detail_id integer -> visit_detail
        observation_source_value text(50)
        observation_source_concept_id integer -> concept
        unit_source_value text(50)
        qualifier_source_value text(50)
        value_source_value text(50)
        observation_event_id integer
        obs_event_field_concept_id integer -> concept
    """),
    "drug_exposure": _table("""
        drug_exposure_id* integer
        person_id! integer -> person
        drug_concept_id! integer -> concept @Drug
        drug_exposure_start_date! date
        drug_exposure_start_datetime datetime
        drug_exposure_end_date! date
        drug_exposure_end_datetime datetime
        verbatim_end_date date
        drug_type_concept_id! integer -> concept @Type Concept
        stop_reason text(20)
        refills integer
        quantity number
        days_supply integer
        sig text
        route_concept_id integer -> concept @Route
        lot_number text(50)
        provider_id integer -> provider
        visit_occurrence_id integer -> visit_occurrence
        visit_detail_id integer -> visit_detail
        drug_source_value text(50)
        drug_source_concept_id integer -> concept
        route_source_value text(50)
        dose_unit_source_value text(50)
    """),
    "procedure_occurrence": _table("""
        procedure_occurrence_id* integer
        person_id! integer -> person
        procedure_concept_id! integer -> concept @Procedure
        procedure_date! date
        procedure_datetime datetime
        procedure_end_date date
        procedure_end_datetime datetime
        procedure_type_concept_id! integer -> concept @Type Concept
        modifier_concept_id integer -> concept
        quantity integer
        provider_id integer -> provider
        visit_occurrence_id integer -> visit_occurrence
        visit_detail_id integer -> visit_detail
        procedure_source_value text(50)
        procedure_source_concept_id integer -> concept
        modifier_source_value text(50)
    """),
    "death": _table("""
        person_id* integer -> person
        death_date! date
        death_datetime datetime
        death_type_concept_id integer -> concept @Type Concept
        cause_concept_id integer -> concept
        cause_source_value text(50)
        cause_source_concept_id integer -> concept
    """),
    "cdm_source": _table("""
        cdm_source_name* text(255)
        cdm_source_abbreviation! text(25)
        cdm_holder! text(255)
        source_description text
        source_documentation_reference text(255)
        cdm_etl_reference text(255)
        source_release_date! date
        cdm_release_date! date
        cdm_version text(10)
        cdm_version_concept_id! integer -> concept
        vocabulary_version! text(20)
    """),
    "concept": _table("""
        concept_id* integer
        concept_name! text(255)
        domain_id! text(20) -> domain
        vocabulary_id! text(20) -> vocabulary
        concept_class_id! text(20) -> concept_class
        standard_concept text(1)
        concept_code! text(50)
        valid_start_date! date
        valid_end_date! date
        invalid_reason text(1)
    """),
    "vocabulary": _table("""
        vocabulary_id* text(20)
        vocabulary_name! text(255)
        vocabulary_reference text(255)
        vocabulary_version text(255)
        vocabulary_concept_id! integer -> concept
    """),
}
VOCABULARIES = ("concept", "vocabulary")
CLINICAL = tuple(name for name in TABLES if name not in VOCABULARIES)


def primary_key(table: str) -> str:
    """Name of the table's primary key."""
    return next(name for name, field in TABLES[table].items() if field.primary)


def empty(table: str) -> pl.DataFrame:
    """The table with all its columns and no row."""
    return pl.DataFrame(schema={name: field.dtype for name, field in TABLES[table].items()})
