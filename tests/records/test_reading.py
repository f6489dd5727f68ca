"""Strangers' tables: separators, decimal commas, encodings, damage."""

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.errors import StorageError
from records.reading import SEPARATORS, read_table

# polars cannot tell an empty cell from a missing one, and reads NA as missing as we ask it to.
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1).filter(lambda text: text != "NA")
NAMES = st.lists(st.text("abcäöß ;,|\t", min_size=1), min_size=2, max_size=4, unique=True)


@given(separator=st.sampled_from([",", "\t", "|"]), names=NAMES, data=st.data())
def test_what_is_written_with_any_separator_is_read(
    separator: str, names: list[str], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = data.draw(st.lists(st.tuples(*[CELLS] * len(names)), min_size=1, max_size=4))
    table = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    path = tmp_path_factory.mktemp("any") / "table.csv"
    table.write_csv(path, separator=separator, quote_style="always")
    assert read_table(path).equals(table)


def test_semicolons_come_with_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "ward.csv"
    path.write_text("\N{BOM}Größe (cm);Notiz;Code\r\n170,5;1,5 mg, dann mehr;I63\r\n-0,25;;3,4,5\r\n")
    read = read_table(path)
    assert read["Größe (cm)"].to_list() == ["170.5", "-0.25"]
    assert read["Notiz"].to_list() == ["1,5 mg, dann mehr", None]
    assert read["Code"].to_list() == ["I63", "3,4,5"]


def test_with_commas_between_columns_no_comma_is_a_decimal_mark(tmp_path: Path) -> None:
    path = tmp_path / "ward.csv"
    path.write_text('a,"b; c; d; e"\n"1,5",2\n')
    assert read_table(path).rows() == [("1,5", "2")]


@pytest.mark.parametrize("separator", SEPARATORS)
def test_compressed_tables_are_read(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "ward.csv.gz"
    path.write_bytes(gzip.compress(f"a{separator}b\n1{separator}2\n".encode()))
    assert read_table(path).rows() == [("1", "2")]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("latin.csv", "Größe,b\n1,2\n".encode("latin-1"), "must be UTF-8, got other bytes"),
        ("latin.csv", "a,b\n1,ärztlich\n".encode("latin-1"), "WINDOWS-1252"),
        ("wide.csv", "a,b\n1,2\n".encode("utf-16"), "iconv -f UTF-16"),
        (
            "ragged.csv",
            b'a,b\n"1\n1",2\n1,2,3\n',
            "got 1 rows with more, the first in line 4 with 3 columns where the header has 2",
        ),
        (
            "title.csv",
            b"Extract of today\n\na,b,c\n1,2,3\n",
            "first in line 3 with 3 columns where the header has 1; delete title",
        ),
        ("twice.csv", b"a,b,a\n1,2,3\n", "must name each column once, got a more than once"),
        ("cut.csv.gz", gzip.compress(b"a,b\n" + bytes(range(48, 58)) * 999)[:-20], "equal columns in all rows"),
        ("cut.parquet", b"PAR1", "whole Parquet file"),
        ("empty.csv", b"", "got an empty file"),
        ("table.xlsx", b"PK", "must end in .csv, .csv.gz, .parquet"),
    ],
    ids=[
        "header",
        "cell",
        "wide",
        "ragged",
        "title",
        "twice",
        "compressed",
        "parquet",
        "empty",
        "ending",
    ],  # contents make no names
)
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StorageError, match=told):
        read_table(tmp_path / name)


def test_a_folder_or_nothing_is_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(StorageError, match="must be a file"):
            read_table(path)
