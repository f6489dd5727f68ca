"""Bad input: all problems in one error, with counts and column names and never a row value."""

import gzip
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from records.errors import StorageError, TableError
from records.files import read_table_file, write_table
from records.reading import read_table
from records.schema import Column, Kind, Role, Schema
from records.validation import validate
from use_cases.registry import discover

COHORT = discover()["stroke"].cohorts[0]


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return COHORT.load()


def problems(frame: pl.DataFrame) -> str:
    with pytest.raises(TableError) as caught:
        validate(frame, COHORT.table, source="table")
    return str(caught.value)


def test_all_problems_come_in_one_error(table: pl.DataFrame) -> None:
    secret = "extraterrestrial"
    bad = table.drop("diabetes").with_columns(
        pl.lit(secret).alias("sex"), pl.lit(777).alias("age"), pl.lit("x7").alias("stroke_score")
    )
    text = problems(bad)
    assert "4 problems" in text
    for column in ("diabetes", "sex", "age", "stroke_score"):
        assert f"{column} must" in text
    assert "492 rows" in text
    assert secret not in text
    assert "777" not in text
    assert "x7" not in text


def test_duplicate_patient(table: pl.DataFrame) -> None:
    assert "1 repeated rows" in problems(pl.concat([table, table.head(1)]))


def test_empty_table(table: pl.DataFrame) -> None:
    assert "0 rows" in problems(table.clear())


def test_all_missing_column(table: pl.DataFrame) -> None:
    assert "all missing" in problems(table.with_columns(pl.lit(None, dtype=pl.Float64).alias("cholesterol")))


def test_single_class_outcome(table: pl.DataFrame) -> None:
    assert "death_1y must have both classes" in problems(table.with_columns(pl.lit("0").alias("event")))


def test_csv_round_trip(table: pl.DataFrame, tmp_path: Path) -> None:
    table.write_csv(tmp_path / "t.csv")
    assert COHORT.load(tmp_path / "t.csv").equals(table)


@pytest.mark.parametrize(("name", "data"), [
    ("empty.csv", b""), ("latin.csv", "patient_id,sex\n1,kvinna \xe4\n".encode("latin-1")),
    ("utf16.csv", "patient_id,sex\n1,kvinna\n".encode("utf-16")), ("header.csv", "id,k\xf6n\n1,2\n".encode("latin-1")),
    ("ragged.csv", b"a,b\n1,2,3\n"), ("cut.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-9]), ("cut.parquet", b"PAR1 cut"), ("table.xlsx", b"PK"),
])  # fmt: skip
def test_unreadable_files(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(StorageError, match="must"):
        read_table(tmp_path / name)


def test_truncated_parquet(table: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table.write_parquet(path)
    whole = path.read_bytes()
    for size in (4, 500, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(StorageError, match="must be a whole Parquet file"):
            COHORT.load(path)


def test_damaged_table_file(table: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(path, table)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(StorageError, match="materialise it again"):
        read_table_file(path)


def test_dates_are_read_as_hospitals_write_them_and_only_unreadable_ones_counted() -> None:
    """Synthesis and the cohorts of runs read a file as de-identification does, which had been the only one to."""
    day = {"kind": Kind.DATE, "earliest": date(2018, 1, 1), "latest": date(2020, 12, 31)}
    schema = Schema(name="w", title="W", columns=(Column(name="seen", label="Seen", role=Role.COVARIATE, **day),))
    written = ["2019-04-19", "7.12.2019", "07/12/2019", "maaliskuu 2019"]
    read = validate(pl.DataFrame({"seen": written}), schema, source="ward.csv")["seen"]
    assert read.to_list() == [date(2019, 4, 19), date(2019, 12, 7), date(2019, 12, 7), date(2019, 3, 15)]
    with pytest.raises(TableError, match="got 1 rows that do not fit"):
        validate(pl.DataFrame({"seen": [*written, "soon"]}), schema, source="ward.csv")
