"""Which patients are attacked: as many members as non-members, drawn at random.

Belongs here: their number, the draw, and what to say where there are too few. Does not belong here: the attacks. The
split into train and holdout must itself be random, or a difference of populations is taken for membership.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

MOST_SYNTHETIC = 20_000
FEWEST_CANDIDATES = 10


def draw_rows(rows: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Row numbers of a random sample in random order, shape (size,)."""
    return rng.permutation(rows)[:size]


def too_few(size: int, synthetic: int) -> str | None:
    """Why no attack can be run on ``size`` members and as many controls; ``None`` if it can."""
    if synthetic == 0:
        return "the synthetic table has no row"
    if size >= FEWEST_CANDIDATES:
        return None
    return f"{size} candidates are too few for an attack, at least {FEWEST_CANDIDATES} are needed"


def subsampling(tables: Mapping[str, pl.DataFrame], used: Mapping[str, int]) -> str | None:
    """What was drawn at random, in words; ``None`` if every row of every table was used."""
    cut = [f"{used[n]} of {t.height} {n.replace('_', '-')}" for n, t in tables.items() if used[n] < t.height]
    return f"drawn at random: {', '.join(cut)}" if cut else None
