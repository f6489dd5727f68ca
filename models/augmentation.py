"""Up-sampling of rare strata by conditional draws.

Belongs here: how many rows of which level to draw. Does not belong here: the draw (each synthesizer's ``given=``).
"""

import numpy as np
import polars as pl

from records.errors import ParameterError
from records.protocols import Synthesizer
from records.schema import Schema


def balanced(model: Synthesizer, by: str, *, n: int, rng: np.random.Generator) -> pl.DataFrame:
    """``n`` synthetic rows, equally many of each level of the category ``by`` (the first levels get the rest)."""
    levels = _levels(model.schema_, by)
    rows = [n // len(levels) + (position < n % len(levels)) for position in range(len(levels))]
    return _drawn(model, by, dict(zip(levels, rows, strict=True)), rng)


def augment(model: Synthesizer, table: pl.DataFrame, by: str, *, rng: np.random.Generator) -> pl.DataFrame:
    """Synthetic rows to add to ``table`` so that every level of ``by`` is as frequent as the most frequent one.

    The number of rows tells how rare the levels are in ``table``: for the data holder's own training, not for release.
    """
    counts = {level: int((table[by].cast(pl.String) == level).sum()) for level in _levels(model.schema_, by)}
    most = max(counts.values())
    return _drawn(model, by, {level: most - count for level, count in counts.items()}, rng)


def _levels(schema: Schema, by: str) -> list[str]:
    if by not in schema.names or not schema[by].levels:
        raise ParameterError(f"the column to balance must be a category of {schema.name}, got {by}; choose another")
    return list(schema[by].levels)


def _drawn(model: Synthesizer, by: str, wanted: dict[str, int], rng: np.random.Generator) -> pl.DataFrame:
    codes = [level for level, rows in wanted.items() for _ in range(rows)]
    given = pl.DataFrame({by: pl.Series(codes, dtype=model.schema_[by].dtype)})
    return model.sample(given=given, rng=rng) if codes else pl.DataFrame(schema=model.schema_.polars())
