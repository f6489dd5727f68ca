"""Drawn rows that fulfil every constraint of the schema.

Belongs here: drawing again what breaks a constraint. Does not belong here: the draw itself.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

from records.errors import PhaseIVError
from records.schema import Schema

TRIES = 200


def within_constraints(draw: Callable[[np.ndarray], pl.DataFrame], n: int, schema: Schema) -> pl.DataFrame:
    """``n`` rows, of which those that broke a constraint were drawn anew; their order is kept.

    Parameters
    ----------
    draw : callable
        Takes row positions, shape (k,), and returns ``k`` rows for them.

    Raises
    ------
    PhaseIVError
        Rows still break a constraint after ``TRIES`` draws.
    """
    frame = draw(np.arange(n))
    broken = _broken(frame, schema)
    for _ in range(TRIES):
        if not broken.any():
            return frame
        positions = np.flatnonzero(broken)
        numbered = frame.with_row_index("row number")
        fresh = draw(positions).insert_column(0, pl.Series("row number", positions, dtype=pl.UInt32))
        frame = pl.concat([numbered.filter(~pl.Series(broken)), fresh]).sort("row number").drop("row number")
        broken = _broken(frame, schema)
    raise PhaseIVError(
        f"rows must fulfil the constraints of {schema.name}, got {int(broken.sum())} of {n} that do not after {TRIES} "
        "draws; change given, raise epsilon or relax the constraints in the codebook"
    )


def _broken(frame: pl.DataFrame, schema: Schema) -> np.ndarray:
    if not schema.constraints:
        return np.zeros(frame.height, dtype=bool)
    return frame.select(pl.any_horizontal(*(c.broken() for c in schema.constraints))).to_series().to_numpy()
