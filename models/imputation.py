"""Multiple imputation: completed tables, each missing value drawn from the model given all that is known of its row.

Belongs here: drawing completed tables of real rows, which stay with the data holder. Does not belong here: pooling what
is estimated on them (``inference``).
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from models.attributes import attribute_levels, decode_attributes, evidence
from models.conditional_sampling import sample_given
from models.graphical_model import GraphicalModel
from models.graphical_synthesizer import GraphicalSynthesizer
from models.rows import within_constraints
from records.schema import Schema


def impute(
    model: GraphicalSynthesizer, table: pl.DataFrame, *, tables: int, rng: np.random.Generator
) -> Iterator[pl.DataFrame]:
    """Completed copies of ``table``; known values stay, and every row fulfils the schema's constraints.

    Each copy comes from another draw of the model's posterior, so that the imputation is proper (Rubin, 1987, chapter 4)
    under values missing at random given what the model holds.

    Parameters
    ----------
    model : GraphicalSynthesizer
        Fitted to this table or to one like it.
    table : polars.DataFrame, shape (rows, columns)
        In schema types, with exactly the schema's columns.
    tables : int
        Number of copies; pool their estimates by ``models.inference.pooling.pool_imputed``.

    Raises
    ------
    PhaseIVError
        A row's known values leave no completion that fulfils the constraints.
    """
    for drawn in model.posterior(tables, rng):
        yield _completed(drawn, table, model.schema_, rng)


def _completed(
    drawn: GraphicalModel, table: pl.DataFrame, schema: Schema, rng: np.random.Generator
) -> pl.DataFrame:  # fmt: skip
    incomplete = [name for name in table.columns if table[name].null_count()]
    if not incomplete:
        return table
    numbered = table.with_row_index("row number")
    patterns = numbered.group_by([pl.col(name).is_null() for name in incomplete], maintain_order=True)
    parts = []
    for flags, rows in patterns:
        missing = [name for name, flag in zip(incomplete, flags, strict=True) if flag]
        known = rows.drop("row number")

        def draw(some: np.ndarray, known: pl.DataFrame = known, missing: list[str] = missing) -> pl.DataFrame:
            return _drawn(drawn, known[some], missing, schema, rng)

        parts.append(within_constraints(draw, known.height, schema).insert_column(0, rows["row number"]))
    return pl.concat(parts).sort("row number").drop("row number")


def _drawn(
    drawn: GraphicalModel, rows: pl.DataFrame, missing: list[str], schema: Schema, rng: np.random.Generator
) -> pl.DataFrame:
    if not missing:
        return rows
    known, allowed = evidence(rows.drop(missing), schema)
    levels = attribute_levels(schema)
    # The level for missing is a column's last.
    filled = {name: np.tile(np.arange(levels[name]) < levels[name] - 1, (rows.height, 1)) for name in missing}
    made = decode_attributes(sample_given(drawn, known, rng, allowed | filled), schema, rng)
    return rows.with_columns(made[name] for name in missing)
