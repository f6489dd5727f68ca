"""A party's site from files: real de-identified tables, held-out patients, refusals."""

import os
from pathlib import Path

import polars as pl
import pytest

from assets.federated_site import DatasetFile, FederatedSite
from deidentification.pipeline import deidentify
from deidentification.schema import released_schema
from federation.jobs.job import Filter
from federation.models.learner import LearningTask
from models.attributes import attribute_levels
from records.errors import ParameterError, StorageError, TableError
from records.schema import Outcome
from tests.federation.parties import a_job
from use_cases.registry import discover

COHORT = discover()["lung"].cohort("ncctg_lung")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    frame = COHORT.load()
    institution = frame.filter(COHORT.assign_sites(frame) == "1")
    path = tmp_path / "one.parquet"
    deidentify(institution, COHORT.table, key=b"k" * 32, k=5).frame.write_parquet(path)
    return path


def test_tables_come_in_schema_types_with_filters_applied(file: Path):
    site = FederatedSite({"lung": DatasetFile(COHORT, file)})
    table = site.table("lung", ["sex", "age"], [Filter(column="sex", op="==", value="male")])
    raw = pl.read_parquet(file)
    assert table.height == raw.filter(pl.col("sex") == "male").height > 0
    assert table.schema == {name: site.schema("lung")[name].dtype for name in ("sex", "age")}


def test_attributes_are_the_synthesizers_without_held_out_patients(file: Path):
    site = FederatedSite({"lung": DatasetFile(COHORT, file)})
    attributes = site.attributes("lung")
    assert {n: levels for n, (_, levels) in attributes.items()} == attribute_levels(released_schema(COHORT.table))
    learnt = pl.read_parquet(file).filter(~pl.col("holdout")).height
    assert {len(codes) for codes, _ in attributes.values()} == {learnt}


def test_a_changed_file_is_read_again(file: Path):
    site = FederatedSite({"lung": DatasetFile(COHORT, file)})
    before = site.table("lung", ["sex"]).height
    pl.read_parquet(file).head(5).write_parquet(file)
    os.utime(file, ns=(1, 1))
    assert before > 5 == site.table("lung", ["sex"]).height


def test_a_column_that_one_hospital_never_recorded_is_all_missing(file: Path):
    pl.read_parquet(file).with_columns(calories=pl.lit(None, dtype=pl.Int64)).write_parquet(file)
    site = FederatedSite({"lung": DatasetFile(COHORT, file)})
    assert site.table("lung", ["calories"])["calories"].null_count() == site.table("lung", ["sex"]).height


def test_a_site_that_only_computes_has_the_codebook_and_no_rows():
    site = FederatedSite({"lung": DatasetFile.named("ncctg_lung")})
    assert site.datasets() == []
    assert site.table("lung", ["sex"]).height == 0
    assert all(len(codes) == 0 for codes, _ in site.attributes("lung").values())


def test_unknown_data_sets_missing_files_and_broken_tables_are_refused(file: Path, tmp_path: Path):
    site = FederatedSite({"gone": DatasetFile(COHORT, tmp_path / "gone.parquet"), "lung": DatasetFile(COHORT, file)})
    with pytest.raises(ParameterError, match="data set must be one"):
        site.table("stroke", ["sex"])
    with pytest.raises(StorageError):
        site.table("gone", ["sex"])
    pl.read_parquet(file).with_columns(age=pl.lit(500)).write_parquet(file)
    os.utime(file, ns=(2, 2))
    with pytest.raises(TableError, match="age must lie within"):
        site.table("lung", ["sex"])
    with pytest.raises(ParameterError, match="must name a cohort"):
        DatasetFile.named("nowhere=x.parquet")


def test_a_network_learns_from_patients_who_are_not_held_out(file: Path):
    site = FederatedSite({"lung": DatasetFile(COHORT, file)})
    schema = site.schema("lung").select(["age", "sex", "event"])
    outcome = Outcome(name="event", label="Event", column="event", positive=("1",))
    task = LearningTask(schema, outcome, (schema["age"], schema["sex"]), hidden=3, seed=0)
    job = a_job("training", schema.names, dataset="lung")
    learner, raw = site.learner(job, task), pl.read_parquet(file).filter(pl.col("event").is_not_null())
    assert learner.patients == raw.filter(~pl.col("holdout")).height
    risk, label = learner.risks(learner.start())
    assert len(risk) == len(label) == raw.filter(pl.col("holdout")).height
    men = a_job("training", schema.names, dataset="lung", filters=(Filter(column="sex", op="==", value="male"),))
    assert 0 < site.learner(men, task).patients < learner.patients
    computing = FederatedSite({"lung": DatasetFile.named("ncctg_lung")}).learner(job, task)
    assert (computing.patients, computing.size) == (0, learner.size)
