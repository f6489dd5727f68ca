"""Many phantoms in portions, so that memory stays bounded whatever their number.

Belongs here: splitting and joining. Does not belong here: anatomy.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps

import numpy as np
import polars as pl

from records.images import PATIENT, ImageTable

Simulate = Callable[..., ImageTable]
MOST_POINTS = 400 * 64 * 64  # a point takes about 450 bytes while it is simulated


def in_portions(simulate: Simulate) -> Simulate:
    """The simulator, called for as many patients at a time as memory should hold; patients are numbered through."""

    @wraps(simulate)
    def whole(
        patients: int, *, slices: int = 3, size: tuple[int, int] = (64, 64), rng: np.random.Generator
    ) -> ImageTable:  # fmt: skip
        most = max(1, MOST_POINTS // max(1, slices * size[0] * size[1]))
        if patients <= most:
            return simulate(patients, slices=slices, size=size, rng=rng)
        starts = range(0, patients, most)
        return _joined(
            [
                _numbered(simulate(min(most, patients - start), slices=slices, size=size, rng=rng), start)
                for start in starts
            ]
        )

    return whole


def _numbered(table: ImageTable, start: int) -> ImageTable:
    """The table with patients numbered from ``start``."""
    name = pl.col(PATIENT)
    number = (name.str.extract(r"(\d+)$").cast(pl.Int64) + start).cast(pl.String).str.zfill(6)
    return replace(table, rows=table.rows.with_columns((name.str.replace(r"\d+$", "") + number).alias(PATIENT)))


def _joined(tables: list[ImageTable]) -> ImageTable:
    masks = [table.masks for table in tables if table.masks is not None]
    return replace(
        tables[0], rows=pl.concat([table.rows for table in tables]),
        pixels=np.concatenate([table.pixels for table in tables]), masks=np.concatenate(masks) if masks else None,
    )  # fmt: skip
