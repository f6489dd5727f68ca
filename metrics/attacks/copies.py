"""Synthetic patients that copy a training patient, exactly or nearly, beside the share that chance explains.

Belongs here: counting them. Does not belong here: membership attacks (``suite``), which also find what is no copy.

Two values agree if both are missing, if a category has the same level, or if two numbers lie within 1 % of the
column's public range. A near copy agrees in all columns but at most one (in all, of fewer than 3 columns). Narrow
tables repeat by chance, so the share of copies is read beside the share expected without copying: the larger of
holdout patients found in train and synthetic patients found in the holdout.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from metrics.discrimination import Interval, clopper_pearson
from metrics.distance import compared_columns
from metrics.overlap import share_in
from metrics.plain import plain
from records.discretisation import encode_column
from records.schema import Column, Kind, Schema

TOLERANCE = 0.01
MOST_ROWS = 2000
PAIRS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class CopiesReport:
    """Shares of synthetic rows, 0 to 1; ``None`` without synthetic rows.

    Parameters
    ----------
    exact_copies_train, exact_copies_holdout : float or None
        Share of synthetic rows equal to a train (holdout) row in every column.
    exact_copies_chance : float or None
        Share expected without copying.
    exact_copies_excess : float or None
        ``exact_copies_train - exact_copies_chance``, at least 0.
    near_copies_train, near_copies_holdout, near_copies_chance, near_copies_excess : float or None
        The same for near copies, of ``near_copies_rows`` random rows.
    near_copies_lower, near_copies_upper : float or None
        Clopper and Pearson's 95 % bounds of ``near_copies_train``.
    """

    exact_copies_train: float
    exact_copies_holdout: float
    exact_copies_chance: float
    exact_copies_excess: float
    near_copies_train: float
    near_copies_lower: float
    near_copies_upper: float
    near_copies_holdout: float
    near_copies_chance: float
    near_copies_excess: float
    near_copies_rows: int

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def copies(
    train: pl.DataFrame, holdout: pl.DataFrame, synthetic: pl.DataFrame, schema: Schema, *, rng: np.random.Generator
) -> CopiesReport:
    """Count copies of training patients.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; further columns are ignored. All rows of ``train`` and ``holdout`` are compared.
    rng : numpy.random.Generator
        Draws at most 2,000 synthetic and 2,000 holdout rows whose near copies are sought.
    """
    columns = compared_columns(schema)
    made, fresh = (frame[rng.permutation(frame.height)[:MOST_ROWS]] for frame in (synthetic, holdout))
    near = near_share(made, train, columns)
    return CopiesReport(
        **_beside_chance("exact", *(share_in(*pair, columns) for pair in _pairs(synthetic, holdout, train))),
        **_beside_chance(
            "near", near.value, near_share(made, holdout, columns).value, near_share(fresh, train, columns).value
        ),
        near_copies_lower=near.lower,
        near_copies_upper=near.upper,
        near_copies_rows=made.height,
    )


def _pairs(
    synthetic: pl.DataFrame, holdout: pl.DataFrame, train: pl.DataFrame
) -> list[tuple[pl.DataFrame, pl.DataFrame]]:
    return [(synthetic, train), (synthetic, holdout), (holdout, train)]


def _beside_chance(kind: str, in_train: float, in_holdout: float, by_chance: float) -> dict[str, float]:
    chance = float(np.fmax(by_chance, in_holdout))
    return {
        f"{kind}_copies_train": in_train,
        f"{kind}_copies_holdout": in_holdout,
        f"{kind}_copies_chance": chance,
        f"{kind}_copies_excess": in_train - chance if not in_train <= chance else 0.0,
    }


def near_share(rows: pl.DataFrame, table: pl.DataFrame, columns: Sequence[Column]) -> Interval:
    """Share of ``rows`` with a near copy in ``table``, with Clopper and Pearson's interval; NaN without rows."""
    if rows.is_empty():
        return Interval(float("nan"), float("nan"), float("nan"))
    if table.is_empty() or not columns:
        return clopper_pearson(0, rows.height)
    queries, known = ([_comparable(f[c.name], c) for c in columns] for f in (rows, table))
    step = max(1, PAIRS_AT_ONCE // table.height)
    starts = range(0, rows.height, step)
    found = sum(_found([q[i : i + step] for q in queries], known) for i in starts)
    return clopper_pearson(found, rows.height)


def _comparable(values: pl.Series, column: Column) -> np.ndarray:
    """Level numbers of a category; numbers in hundredths of the public range, missing far outside it."""
    if column.kind is Kind.CATEGORY:
        return encode_column(values, column).astype(np.int16)
    low, high = float(column.minimum or 0.0), float(column.maximum or 1.0)
    scaled = (values.cast(pl.Float64).to_numpy() - low) / ((high - low) * TOLERANCE)
    return np.where(values.is_null().to_numpy(), np.float32(-1e6), scaled).astype(np.float32)


def _found(queries: Sequence[np.ndarray], known: Sequence[np.ndarray]) -> int:
    """How many of the queries have a near copy."""
    allowed = 1 if len(queries) >= 3 else 0
    differ = np.zeros((len(queries[0]), len(known[0])), dtype=np.uint8)
    for query, value in zip(queries, known, strict=True):
        differ += _differs(query[:, None], value[None, :])
    return int((differ.min(axis=1) <= allowed).sum())


def _differs(query: np.ndarray, value: np.ndarray) -> np.ndarray:
    return np.abs(query - value) > 1 + 1e-4 if query.dtype == np.float32 else query != value
