"""Which candidate a report speaks of: the sha256 of the synthetic table that was measured.

Belongs here: the binding of a report to its table. Does not belong here: the verdict (``gate``).
"""

import polars as pl

from records.files import parquet_bytes, sha256


def candidate_hash(synthetic: pl.DataFrame, named: str | None) -> str:
    """The caller's hash of the candidate's file, or the hash the table has when ``records.files`` writes it."""
    return named if named is not None else sha256(parquet_bytes(synthetic))
