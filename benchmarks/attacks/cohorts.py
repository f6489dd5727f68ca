"""Tables for the comparison: two real cohorts cut in halves, and releases of very different privacy.

Belongs here: what is attacked. Does not belong here: attacks.
"""

import numpy as np
import polars as pl

from benchmarks.synthesis.cohorts import split
from deidentification.pipeline import deidentify
from deidentification.schema import released_schema
from models.registry import build
from records.accounting import epsilon_to_rho
from records.schema import Schema
from use_cases.registry import discover

RAW = "support2_lung"
COMPLETED = "support2_lung, numbers completed"
NAMES = ("flchain", COMPLETED, RAW)
ATTACKS = {"flchain": 2500, COMPLETED: 1000, RAW: 1000}
RELEASES = ("bootstrap copy", "trees", "auto, epsilon 1")
DELTA = 1e-5


def halves(name: str) -> tuple[pl.DataFrame, pl.DataFrame, Schema]:
    """Training and control patients, equally many, and their schema."""
    if name == "flchain":
        train, control, schema = split(name, 0)
        return train[: control.height], control, schema
    cohort = discover()["lung"].cohort(RAW)
    schema = released_schema(cohort.table)
    made = deidentify(cohort.load(), cohort.table, key=b"benchmark" * 4, k=5)
    patients = made.frame.select(schema.names)
    order, half = np.random.default_rng(0).permutation(patients.height), patients.height // 2
    train, control = patients[order[:half]], patients[order[half : 2 * half]]
    if name == COMPLETED:
        medians = {c.name: train[c.name].median() for c in schema.columns if c.numeric}
        train, control = (
            frame.with_columns(pl.col(n).fill_null(pl.lit(m).cast(frame[n].dtype)) for n, m in medians.items())
            for frame in (train, control)
        )
    return train, control, schema


def released(kind: str, train: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """As many synthetic rows as there are training patients."""
    rng = np.random.default_rng(0)
    if kind == "bootstrap copy":
        return train[rng.integers(train.height, size=train.height)]
    name, _, asked = kind.partition(", epsilon ")
    budget = epsilon_to_rho(float(asked), DELTA) if asked else None
    return build(name, delta=DELTA).fit(train, schema, budget=budget, rng=rng).sample(train.height, rng=rng)
