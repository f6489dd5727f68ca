"""Small tables and the International Stroke Trial, with quasi-identifiers, for the tests of anonymity."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from records.schema import Column, Kind, Role, Schema

IST = Path(__file__).parents[3].parent / "shared" / "data" / "ist.parquet"
WARDS = {"a1": "A1", "a2": "A2", "a": "A", "b": "B"}


def schema(*names: str, sensitive: tuple[str, ...] = ("diagnosis", "score")) -> Schema:
    known = {
        "age": Column(
            name="age", label="Age", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, unit="a", minimum=0, maximum=110,
            top_code=90,
        ),
        "sex": Column(
            name="sex", label="Sex", role=Role.QUASI_IDENTIFIER, kind=Kind.CATEGORY, levels={"f": "F", "m": "M"},
            missing=True,
        ),
        "ward": Column(
            name="ward", label="Ward", role=Role.SITE, kind=Kind.CATEGORY, levels=WARDS, groups={"a1": "a", "a2": "a"}
        ),
        "region": Column(
            name="region", label="Region", role=Role.QUASI_IDENTIFIER, kind=Kind.TEXT, codes={"NUTS": "2021"}
        ),
        "diagnosis": Column(
            name="diagnosis", label="Diagnosis", role=Role.SENSITIVE, kind=Kind.CATEGORY,
            levels={str(i): str(i) for i in range(5)},
        ),
        "score": Column(
            name="score", label="Score", role=Role.SENSITIVE, kind=Kind.INTEGER, minimum=0, maximum=7, step=1
        ),
    }  # fmt: skip
    return Schema(name="small", title="Small", columns=tuple(known[n] for n in (*names, *sensitive)))


def table(rows: int, seed: int, names: tuple[str, ...], sensitive: tuple[str, ...] = ("diagnosis", "score")):
    """A random table in schema types, ages in clumps, and its schema."""
    rng, known = np.random.default_rng(seed), schema(*names, sensitive=sensitive)
    drawn = {
        "age": rng.integers(40, 90, rows),
        "sex": rng.choice(np.array(["f", "m", None], dtype=object), rows, p=[0.45, 0.45, 0.1]),
        "ward": rng.choice(["a1", "a2", "b"], rows),
        "region": rng.choice(["FI1B1", "FI1C1", "FI1C2", "SE110", "SE121"], rows),
        "diagnosis": rng.integers(0, 5, rows).astype(str),
        "score": rng.integers(0, 8, rows),
    }
    chosen = {c.name: pl.Series(c.name, drawn[c.name].tolist()).cast(c.dtype) for c in known.columns}
    return pl.DataFrame(chosen), known


def trial() -> pl.DataFrame:
    if not IST.is_file():
        pytest.skip("the International Stroke Trial is not on this machine")
    return pl.read_parquet(IST)
