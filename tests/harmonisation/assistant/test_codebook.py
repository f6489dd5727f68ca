"""A confirmed draft becomes a codebook: known variables whole, others open, and nothing from the data."""

from pathlib import Path

import polars as pl
import pytest
import yaml

from harmonisation.assistant.candidates import candidates
from harmonisation.assistant.codebook import begun, write_codebook
from harmonisation.assistant.draft import Entry, draft, write_draft
from harmonisation.omop.export import to_cdm
from harmonisation.omop.fit import default_mapping
from records.errors import CodebookError
from records.validation import validate
from use_cases.cohort import load_codebook
from use_cases.registry import discover

SCHEMAS = [cohort.table for use_case in discover().values() for cohort in use_case.cohorts]
RAW = pl.DataFrame({
    "Kreatiniini (umol/l)": [60.5 + i for i in range(40)], "age": [50.0 + i for i in range(40)],
    "ALAT": [20.0 + i for i in range(40)], "nobody knows": ["x"] * 40,
})  # fmt: skip


def confirmed(folder: Path) -> Path:
    path = folder / "draft.yaml"
    write_draft(path, draft(RAW, "raw", candidates(SCHEMAS), {"Kreatiniini (umol/l)": "umol/L", "ALAT": "U/L"}))
    document = yaml.safe_load(path.read_text())
    document["reviewer"] = "A. Person"
    for entry in document["columns"].values():
        entry["confirmed"] = True
    document["columns"]["nobody knows"]["concept"] = None
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def test_the_completed_codebook_brings_the_concepts_to_omop(tmp_path: Path) -> None:
    assert write_codebook(tmp_path / "my.yaml", confirmed(tmp_path), SCHEMAS) == ["alat"]
    with pytest.raises(CodebookError, match="alat must have public bounds"):
        load_codebook(tmp_path / "my.yaml")
    document = yaml.safe_load((tmp_path / "my.yaml").read_text())
    assert [column["name"] for column in document["columns"]] == ["kreatiniini_umol_l", "age", "alat"]
    document["columns"][2] |= {"minimum": 0, "maximum": 5000}
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(document))
    cohort = load_codebook(tmp_path / "my.yaml")
    frame = validate(cohort.harmonise(RAW), cohort.table, source="raw")
    tables = to_cdm(frame, cohort.table, default_mapping(cohort.table))
    assert set(tables["measurement"]["measurement_source_value"]) == {"LOINC:14682-9", "LOINC:1742-6"}
    assert tables["person"]["year_of_birth"].to_list() == [1950 - i for i in range(40)]


def test_bounds_are_a_codebooks_and_never_the_datas(tmp_path: Path) -> None:
    write_codebook(tmp_path / "my.yaml", confirmed(tmp_path), SCHEMAS)
    creatinine = yaml.safe_load((tmp_path / "my.yaml").read_text())["columns"][0]
    twin = next(column for schema in SCHEMAS for column in schema.columns if column.codes.get("LOINC") == "14682-9")
    assert (creatinine["minimum"], creatinine["maximum"]) == (twin.minimum, twin.maximum)
    assert (creatinine["source"], creatinine["missing"]) == ("Kreatiniini (umol/l)", True)


def test_equal_names_are_told_apart_and_strange_ones_are_allowed() -> None:
    entry = Entry(concept="SNOMED:73211009", label="Diabetes", confirmed=True)
    columns = begun(dict.fromkeys(("DM", "dm", "2. Tyyppi", "æ"), entry), SCHEMAS)
    assert [column["name"] for column in columns] == ["dm", "dm_2", "c_2_tyyppi", "c_"]
    assert all(column["levels"] == {"0": "no", "1": "yes"} for column in columns)
