"""Three-way total variation: do three columns together look as in the real table?

Belongs here: choosing triples of columns and their distances. Does not belong here: one and two columns (``table``),
or higher orders, whose cells are too sparse for the tables at hand.

All triples are measured if there are at most 200; else 200 drawn at random and, of the triples that hold an outcome,
the follow-up time or the event, all if they are at most 200, else 200 drawn. Every table is measured on the same ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from metrics.fidelity.references import Compared
from metrics.plain import plain
from records.schema import Column, Role, Schema

MOST_TRIPLES = 200
WORST_TRIPLES = 10
# Above this, sparse counting is faster than a full table of cells.
MOST_CELLS = 2_000_000


@dataclass(frozen=True)
class TriplesReport:
    """Aggregates only; figures are ``None`` where ``reason`` says why.

    Parameters
    ----------
    possible, measured, with_outcome : int
        Number of triples of the schema, of those measured, and of those measured that hold an outcome, time or event.
    mean, max, mean_with_outcome : mapping of str to float, or None
        Table (see ``references``) to its distance to train, 0 (same) to 1 (disjoint).
    worst : sequence of mapping
        Triples with the largest distance of the synthetic table, beside the holdout's.
    """

    reason: str | None
    possible: int = 0
    measured: int = 0
    with_outcome: int = 0
    mean: Mapping[str, float] | None = None
    max: Mapping[str, float] | None = None
    mean_with_outcome: Mapping[str, float] | None = None
    worst: Sequence[Mapping[str, Any]] = ()

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def triples(tables: Compared, *, rng: np.random.Generator) -> TriplesReport:
    """Three-way total variation distance of every table to train.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the triples where there are too many.
    """
    every = np.array(list(combinations(range(len(tables.columns)), 3)))
    reason = tables.reason or (None if len(every) else "fewer than three columns can be compared")
    if reason is not None:
        return TriplesReport(reason)
    held = np.asarray(np.isin(every, _outcomes(tables)).any(axis=1))
    chosen = _chosen(held, rng)
    found = triple_distances(tables.codes, tables.levels, every[chosen])
    return TriplesReport(
        None,
        possible=len(every),
        measured=len(chosen),
        with_outcome=int(held[chosen].sum()),
        mean={name: float(d.mean()) for name, d in found.items()},
        max={name: float(d.max()) for name, d in found.items()},
        mean_with_outcome={n: float(d[held[chosen]].mean()) for n, d in found.items()} if held.any() else None,
        worst=_worst(tables.columns, every[chosen], found),
    )


def _outcomes(tables: Compared) -> list[int]:
    schema: Schema = tables.schema
    named = {c.name for c in schema.with_role(Role.OUTCOME, Role.TIME, Role.EVENT)}
    named |= {o.column for o in schema.outcomes if o.column is not None}
    return [i for i, column in enumerate(tables.columns) if column.name in named]


def _chosen(held: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Positions of the triples to measure, rising."""
    if len(held) <= MOST_TRIPLES:
        return np.arange(len(held))
    drawn = rng.choice(len(held), MOST_TRIPLES, replace=False)
    return np.union1d(drawn, rng.permutation(np.flatnonzero(held))[:MOST_TRIPLES])


def triple_distances(
    codes: Mapping[str, np.ndarray], levels: Sequence[int], chosen: np.ndarray
) -> dict[str, np.ndarray]:
    """Distances to ``codes["train"]``, by one count of mixed-radix cell numbers for each triple.

    Parameters
    ----------
    codes : mapping of str to numpy.ndarray of int, shape (rows, columns)
        Each code is below its column's number of ``levels``.
    chosen : numpy.ndarray of int, shape (triples, 3)

    Returns
    -------
    dict of str to numpy.ndarray of float, shape (triples,)
        0 to 1; NaN for a table without rows.
    """
    names = ["train", *(name for name in codes if name != "train")]
    rows = np.array([len(codes[name]) for name in names])
    stacked = np.concatenate([codes[name] for name in names]).T.astype(np.int64, order="C")
    table = np.repeat(np.arange(len(names)), rows)
    distances = np.array([_distances(stacked[triple], table, np.array(levels)[triple], rows) for triple in chosen])
    return {name: distances[:, at] for at, name in enumerate(names) if name != "train"}


def _distances(values: np.ndarray, table: np.ndarray, levels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Distance of each table to the first, shape (tables,)."""
    cell, cells = (values[0] * levels[1] + values[1]) * levels[2] + values[2], int(levels.prod())
    if cells * len(rows) > MOST_CELLS:
        known, cell = np.unique(cell, return_inverse=True)
        cells = len(known)
    counts = np.bincount(table * cells + cell, minlength=len(rows) * cells).reshape(len(rows), cells)
    shares = np.divide(counts, rows[:, None], out=np.full(counts.shape, np.nan), where=rows[:, None] > 0)
    return np.abs(shares - shares[0]).sum(axis=1) / 2


def _worst(columns: Sequence[Column], chosen: np.ndarray, found: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    order = np.argsort(-found["synthetic"], kind="stable")[:WORST_TRIPLES]
    return [
        {
            "columns": [columns[i].name for i in chosen[at]],
            "labels": [columns[i].label for i in chosen[at]],
            **{name: found[name][at] for name in ("synthetic", "synthetic_matched", "holdout")},
        }
        for at in order
    ]
