"""Headers of DICOM files as a table, on the files that pydicom ships: the values its own reader finds, and no others."""

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pydicom
import pytest
import yaml
from pydicom.data import get_testdata_file

from deidentification.pseudonyms import pseudonymise
from orchestration.execution import materialise
from orchestration.own_table import _read
from orchestration.settings import Settings
from records.errors import CodebookError, PhaseIVError, StorageError
from records.validation import validate
from use_cases.cohort import Cohort, load_codebook
from use_cases.registry import discover
from use_cases.sources import read_source

KEY = "k" * 32
DOSE = "DoseReferenceSequence.DoseReferenceType"
CODEBOOK = {
    "table": {
        "name": "scans", "title": "First scans", "index_date": "studied",
        "columns": [
            {"name": "patient_id", "label": "Patient", "role": "identifier", "kind": "text", "source": "PatientID"},
            {"name": "age", "label": "Age", "role": "quasi-identifier", "kind": "integer", "unit": "a", "minimum": 0,
             "maximum": 120, "missing": True, "source": "PatientAge"},
            {"name": "sex", "label": "Sex", "role": "quasi-identifier", "kind": "category", "missing": True,
             "levels": {"female": "Female", "male": "Male"}, "source": "PatientSex", "recode": {"F": "female", "M": "male", "O": None}},
            {"name": "modality", "label": "Modality", "role": "outcome", "kind": "category",
             "levels": {"CT": "CT", "MR": "MR", "CR": "Radiograph", "OT": "Other"}, "source": "Modality"},
            {"name": "studied", "label": "Day", "role": "covariate", "kind": "date", "earliest": "1990-01-01",
             "latest": "2026-01-01", "source": "StudyDate"},
            {"name": "thickness", "label": "Slice thickness", "role": "covariate", "kind": "number", "unit": "mm", "minimum": 0,
             "maximum": 20, "step": 0.25, "missing": True, "source": "SliceThickness"},
            {"name": "model", "label": "Model", "role": "covariate", "kind": "category", "missing": True,
             "levels": {"LightSpeed Plus": "LightSpeed Plus", "RHAPSODE": "Rhapsode"}, "source": "ManufacturerModelName",
             "recode": {"LightSpeed Ultra": None, "MRT50H1": None}},
        ],
        "outcomes": [{"name": "ct", "label": "CT first", "column": "modality", "positive": ["CT"]}],
    },
    "source": {"citation": "pydicom", "licence": "MIT", "origin": "pydicom", "file": "test_files"},
    "sites": {"simulated": ["north", "south"]},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients' studies of years apart with their directory, three single files, and a letter."""
    at = tmp_path_factory.mktemp("pacs")
    directory = Path(str(get_testdata_file("DICOMDIR"))).parent
    for name in ("77654033", "98892003", "98892001"):
        shutil.copytree(directory / name, at / name)
    shutil.copy(directory / "DICOMDIR", at)
    for name in ("CT_small.dcm", "MR_small.dcm", "MR_small_bigendian.dcm", "SC_rgb_rle.dcm"):
        shutil.copy(str(get_testdata_file(name)), at)
    (at / "letter.txt").write_text("a letter")
    return at


@pytest.fixture
def codebook(tmp_path: Path) -> Callable[..., Path]:
    def written(change: Callable[[dict], object] = lambda _: None) -> Path:
        book = yaml.safe_load(yaml.safe_dump(CODEBOOK))
        change(book)
        (tmp_path / "scans.yaml").write_text(yaml.safe_dump(book))
        return tmp_path / "scans.yaml"

    return written


def table(cohort: Cohort, folder: Path) -> pl.DataFrame:
    return validate(read_source(cohort, str(folder)).frame, cohort.table, source="scans")


def test_a_patient_is_the_first_study_in_pydicoms_own_values(folder: Path, codebook: Callable[..., Path]) -> None:
    cohort = load_codebook(codebook())
    rows = {row["patient_id"]: row for row in table(cohort, folder).to_dicts()}
    assert len(rows) == 5
    first = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".txt" and p.name != "DICOMDIR"):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        day, age = str(header.StudyDate), str(header.get("PatientAge") or "")
        known = (day, header.Modality, int(age.rstrip("Y")) if age else None, header.PatientSex)
        patient = str(header.PatientID)
        first[patient] = min(first.get(patient, known), known, key=lambda found: found[0])
    sexes = {"F": "female", "M": "male"}
    for patient, (day, modality, age, sex) in first.items():
        row = rows[patient]
        assert (f"{row['studied']:%Y%m%d}", row["age"], row["sex"]) == (day, age, sexes.get(sex))
        assert row["modality"] == modality
    assert rows["77654033"]["thickness"] == 1.25
    assert rows["1CT1"]["model"] == "RHAPSODE"


