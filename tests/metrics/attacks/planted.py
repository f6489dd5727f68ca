"""Releases with a membership leak of known strength, small enough to repeat hundreds of times."""

import numpy as np
import polars as pl

from records.schema import Column, Kind, Role, Schema

NUMBERS = 12
WIDE = Schema(
    name="wide",
    title="Independent normal numbers and one constant category",
    columns=(
        *(
            Column(name=f"n{i}", label=f"N{i}", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=-10, maximum=10)
            for i in range(NUMBERS)
        ),
        Column(name="c", label="C", role=Role.COVARIATE, kind=Kind.CATEGORY, levels={"a": "A", "b": "B"}),
    ),
)


def leaking_release(
    members: int, controls: int, *, copied: float, noise: float, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Train, holdout and a synthetic table in which each member is copied with probability ``copied``, else fresh.

    With ``noise`` far below the distance between patients every copy is found, and a member who is not copied looks
    as a control does: the AUC of every attack is ``copied + (1 - copied) / 2``.
    """
    train, holdout, fresh = (rng.normal(size=(rows, NUMBERS)) for rows in (members, controls, members))
    noisy = train + noise * rng.normal(size=train.shape)
    synthetic = np.where(rng.random(members)[:, None] < copied, noisy, fresh)
    first, second, third = (wide_table(values) for values in (train, holdout, synthetic))
    return first, second, third


def wide_table(values: np.ndarray) -> pl.DataFrame:
    """Values of shape (rows, 12) as a table of ``WIDE``."""
    return pl.DataFrame({f"n{i}": values[:, i] for i in range(NUMBERS)}).with_columns(c=pl.lit("a")).cast(WIDE.polars())
