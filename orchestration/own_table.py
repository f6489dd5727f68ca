"""Synthesis of a table that belongs to no use case, by its own codebook.

Belongs here: the steps behind ``phaseiv synthesize``: read, validate, de-identify, debit, synthesize, write. Does not
belong here: evaluation and release, which need a use case with limits.
"""

import json
import secrets
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import yaml
from pydantic import ValidationError

from assets.answers import SynthesisConfig, answered
from assets.workspace import Workspace
from records.errors import CodebookError, ParameterError
from records.files import parquet_bytes, sha256, write_atomically
from records.reading import read_table
from records.schema import Column, Kind, Role, Schema
from records.validation import validate
from use_cases.cohort import load_codebook

K = 5
ROW = "row_number"


class Allowance(NamedTuple):
    """Delta of every question, and the zCDP that all questions to one data set may cost."""

    delta: float
    budget_rho: float


def synthesize(
    codebook: Path, data: Path, out: Path, config: SynthesisConfig, allowance: Allowance, workspace: Workspace,
    *, rows: int | None, given: dict[str, str],
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

    if out.suffix not in (".parquet", ".csv"):
        raise ParameterError(f"out must end in .parquet or .csv, got {out.name}; choose one of these")
    schema, table = _read(codebook, data)
    made = deidentify(table, schema, key=secrets.token_bytes(32), k=K, holdout_share=0.0).frame
    released = released_schema(schema)
    wanted = condition(given, released)
    version = sha256(parquet_bytes(table))
    model = answered(made, released, allowance, version, config, workspace, run_id="phaseiv synthesize")
    frame = model.sample(rows, rng=np.random.default_rng(config.seed), given=wanted)
    content = parquet_bytes(frame) if out.suffix == ".parquet" else frame.write_csv().encode()
    manifest = {
        "synthetic": True, "schema": released.name, "rows": frame.height, "sha256": sha256(content),
        "seed": config.seed, "given": given, "spend": model.privacy_.to_json(), "model": described(model),
    }  # fmt: skip
    write_atomically(out, content)
    write_atomically(out.with_suffix(out.suffix + ".json"), json.dumps(manifest, indent=1).encode())
    return manifest


def _read(codebook: Path, data: Path) -> tuple[Schema, pl.DataFrame]:
    """A cohort's codebook (with ``table`` and ``source``) or a bare schema; rows without identifier are numbered."""
    try:
        entry = yaml.load(codebook.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        if "table" in entry:
            cohort = load_codebook(codebook)
            return cohort.table, cohort.load(data)
        schema = Schema(**entry)
    except (OSError, ValidationError, yaml.YAMLError, TypeError) as error:
        raise CodebookError(f"{codebook.name} must be a valid codebook, got: {error}; mend it") from error
    table = validate(read_table(data), schema, source=data.name)
    if schema.identifier is not None:
        return schema, table
    number = Column(name=ROW, label="Row number", role=Role.IDENTIFIER, kind=Kind.TEXT)
    numbered = table.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.String))
    return schema.model_copy(update={"columns": (number, *schema.columns)}), numbered


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