def test_what_was_left_out_and_what_differed_is_counted(folder: Path, codebook: Callable[..., Path]) -> None:
    read = read_source(load_codebook(codebook()), str(folder))
    whole = sum(1 for path in folder.rglob("*") if path.is_file()) - 2
    assert read.counts["dicom_files"]["read"] == whole
    assert read.counts["dicom_files"]["directories"] == read.counts["dicom_files"]["not_dicom"] == 1
    assert 0 < read.counts["dicom_files"]["of_later_studies"] < whole
    assert read.counts["dicom_differing"] == {"SliceThickness": 1}
    chosen = read_source(load_codebook(codebook(lambda b: b.update(filter={"Modality": "CT"}))), str(folder))
    assert set(chosen.frame["modality"]) == {"CT"}
    assert chosen.counts["dicom_files"]["outside_the_filter"] > 0


def test_ages_are_completed_years_whatever_their_unit(tmp_path: Path, codebook: Callable[..., Path]) -> None:
    expected = {"018M": 1, "104W": 1, "105W": 2, "400D": 1, "007Y": 7, "xY": None, "": None}
    (tmp_path / "pacs").mkdir()
    for number, age in enumerate(expected):
        dataset = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
        dataset.PatientID, dataset.StudyInstanceUID = f"P{number}", f"1.2.{number + 1}"
        with pydicom.config.disable_value_validation():
            dataset.PatientAge = age
            dataset.save_as(tmp_path / "pacs" / f"{number}.dcm")
    found = read_source(load_codebook(codebook()), str(tmp_path / "pacs")).frame.sort("patient_id")
    assert found["age"].to_list() == list(expected.values())


def test_items_of_sequences_are_named_by_their_path(tmp_path: Path, codebook: Callable[..., Path]) -> None:
    (tmp_path / "pacs").mkdir()
    for name in ("rtplan.dcm", "eCT_Supplemental.dcm", "liver_1frame.dcm", "CT_small.dcm"):
        shutil.copy(str(get_testdata_file(name)), tmp_path / "pacs")
    more = [number("planned", "FractionGroupSequence.NumberOfFractionsPlanned")]
    more += [number("thick", "SharedFunctionalGroupsSequence.PixelMeasuresSequence.SliceThickness")]
    more += [text("agent", "ContrastBolusAgentSequence.CodeMeaning"), text("dose", DOSE)]
    read = read_source(
        load_codebook(codebook(lambda book: book["table"]["columns"].extend(more))), str(tmp_path / "pacs")
    )
    rows = {row["patient_id"]: row for row in read.frame.to_dicts()}
    plan, enhanced, liver = (
        pydicom.dcmread(str(get_testdata_file(f"{name}.dcm")))
        for name in ("rtplan", "eCT_Supplemental", "liver_1frame")
    )
    assert rows[plan.PatientID]["planned"] == plan.FractionGroupSequence[0].NumberOfFractionsPlanned == 30
    assert rows[enhanced.PatientID]["agent"] == enhanced.ContrastBolusAgentSequence[0].CodeMeaning == "Iohexol"
    measures = liver.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert rows[liver.PatientID]["thick"] == measures.SliceThickness == 1
    assert {item.DoseReferenceType for item in plan.DoseReferenceSequence} == {"ORGAN_AT_RISK", "TARGET"}
    assert rows[plan.PatientID]["dose"] == "ORGAN_AT_RISK"
    assert read.counts["dicom_differing"] == {DOSE: 1}
    assert rows["1CT1"]["planned"] is rows["1CT1"]["agent"] is None


def test_a_file_passes_the_filter_by_any_item(folder: Path, codebook: Callable[..., Path], tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "pacs")
    shutil.copy(str(get_testdata_file("rtplan.dcm")), tmp_path / "pacs")
    cohort = load_codebook(codebook(lambda book: book.update(filter={DOSE: "TARGET"})))
    assert read_source(cohort, str(tmp_path / "pacs")).frame["patient_id"].to_list() == ["id00001"]


def number(name: str, source: str) -> dict[str, object]:
    return {**text(name, source), "kind": "number", "minimum": 0, "maximum": 100, "step": 1}


