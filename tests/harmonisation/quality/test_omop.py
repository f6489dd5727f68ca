"""Each planted defect is found by exactly its check; a faultless model passes all."""

from collections.abc import Callable
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmonisation.omop.cdm import Cdm
from harmonisation.omop.export import to_cdm
from harmonisation.quality.concepts import ConceptRule
from harmonisation.quality.omop import check_cdm
from harmonisation.quality.types import DQD
from tests.harmonisation.quality.model import TODAY, N, good, put
from use_cases.omop import omop_mapping
from use_cases.registry import discover

pytestmark = pytest.mark.slow

Tables = dict[str, pl.DataFrame]
RULES = [ConceptRule("measurement", "LOINC:8480-6", 60, 280, 8876, "mm[Hg]")]
VALUES = {("measureValueCompleteness", "measurement", "value_as_number"): 5.0}
SPARSE = {("measurePersonCompleteness", "observation", None): 10.0}


def drop(table: str, *fields: str) -> Callable[[Tables], Tables]:
    return lambda t: t | {table: t[table].drop(*fields)}


def without(table: str) -> Callable[[Tables], Tables]:
    return lambda t: {name: frame for name, frame in t.items() if name != table}


def set_(table: str, rows: int, **values: object) -> Callable[[Tables], Tables]:
    return lambda t: put(t, table, rows, **values)


def text(table: str, field: str) -> Callable[[Tables], Tables]:
    return lambda t: t | {table: t[table].with_columns(pl.col(field).cast(pl.String))}


def head(table: str, rows: int) -> Callable[[Tables], Tables]:
    return lambda t: t | {table: t[table].head(rows)}


def overlapping(t: Tables) -> Tables:
    periods = t["observation_period"]
    again = periods.head(1).with_columns(observation_period_id=pl.lit(N + 1, pl.Int64))
    return t | {"observation_period": pl.concat([periods, again])}


def far_period(t: Tables) -> Tables:
    """Of somebody who has not died."""
    far = pl.when(pl.col("person_id") == N).then(date(2024, 1, 3)).otherwise("observation_period_end_date")
    return t | {"observation_period": t["observation_period"].with_columns(observation_period_end_date=far)}


