"""The first two assets: identifiers are refused, people who opted out are left out and counted, risk is told."""

import json
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets.cohort import _refuse_person_ids, _without_opted_out, cohort_assets
from assets.factory import storage
from assets.workspace import Workspace
from deidentification.anonymity.models import Anonymity
from deidentification.opt_out import OptOuts, record_choices
from deidentification.pseudonyms import key_from_text, pseudonymise
from deidentification.table import deidentify_table
from harmonisation.fhir.bundles import write_bundles
from records.errors import CodebookError, StorageError
from use_cases.registry import discover
from use_cases.sources import BY_PERSON_ID

KEY = "ab" * 32
USE_CASE = discover()["stroke"]
COHORT = USE_CASE.cohorts[0]
IDENTIFIER = COHORT.table.identifier.name  # type: ignore[union-attr]


def run(home: Path, file: Path | None = None) -> dg.ExecuteInProcessResult:
    workspace = Workspace(home, pseudonym_key=KEY)
    assets = cohort_assets(USE_CASE, COHORT, None, workspace)
    config = {"ops": {f"{USE_CASE.key}__raw_cohort": {"config": {"file": str(file)}}}} if file else {}
    first, last = COHORT.site_names[0], COHORT.site_names[-1]
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    return dg.materialize(
        assets, resources=storage(workspace), tags=tags, run_config=config, raise_on_error=False
    )  # fmt: skip


def told(result: dg.ExecuteInProcessResult, asset: str, fact: str) -> list:
    found = result.asset_materializations_for_node(f"{USE_CASE.key}__{asset}")
    return [m.metadata[fact].value for m in found]


def test_those_who_opted_out_are_counted_and_risk_is_told(tmp_path: Path) -> None:
    people = pseudonymise(COHORT.load()[IDENTIFIER], key_from_text(KEY))
    record_choices(Workspace(tmp_path).opted_out, people[:9], "out", date(2020, 1, 1))
    record_choices(Workspace(tmp_path).opted_out, people[:2], "in", date(2020, 1, 2))
    result = run(tmp_path)
    assert result.success
    assert sum(told(result, "deidentified", "opted_out")) == 7
    assert sum(told(result, "deidentified", "rows")) == len(people) - 7
    removed, generalised = (set(told(result, "deidentified", what)[0]) for what in ("removed", "generalised"))
    assert IDENTIFIER in removed
    assert "age" in generalised
    kept = pl.concat(
        pl.read_parquet(p) for p in (tmp_path / "storage" / USE_CASE.key / "deidentified").glob("*.parquet")
    )
    assert not set(people[2:9]) & set(kept["pseudonym"])
    for before, after in zip(
        told(result, "deidentified", "risk_before"),
        told(result, "deidentified", "risk_of_rows_handed_out"),
        strict=True,
    ):
        assert after["prosecutor_highest"] <= 1 / USE_CASE.k < before["prosecutor_highest"] <= 1


def test_identifiers_in_a_covariate_are_refused_by_name_and_count(tmp_path: Path) -> None:
    raw = COHORT.load().cast({"smoking": pl.String})
    planted = pl.when(pl.int_range(pl.len()) < 3).then(pl.lit("131052-308T")).otherwise("smoking").alias("smoking")
    raw.with_columns(planted).write_csv(tmp_path / "export.csv")
    result = run(tmp_path / "home", tmp_path / "export.csv")
    assert not result.success
    error = str(result.failure_data_for_node(f"{USE_CASE.key}__raw_cohort").error)  # type: ignore[union-attr]
    assert "3 rows with FI henkilötunnus" in error
    assert "131052" not in error
    assert not (tmp_path / "home" / "storage").exists()


def test_what_fhir_bundles_hold_and_what_was_left_out_is_counted(tmp_path: Path) -> None:
    write_bundles(COHORT.load().head(60), COHORT.table, tmp_path / "fhir", kind="collection")
    for number in range(3):
        other = {"resourceType": "Organization", "id": f"o{number}", "name": "Secret ward"}
        (tmp_path / "fhir" / f"other-{number}.json").write_text(json.dumps(other))
    result = run(tmp_path / "home", tmp_path / "fhir")
    assert result.success
    assert told(result, "raw_cohort", "fhir_resources")[0]["Patient"] == 60
    left_out = told(result, "raw_cohort", "fhir_left_out")
    assert left_out[0]["resource type without a place in a codebook"] == 3
    assert len(left_out) == len(COHORT.site_names)
    assert "Secret" not in str(left_out)


def test_objections_are_not_looked_for_among_studies(tmp_path: Path) -> None:
    workspace, table = Workspace(tmp_path, pseudonym_key=KEY), COHORT.table
    columns = [
        c.model_copy(update={"source": "StudyInstanceUID"}) if c.name == IDENTIFIER else c for c in table.columns
    ]
    studies = table.model_copy(update={"columns": tuple(columns)})
    raw = COHORT.load().head(5)
    assert _without_opted_out(raw, studies, workspace, key_from_text(KEY)).height == 5
    record_choices(workspace.opted_out, ["0" * 32], "out", date(2020, 1, 1))
    with pytest.raises(CodebookError, match="PatientID"):
        _without_opted_out(raw, studies, workspace, key_from_text(KEY))
    choices = OptOuts(workspace.opted_out, date(2020, 1, 2), key_from_text(KEY))
    with pytest.raises(CodebookError, match="PatientID"):
        deidentify_table(
            tmp_path / "studies.csv", tmp_path / "out.csv", studies, Anonymity(k=5), key=key_from_text(KEY), opt_outs=choices,
            read=lambda _: raw,
        )  # fmt: skip


@pytest.mark.parametrize("text", ["{", '{"pseudonym": "x"}\n'])
def test_a_damaged_register_stops_the_run(tmp_path: Path, text: str) -> None:
    Workspace(tmp_path).opted_out.write_text(text)
    assert not run(tmp_path).success


def test_objections_are_not_looked_for_among_person_ids() -> None:
    _refuse_person_ids(COHORT, {})
    with pytest.raises(StorageError, match=r"must hold person_source_value .* got 9 persons without"):
        _refuse_person_ids(COHORT, {"omop": {BY_PERSON_ID: 9}})
