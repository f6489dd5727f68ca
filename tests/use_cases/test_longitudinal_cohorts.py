"""The bundled longitudinal cohorts are what their sources say, and are no use case of their own."""

import polars as pl
import pytest

from records.errors import ParameterError, StorageError
from records.files import parquet_bytes
from use_cases.longitudinal_cohort import longitudinal_cohort, longitudinal_cohorts
from use_cases.registry import discover

SIZES = {"pbcseq": (312, 1945), "csl": (446, 2481)}
ENDED = {"pbcseq": {"censored": 143, "transplant": 29, "death": 140}, "csl": {"censored": 176, "death": 270}}
TREATED = {"pbcseq": ("d_penicillamine", 158), "csl": ("prednisone", 226)}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_events_and_treatment(name: str) -> None:
    records = longitudinal_cohort(name).load()
    assert (records.patients.height, records.visits.height) == SIZES[name]
    counts = records.patients["event"].cast(pl.String).value_counts()
    assert dict(counts.iter_rows()) == ENDED[name]
    drug, patients = TREATED[name]
    assert (records.patients["treatment"] == drug).sum() == patients


def test_a_published_patient_is_as_published() -> None:
    records = longitudinal_cohort("pbcseq").load()
    first = records.visits.filter(pl.col("patient_id") == "2")
    assert first["day"].to_list()[:3] == [0, 182, 365]
    assert first["bilirubin"].to_list()[:3] == [1.1, 0.8, 1.0]
    assert first["cholesterol"].to_list()[:2] == [302, None]


def test_the_folder_is_no_use_case() -> None:
    assert set(longitudinal_cohorts()) == set(SIZES)
    assert "longitudinal" not in discover()


def test_unknown_cohorts_and_changed_files_are_refused(tmp_path: object) -> None:
    with pytest.raises(ParameterError, match="csl, pbcseq"):
        longitudinal_cohort("nafld")
    cohort = longitudinal_cohort("csl")
    changed = cohort.model_copy(update={"sha256": {**cohort.sha256, "visits": "0" * 64}})
    with pytest.raises(StorageError, match="sha256"):
        changed.load()
    assert parquet_bytes(cohort.load().patients) == parquet_bytes(cohort.load().patients)
