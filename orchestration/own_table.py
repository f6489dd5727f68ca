"""Synthesis of a table that belongs to no use case, by its own codebook.

Belongs here: the steps behind ``phaseiv synthesize``: read, validate, de-identify, debit, synthesize, write. Does not
belong here: evaluation and release, which need a use case with limits.
"""

import json
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from assets.answers import SynthesisConfig, answered
from assets.workspace import Workspace
from orchestration.own_patients import with_patients
from records.errors import ParameterError
from records.files import parquet_bytes, sha256, write_atomically
from records.schema import Kind, Schema
from records.validation import validate
from use_cases.cohort import load_codebook
from use_cases.sources import read_source

K = 5


class Allowance(NamedTuple):
    """Delta of every question, and the zCDP that all questions to one data set may cost."""

    delta: float
    budget_rho: float


class Draw(NamedTuple):
    """Which rows to draw: ``rows`` of them, carrying ``given``, equally many of each level of ``balance``, or ``tables``
    tables for pooled inference, one below the other and numbered in the column ``table``."""

    rows: int | None = None
    given: dict[str, str] = {}  # noqa: RUF012, never changed
    balance: str | None = None
    tables: int | None = None


def synthesize(
    codebook: Path, data: Path, out: Path, config: SynthesisConfig, allowance: Allowance, workspace: Workspace, draw: Draw
) -> dict[str, Any]:  # fmt: skip
    """Write a synthetic table to ``out`` and its manifest beside it.

    Returns
    -------
    dict
        The manifest: spend, model, sha256 and number of rows.

    Raises
    ------
    PhaseIVError
        The codebook, the table, a parameter or the budget does not allow it; nothing is written then.
    """
    from deidentification.pipeline import deidentify
    from deidentification.schema import released_schema
    from models.description import described

    _refuse_unfit(out, draw)
    schema, table = _read(codebook, data)
    made = deidentify(table, schema, key=secrets.token_bytes(32), k=K, holdout_share=0.0).frame
    released = released_schema(schema)
    wanted = condition(draw.given, released)
    version = sha256(parquet_bytes(table))
    model = answered(made, released, allowance, version, config, workspace, run_id="phaseiv synthesize")
    frame = _drawn(model, draw, wanted, np.random.default_rng(config.seed))
    content = parquet_bytes(frame) if out.suffix == ".parquet" else frame.write_csv().encode()
    manifest = {
        "synthetic": True, "schema": released.name, "rows": frame.height, "sha256": sha256(content),
        "seed": config.seed, "draw": draw._asdict(), "spend": model.privacy_.to_json(), "model": described(model),
    }  # fmt: skip
    write_atomically(out, content)
    write_atomically(out.with_suffix(out.suffix + ".json"), json.dumps(manifest, indent=1).encode())
    return manifest


def impute(codebook: Path, data: Path, out: Path, *, tables: int, seed: int) -> int:
    """Write ``tables`` completed copies of a table, numbered in the column ``table``; returns how many values were missing.

    The rows are the patients' own: the file is as sensitive as ``data`` and stays with the data holder.

    Raises
    ------
    PhaseIVError
        The codebook or the table does not allow it; nothing is written then.
    """
    from models.graphical_synthesizer import GraphicalSynthesizer
    from models.imputation import impute as completed

    _refuse_unfit(out, Draw(tables=tables))
    schema, table = _read(codebook, data)
    kept = schema.select([c.name for c in schema.columns if c.kind is Kind.CATEGORY or c.numeric])
    rng, known = np.random.default_rng(seed), table.select(kept.names)
    model = GraphicalSynthesizer().fit(known, kept, budget=None, rng=rng)
    frame = _numbered(
        table.with_columns(made[name] for name in kept.names)
        for made in completed(model, known, tables=tables, rng=rng)
    )
    write_atomically(out, parquet_bytes(frame) if out.suffix == ".parquet" else frame.write_csv().encode())
    return sum(known.null_count().row(0))


def _refuse_unfit(out: Path, draw: Draw) -> None:
    if out.suffix not in (".parquet", ".csv"):
        raise ParameterError(f"out must end in .parquet or .csv, got {out.name}; choose one of these")
    if draw.tables is not None and draw.tables < 1:
        raise ParameterError(f"tables must be at least 1, got {draw.tables}; 30 serve inference, 10 imputation")
    if sum([bool(draw.given), draw.balance is not None, draw.tables is not None]) > 1:
        raise ParameterError("only one of given, balance and tables must be asked for, got several; draw twice")


def _drawn(model: Any, draw: Draw, wanted: pl.DataFrame | None, rng: np.random.Generator) -> pl.DataFrame:
    from models.augmentation import balanced
    from models.graphical_synthesizer import GraphicalSynthesizer

    if draw.balance is not None:
        return balanced(model, draw.balance, n=draw.rows or model.total_, rng=rng)
    if draw.tables is None:
        return model.sample(draw.rows, rng=rng, given=wanted)
    if not isinstance(model, GraphicalSynthesizer):
        raise ParameterError(
            "tables must come from a graphical synthesizer, got another; choose declared, auto or star"
        )
    return _numbered(model.sample_tables(draw.tables, rng=rng, n=draw.rows))


def _numbered(tables: Iterable[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(t.insert_column(0, pl.Series("table", [i] * t.height)) for i, t in enumerate(tables, 1))


def _read(codebook: Path, data: Path) -> tuple[Schema, pl.DataFrame]:
    cohort = load_codebook(codebook)
    table = validate(read_source(cohort, str(data)).frame, cohort.table, source=data.name)
    return with_patients(cohort.table, table)


def condition(given: dict[str, str], schema: Schema) -> pl.DataFrame | None:
    """One row of typed values."""
    from models.given import conditions

    if not given:
        return None
    numeric = {c.name for c in schema.columns if c.numeric}
    try:
        row = pl.DataFrame({name: [float(v) if name in numeric else v] for name, v in given.items()})
    except ValueError as error:
        raise ParameterError(
            f"given must hold numbers for {', '.join(numeric & given.keys())}, got a text; write <column>=<number>"
        ) from error
    return conditions(row, schema, None)
