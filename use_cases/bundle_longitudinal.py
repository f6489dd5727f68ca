"""Make the bundled longitudinal tables again: ``python -m use_cases.bundle_longitudinal <folder>``.

Belongs here: the one-off conversion of the published long tables (``pbcseq.csv`` of survival, ``csl.csv`` in
SurvSet's start-stop form), kept so that it can be repeated. Does not belong here: anything at run time.
"""

import sys
from pathlib import Path

import polars as pl

from records.files import write_table
from records.longitudinal import LongitudinalSchema, Records
from records.longitudinal_validation import validate_records
from records.reading import read_table
from records.schema import Schema
from use_cases.longitudinal_cohort import TABLES, longitudinal_cohorts

DAYS_IN_PUBLISHED_YEAR = 365


def bundle(folder: Path) -> dict[str, str]:
    """Write each cohort's two Parquet files beside its codebook and return file name -> sha256."""
    hashes = {}
    for cohort in longitudinal_cohorts().values():
        raw = PREPARED[cohort.name](read_table(folder / cohort.source.file))
        tables = validate_records(split(raw, cohort.records), cohort.records, source=cohort.source.file)
        for table in TABLES:
            file = cohort.file(table)
            hashes[file.name] = write_table(file, getattr(tables, table)).sha256
    return hashes


def split(raw: pl.DataFrame, schema: LongitudinalSchema) -> Records:
    """A long table, one row per visit with the patient's columns repeated, as two tables."""
    visits = _renamed(raw, schema.visits)
    patients = _renamed(raw, schema.patients).unique(maintain_order=True)
    return Records(patients, visits)


def _renamed(raw: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    return raw.select(
        (pl.col(c.source).replace(dict(c.recode)) if c.recode else pl.col(c.source)).alias(c.name)
        for c in schema.columns
        if c.source is not None
    )


def _pbcseq(raw: pl.DataFrame) -> pl.DataFrame:
    signs = [pl.col(name).cast(pl.Float64).cast(pl.Int64).cast(pl.String) for name in ("ascites", "hepato", "spiders")]
    edema = pl.col("edema").str.replace(r"\.0$", "")
    return raw.with_columns(*signs, edema, pl.col("age").cast(pl.Float64).floor())


def _csl(raw: pl.DataFrame) -> pl.DataFrame:
    """Ages were published less 60, times in years; the last interval of a patient ends with follow-up."""
    day, end = ((pl.col(c).cast(pl.Float64) * DAYS_IN_PUBLISHED_YEAR).round().cast(pl.Int64) for c in ("time", "time2"))
    return raw.with_columns(
        day.alias("day"), end.max().over("pid").alias("follow_up"), pl.col("num_age")
        .cast(pl.Float64).add(60).floor().alias("age"), pl.col("event").cast(pl.Int64).max().over("pid").cast(pl.String),
    )  # fmt: skip


PREPARED = {"pbcseq": _pbcseq, "csl": _csl}

if __name__ == "__main__":
    for name, digest in bundle(Path(sys.argv[1])).items():
        print(name, digest)
