"""Bundled cohorts as a synthesizer sees them."""

import polars as pl

from deidentification.pipeline import deidentify
from deidentification.schema import released_schema
from records.schema import Schema
from use_cases.registry import discover

COHORTS = {c.name: c for u in discover().values() for c in u.cohorts if c.source.bundled}


def learnt_from(name: str) -> tuple[pl.DataFrame, Schema]:
    """De-identified patients and the schema of what may be released."""
    cohort = COHORTS[name]
    schema = released_schema(cohort.table)
    return deidentify(cohort.load(), cohort.table, key=b"k" * 32, k=5).frame.select(schema.names), schema
