"""Reading a stranger's table file: CSV or Parquet, with errors that say what to do.

Belongs here: bytes to a raw table. Does not belong here: checking it against a codebook (``validation``).
"""

from pathlib import Path

import polars as pl

from records.errors import StorageError

READERS = (".csv", ".csv.gz", ".parquet")


def read_table(path: Path) -> pl.DataFrame:
    """Read a CSV (all columns as text, empty and ``NA`` as missing) or a Parquet file.

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
    refusal = StorageError(
        f"{path.name} must be a UTF-8, comma-separated table with a header and equal columns in all rows, "
        "got something else; export it again as CSV (UTF-8)"
    )
    try:
        table = pl.read_csv(path, infer_schema=False, null_values=["", "NA"])
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError):
        # The message of polars may quote the offending cell, hence "from None".
        raise refusal from None
    # polars refuses cells that are not UTF-8, but reads such a header with replacement characters.
    if any(mark in "".join(table.columns) for mark in "\0\N{REPLACEMENT CHARACTER}"):
        raise refusal
    return table