def text(name: str, source: str) -> dict[str, object]:
    return {"name": name, "label": name, "role": "covariate", "kind": "text", "missing": True, "source": source}


def test_what_the_codebook_does_not_name_is_nowhere(folder: Path, codebook: Callable[..., Path]) -> None:
    read = read_source(load_codebook(codebook()), str(folder))
    names = {str(pydicom.dcmread(p, stop_before_pixels=True).PatientName) for p in folder.rglob("*.dcm")}
    assert set(read.frame.columns) == {c["name"] for c in CODEBOOK["table"]["columns"]}
    assert not [name for name in names if name and name in read.frame.write_csv()]


@pytest.mark.parametrize(
    "keyword", ["PatientName", "ImageType", "StudyInstanceUID", "ReferencedStudySequence", "age", "Rows.Columns"]
)
def test_attributes_that_are_no_single_value_are_refused(
    folder: Path, codebook: Callable[..., Path], keyword: str
) -> None:
    cohort = load_codebook(codebook(lambda book: book["table"]["columns"][6].update(source=keyword)))
    with pytest.raises(CodebookError, match=keyword):
        read_source(cohort, str(folder))


def test_a_study_is_a_row_only_where_it_is_a_patient(
    folder: Path, codebook: Callable[..., Path], tmp_path: Path
) -> None:
    by_study = load_codebook(codebook(lambda book: book["table"]["columns"][0].update(source="StudyInstanceUID")))
    with pytest.raises(StorageError, match="privacy protects patients"):
        read_source(by_study, str(folder))
    (tmp_path / "pacs").mkdir()
    shutil.copy(folder / "CT_small.dcm", tmp_path / "pacs")
    assert read_source(by_study, str(tmp_path / "pacs")).frame["patient_id"].to_list() == [
        pydicom.dcmread(folder / "CT_small.dcm").StudyInstanceUID
    ]
    with pytest.raises(CodebookError, match="PatientID or StudyInstanceUID"):
        read_source(
            load_codebook(codebook(lambda b: b["table"]["columns"][0].update(source="AccessionNumber"))), str(folder)
        )


@pytest.mark.parametrize("source", ["PatientID", "StudyInstanceUID"])
def test_a_file_without_a_patient_is_refused_whatever_the_row(
    codebook: Callable[..., Path], tmp_path: Path, source: str
) -> None:
    (tmp_path / "pacs").mkdir()
    dataset = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    for number in range(2):
        dataset.PatientID, dataset.StudyInstanceUID = "", f"1.2.{number + 1}"
        dataset.save_as(tmp_path / "pacs" / f"{number}.dcm")
    cohort = load_codebook(codebook(lambda book: book["table"]["columns"][0].update(source=source)))
    with pytest.raises(StorageError, match=r"name patient and study .*got one without, number 1 of 2"):
        read_source(cohort, str(tmp_path / "pacs"))


def test_a_file_that_breaks_off_stops_the_reading_unnamed(codebook: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "pacs").mkdir()
    data = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()
    (tmp_path / "pacs" / "Virtanen.dcm").write_bytes(data[:800])
    with pytest.raises(StorageError, match="number 1 of 1") as caught:
        read_source(load_codebook(codebook()), str(tmp_path / "pacs"))
    assert "Virtanen" not in str(caught.value)


def test_a_cohort_without_hospitals_or_outcome_is_no_use_cases(codebook: Callable[..., Path], folder: Path) -> None:
    own = codebook(lambda book: book["table"].pop("outcomes"))
    with pytest.raises(PhaseIVError, match="hospitals"):
        discover()["stroke"].chosen(f"{own}={folder}")
    schema, patients = _read(own, folder)
    assert patients.height == 5
    assert schema.name == "scans"


@pytest.mark.slow
def test_dagsters_cohort_comes_from_a_folder_and_an_own_codebook(
    folder: Path,
    codebook: Callable[..., Path],
    new_home: Callable[[], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    settings = Settings(home=new_home(), pseudonym_key=KEY, cohorts={"stroke": f"{codebook()}={folder}"})
    materialise("stroke", ["raw_cohort", "deidentified"], settings)
    stored = settings.home / "storage" / "stroke" / "deidentified"
    made = pl.concat([pl.read_parquet(path) for path in sorted(stored.glob("*.parquet"))])
    ids = pl.Series(["77654033", "98890234", "1CT1", "4MR1", "ID1"])
    assert set(made["pseudonym"]) == set(pseudonymise(ids, KEY.encode()))
    assert "studied" not in made.columns
