"""Reading a stranger's table file: CSV or Parquet, with errors that say what to do.

Belongs here: bytes to a raw table. Does not belong here: checking it against a codebook (``validation``).
"""

import gzip
import io
import re
import zlib
from pathlib import Path

import polars as pl

from records.errors import StorageError

READERS = (".csv", ".csv.gz", ".parquet")
SEPARATORS = (",", ";", "\t", "|")
LONGEST_HEADER = 1 << 20  # bytes
DECIMAL_COMMA = r"^(-?\d+),(\d+)$"


def read_table(path: Path) -> pl.DataFrame:
    """Read a CSV (all columns as text, empty and ``NA`` as missing) or a Parquet file.

    The header tells the separator: comma, semicolon (then ``1,5`` is read as 1.5), tab or bar.

    Raises
    ------
    StorageError
        The file is missing, empty, damaged, not UTF-8, or of an unknown kind.
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
    try:
        separator = _separator(path)
        table = pl.read_csv(path, separator=separator, infer_schema=False, null_values=["", "NA"])
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError, EOFError, zlib.error):
        # The message of polars may quote the offending cell, hence "from None".
        raise _refusal(path) from None
    # polars refuses cells that are not UTF-8, but reads such a header with replacement characters.
    if any(mark in "".join(table.columns) for mark in "\0\N{REPLACEMENT CHARACTER}"):
        raise _refusal(path)
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


def _refusal(path: Path) -> StorageError:
    if not _is_utf8(path):
        return StorageError(
            f"{path.name} must be UTF-8, got other bytes; export it as CSV UTF-8, or convert it from what it is "
            "(often `iconv -f WINDOWS-1252 -t UTF-8`)"
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
