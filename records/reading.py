"""Reading a stranger's table file: CSV or Parquet, with errors that say what to do.

Belongs here: bytes to a raw table. Does not belong here: checking it against a codebook (``validation``).
"""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from records.errors import StorageError

READERS = (".csv", ".csv.gz", ".parquet")
SEPARATORS = (",", ";", "\t", "|")
LONGEST_HEADER = 1 << 20  # bytes
WIDE = (b"\xff\xfe", b"\xfe\xff")  # how UTF-16 begins
DECIMAL_COMMA = r"^(-?\d+),(\d+)$"


def read_table(path: Path) -> pl.DataFrame:
    """Read a CSV (all columns as text, empty and ``NA`` as missing) or a Parquet file.

    The header tells the separator: comma, semicolon (then ``1,5`` is read as 1.5), tab or bar.

    Raises
    ------
    StorageError
        The file is missing, empty, damaged, not UTF-8, or of an unknown kind, its rows differ in length, or a column is
        named twice.
    """
    if not path.is_file():
        raise StorageError(f"{path.name} must be a file, got none; give the path of a CSV or Parquet file")
    if not path.name.endswith(READERS):
        raise StorageError(f"{path.name} must end in {', '.join(READERS)}, got another ending; convert or rename it")
    if path.stat().st_size == 0:
        raise StorageError(f"{path.name} must hold a table, got an empty file; export it again")
    return _parquet(path) if path.suffix == ".parquet" else _csv(path)


def _parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise StorageError(f"{path.name} must be a whole Parquet file, got a damaged one; copy it again") from error


def _csv(path: Path) -> pl.DataFrame:
    separator = ","
    try:
        separator = _separator(path)
        _refuse_twins(path, next(_rows(path, separator), (1, []))[1])
        table = pl.read_csv(path, separator=separator, infer_schema=False, null_values=["", "NA"])
    except (pl.exceptions.PolarsError, csv.Error, UnicodeDecodeError, OSError, EOFError, zlib.error):
        # The message of polars may quote the offending cell, hence "from None".
        raise _refusal(path, separator) from None
    # polars refuses cells that are not UTF-8, but reads such a header with replacement characters.
    if any(mark in "".join(table.columns) for mark in "\0\N{REPLACEMENT CHARACTER}"):
        raise _refusal(path, separator)
    return _with_points(table) if separator == ";" else table


def _opened(path: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _separator(path: Path) -> str:
    """What stands most often between the names of the header; a comma where there is one column."""
    with _opened(path) as file:
        header = re.sub(rb'"[^"]*"', b"", file.readline(LONGEST_HEADER))
    return max(SEPARATORS, key=lambda mark: header.count(mark.encode()))


def _with_points(table: pl.DataFrame) -> pl.DataFrame:
    """Decimal commas as points: columns are separated by semicolons where the comma is the decimal mark."""
    return table.with_columns(pl.all().str.replace(DECIMAL_COMMA, "$1.$2"))


def _rows(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Rows, each with the number of the line that it ends in."""
    with _opened(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(text, delimiter=separator)
        yield from ((rows.line_num, row) for row in rows)


def _refuse_twins(path: Path, header: list[str]) -> None:
    if twins := [name for name, times in Counter(header).items() if name and times > 1]:
        raise StorageError(
            f"{path.name} must name each column once, got {', '.join(twins)} more than once; rename or drop the others"
        )


def _uneven(path: Path, separator: str) -> str | None:
    """Where the first row stands that is longer than the header, and how many there are; None if none is."""
    rows = _rows(path, separator)
    try:
        wide = len(next(rows)[1])
        longer = [(line, len(row)) for line, row in rows if len(row) > wide]
    except (csv.Error, UnicodeDecodeError, OSError, EOFError, zlib.error, StopIteration):
        return None
    if not longer:
        return None
    line, columns = longer[0]
    return f"{len(longer)} rows with more, the first in line {line} with {columns} columns where the header has {wide}"


def _refusal(path: Path, separator: str) -> StorageError:
    if not _is_utf8(path):
        with _opened(path) as file:
            form = "UTF-16" if file.read(2) in WIDE else "WINDOWS-1252"
        return StorageError(
            f"{path.name} must be UTF-8, got other bytes; export it as CSV UTF-8, or convert it from what it is "
            f"(often `iconv -f {form} -t UTF-8`)"
        )
    if uneven := _uneven(path, separator):
        return StorageError(
            f"{path.name} must have as many columns in each row as in its header, got {uneven}; delete title lines above the "
            "header, and put cells in quotes that hold the separator"
        )
    return StorageError(
        f"{path.name} must be a table with a header and equal columns in all rows, separated by commas, semicolons, tabs or "
        "bars, got something else; export it again as CSV"
    )


def _is_utf8(path: Path) -> bool:
    try:
        with _opened(path) as file, io.TextIOWrapper(file, encoding="utf-8") as text:
            return all("\0" not in part for part in iter(lambda: text.read(1 << 20), ""))
    except UnicodeDecodeError:
        return False
    except (OSError, EOFError, zlib.error):  # compressed, and damaged: what is to be done is to export it again
        return True
