"""The cohorts of the benchmark: a public grid and a split of the patients.

Belongs here: where the tables lie and how patients are split. Does not belong here: scores.
"""

import os
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from deidentification.pipeline import deidentify
from deidentification.schema import released_schema
from records.schema import Schema
from records.validation import validate
from use_cases.registry import discover

DATA = Path(os.environ.get("PHASEIV_SHARED_DATA", "../shared/data"))
CODEBOOKS = Path(__file__).parents[1] / "codebooks"
NAMES = ("flchain", "support2", "ist")
TRAIN_SHARE = 0.7


def split(name: str, seed: int) -> tuple[pl.DataFrame, pl.DataFrame, Schema]:
    """Training and held-out patients, and their schema; seven tenths are for training."""
    frame, schema = {"flchain": _flchain, "support2": _support2, "ist": _ist}[name]()
    order = np.random.default_rng(seed).permutation(frame.height)
    cut = int(TRAIN_SHARE * frame.height)
    return frame[order[:cut]], frame[order[cut:]], schema


def _flchain() -> tuple[pl.DataFrame, Schema]:
    schema = Schema(**yaml.safe_load((CODEBOOKS / "flchain.yaml").read_text(encoding="utf-8")))
    raw = pl.read_csv(DATA / "flchain.csv.gz").rename({"flc.grp": "flc_grp"}, strict=False)
    texts = [pl.col(c.name).cast(pl.String) for c in schema.columns if not c.numeric]
    return validate(raw.select(schema.names).with_columns(texts), schema, source="flchain"), schema


def _support2() -> tuple[pl.DataFrame, Schema]:
    """All diseases of SUPPORT by the lung codebook; outside lung cancer one patient lacks the physiology."""
    cohort = discover()["lung"].cohort("support2_lung")
    wider = tuple(c.model_copy(update={"missing": c.missing or c.numeric}) for c in cohort.table.columns)
    keep = (cohort.table.time, cohort.table.event)
    columns = tuple(old if old in keep else new for old, new in zip(cohort.table.columns, wider, strict=True))
    table = cohort.table.model_copy(update={"columns": columns})
    return _released(cohort.model_copy(update={"filter": {}, "table": table}), "support2.csv.gz")


def _ist() -> tuple[pl.DataFrame, Schema]:
    return _released(discover()["stroke"].cohort("international_stroke_trial"), "ist.parquet")


def _released(cohort, file: str) -> tuple[pl.DataFrame, Schema]:
    schema = released_schema(cohort.table)
    made = deidentify(cohort.load(DATA / file), cohort.table, key=b"benchmark" * 4, k=5)
    return made.frame.select(schema.names), schema
