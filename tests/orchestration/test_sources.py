"""``raw_cohort`` from the forms that hospitals keep their data in: equal tables, whatever they came from."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from harmonisation.fhir.bundles import write_bundles
from harmonisation.omop.exchange import write_omop
from harmonisation.omop.mapping import load_mapping
from orchestration.execution import materialise
from orchestration.settings import Settings
from records.errors import PhaseIVError
from use_cases.registry import discover
from use_cases.sources import place_name, read_source

COHORT = discover()["stroke"].cohorts[0]
MAPPING = COHORT.folder / "omop_copenhagen.yaml"


def omop(at: Path, frame: pl.DataFrame) -> str:
    write_omop(frame, COHORT.table, load_mapping(MAPPING), f"sqlite:///{at / 'omop.db'}")
    return f"sqlite:///{at / 'omop.db'}"


def fhir(at: Path, frame: pl.DataFrame) -> str:
    write_bundles(frame, COHORT.table, at / "fhir", kind="collection")
    return str(at / "fhir")


def deidentified(settings: Settings) -> pl.DataFrame:
    materialise("stroke", ["raw_cohort", "deidentified"], settings)
    folder = settings.home / "storage" / "stroke" / "deidentified"
    tables = [pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))]
    return pl.concat(tables).sort("pseudonym")


@pytest.mark.slow
@pytest.mark.parametrize("form", [omop, fhir])
def test_the_same_table_comes_from_a_database_and_from_bundles(
    form: Callable[[Path, pl.DataFrame], str],
    new_home: Callable[[], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    place = form(tmp_path, COHORT.load())
    by_file, by_place = (
        Settings(home=new_home(), pseudonym_key="k" * 32, cohorts={"stroke": setting} if setting else {})
        for setting in ("", f"copenhagen={place}")
    )
    assert_frame_equal(deidentified(by_place), deidentified(by_file), check_dtypes=False)


def test_a_folder_without_bundles_and_an_empty_database_are_told(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for place, words in (
        (str(tmp_path / "images"), "must hold FHIR bundles"),
        (f"sqlite:///{tmp_path}/no.db", "no.db"),
    ):
        with pytest.raises(PhaseIVError, match=words):
            read_source(COHORT, place)


def test_a_password_is_never_shown() -> None:
    assert place_name("postgresql+psycopg2://me:secret@there/omop") == "postgresql+psycopg2://me:***@there/omop"
    assert place_name("postgresql://me@there/omop?password=secret") == "postgresql+psycopg2://me@there/omop"
    with pytest.raises(PhaseIVError) as caught:
        place_name("postgresql://me@there:secret/omop")
    assert "secret" not in str(caught.value)
    assert place_name("/data/stroke.csv") == "stroke.csv"


def test_settings_name_places() -> None:
    use_case = discover()["stroke"]
    url = "postgresql+psycopg2://me@there/omop?sslmode=require"
    assert use_case.chosen(f"copenhagen={url}") == (use_case.cohort("copenhagen"), url)
    assert use_case.chosen(url) == (use_case.cohorts[0], url)
    assert use_case.chosen("/data/own.csv") == (use_case.cohorts[0], "/data/own.csv")
    assert use_case.chosen("smart_cerebrovascular") == (use_case.cohort("smart_cerebrovascular"), None)