LATE = date(2021, 6, 1)
DEFECTS: list[tuple[str, Callable[[Tables], Tables], str, int, int]] = [
    ("cdmTable", without("procedure_occurrence"), "procedure_occurrence", 1, 1),
    ("cdmField", drop("person", "race_concept_id"), "person", 1, 1),
    ("cdmDatatype", text("drug_exposure", "days_supply"), "drug_exposure", N, N),
    ("cdmDatatype", set_("condition_occurrence", 1, condition_source_value="x" * 51), "condition_occurrence", 1, N),
    ("isRequired", set_("measurement", 1, measurement_date=None), "measurement", 1, N),
    ("isPrimaryKey", set_("measurement", 1, measurement_id=2), "measurement", 2, N),
    ("isForeignKey", set_("measurement", 1, person_id=9999), "measurement", 1, N),
    ("isForeignKey", set_("measurement", 1, measurement_concept_id=123), "measurement", 1, N),
    ("fkDomain", set_("condition_occurrence", 1, condition_concept_id=4336464), "condition_occurrence", 1, N),
    ("fkClass", set_("drug_era", 1, drug_concept_id=40162359), "drug_era", 1, N),
    ("isStandardValidConcept", set_("condition_occurrence", 1, condition_concept_id=44833365), "condition_occurrence", 1, N),
    ("isStandardValidConcept", set_("condition_occurrence", 1, condition_concept_id=999), "condition_occurrence", 1, N),
    ("measurePersonCompleteness", head("observation", N // 2), "observation", N // 2, N),
    ("measureConditionEraCompleteness", head("condition_era", N - 1), "condition_era", 1, N),
    ("measureValueCompleteness", set_("measurement", 3, value_as_number=None), "measurement", 3, N),
    ("standardConceptRecordCompleteness", set_("observation", 3, observation_concept_id=0), "observation", 3, N),
    ("sourceConceptRecordCompleteness",
     set_("condition_occurrence", 5, condition_source_concept_id=0), "condition_occurrence", 5, N),
    ("sourceValueCompleteness",
     set_("condition_occurrence", 1, condition_concept_id=0, condition_source_value="E13"), "condition_occurrence", 1, 3),
    ("measureObservationPeriodOverlap", overlapping, "observation_period", 1, N + 1),
    ("plausibleValueLow", set_("person", 1, year_of_birth=1849), "person", 1, N),
    ("plausibleValueLow", set_("measurement", 1, value_as_number=59.0), "measurement", 1, N),
    ("plausibleValueLow", set_("drug_exposure", 1, days_supply=0), "drug_exposure", 1, N),
    ("plausibleValueHigh", set_("measurement", 1, value_as_number=281.0), "measurement", 1, N),
    ("plausibleValueHigh", far_period, "observation_period", 1, N),
    ("plausibleTemporalAfter", set_("cdm_source", 1, cdm_release_date=date(2021, 6, 1)), "cdm_source", 1, 1),
    ("plausibleDuringLife", set_("condition_occurrence", 1, condition_end_date=LATE), "condition_occurrence", 1, 10),
    ("withinVisitDates", set_("procedure_occurrence", 3, procedure_date=date(2020, 2, 1)), "procedure_occurrence", 3, N),
    ("plausibleAfterBirth",
     set_("observation", 1, observation_date=date(1950, 5, 16), visit_occurrence_id=None), "observation", 1, N),
    ("plausibleBeforeDeath", set_("observation", 1, observation_date=LATE, visit_occurrence_id=None), "observation", 1, 10),
    ("plausibleStartBeforeEnd", set_("drug_exposure", 1, drug_exposure_end_date=date(2020, 2, 28)), "drug_exposure", 1, N),
    ("plausibleGender",
     lambda t: put(t, "condition_occurrence", 2, condition_concept_id=26662), "condition_occurrence", 1, 2),
    ("plausibleGenderUseDescendants",
     lambda t: put(t, "condition_occurrence", 2, condition_concept_id=26663), "condition_occurrence", 1, 2),
    ("plausibleUnitConceptIds", set_("measurement", 3, unit_concept_id=8840), "measurement", 3, N),
]  # fmt: skip


def check(tables: Tables, **more: object):
    return check_cdm(Cdm(tables), source="made", today=TODAY, rules=RULES, thresholds=VALUES | SPARSE, **more)  # type: ignore[arg-type]


def test_a_faultless_model_passes_every_type() -> None:
    results = check(good())
    assert results.failed() == []
    never = set(DQD) - {one.check for one in results if one.applies}
    assert never == {"plausibleGender", "plausibleGenderUseDescendants"}  # no such condition in it


def test_every_type_has_a_planted_defect() -> None:
    assert {name for name, *_ in DEFECTS} == set(DQD)


@pytest.mark.parametrize(("name", "spoil", "table", "violated", "among"), DEFECTS, ids=[d[0] for d in DEFECTS])
def test_a_defect_is_found_by_its_check_alone(
    name: str, spoil: Callable[[Tables], Tables], table: str, violated: int, among: int
) -> None:
    failed = check(spoil(good())).failed()
    assert {one.check for one in failed} == {name}
    assert [(one.table, one.violated, one.denominator) for one in failed] == [(table, violated, among)]


def test_without_a_vocabulary_its_checks_do_not_apply() -> None:
    results = check(without("concept_ancestor")(without("concept")(good())))
    asked = ("fkDomain", "fkClass", "isStandardValidConcept", "plausibleGenderUseDescendants")
    assert all("no vocabulary" in (one.reason or "") for one in results if one.check in asked)
    assert not results.failed()


def test_no_tables_at_all() -> None:
    results = check_cdm(Cdm({}), source="nothing", today=TODAY)
    assert {one.check for one in results if one.applies} == {"cdmTable"}
    assert all(one.failed for one in results if one.check == "cdmTable")


@pytest.mark.parametrize(("use_case", "name"), [("lung", "support2_lung"), ("stroke", "smart_cerebrovascular")])
def test_late_findings_of_our_cohorts_are_tied_to_no_visit(use_case: str, name: str) -> None:
    """Outcomes months and events years after the only visit that the source tells of."""
    cohort = discover()[use_case].cohort(name)
    mapping = omop_mapping(cohort)
    assert mapping is not None
    cdm = to_cdm(cohort.load(), cohort.table, mapping)
    within = [
        one for one in check_cdm(cdm, source=name, today=TODAY) if one.check == "withinVisitDates" and one.applies
    ]
    assert len(within) >= 3
    assert not any(one.violated for one in within)
    late = cdm["observation"].filter(pl.col("visit_occurrence_id").is_null())
    assert late.height > 500, "they are there, without a visit"


def test_a_threshold_may_be_set() -> None:
    tables = put(good(), "measurement", 1, person_id=9999)
    lenient = {("isForeignKey", "measurement", "person_id"): 5.0}
    assert not check_cdm(Cdm(tables), source="made", today=TODAY, thresholds=lenient).failed()


def test_frame_and_json_hold_every_check() -> None:
    results = check(put(good(), "measurement", 1, measurement_date=None))
    frame = results.frame()
    assert frame.height == len(results.checks)
    assert frame["failed"].sum() == 1
    document = results.to_json()
    assert sum(sum(counts.values()) for counts in document["summary"].values()) == frame.height


@settings(max_examples=12, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(0, 45)),
            st.one_of(st.none(), st.dates(date(1900, 1, 1), date(2100, 1, 1))),
            st.one_of(st.none(), st.floats(-1e6, 1e6)),
            st.sampled_from([0, 3004249, 8507, 77]),
        ),
        max_size=30,
    )
)
def test_percentages_and_denominators(rows: list[tuple[object, ...]]) -> None:
    person, day, value, concept = zip(*rows, strict=True) if rows else ((), (), (), ())
    measurement = pl.DataFrame(
        {
            "measurement_id": range(len(rows)), "person_id": person, "measurement_date": day, "value_as_number": value,
            "measurement_concept_id": concept, "measurement_type_concept_id": [32809] * len(rows),
            "measurement_source_value": ["LOINC:8480-6"] * len(rows),
        },
        schema_overrides={"person_id": pl.Int64, "measurement_date": pl.Date, "value_as_number": pl.Float64},
    )  # fmt: skip
    results = check(good() | {"measurement": measurement})
    assert all(0 <= one.percent <= 100 and 0 <= one.violated <= one.denominator for one in results)
    found = {(one.check, one.field, one.concept): one for one in results if one.table == "measurement"}
    known = sum(v is not None for v in value)
    low = sum(v is not None and v < 60 for v in value)  # type: ignore[operator]
    bound = found["plausibleValueLow", "value_as_number", "LOINC:8480-6"]
    assert (bound.violated, bound.denominator) == (low, known)
    required = found["isRequired", "person_id", None]
    assert (required.violated, required.denominator) == (sum(p is None for p in person), len(rows))
    stray = sum(p is not None and not 1 <= p <= N for p in person)  # type: ignore[operator]
    assert found["isForeignKey", "person_id", None].violated == stray
