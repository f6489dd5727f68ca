"""The tables of one run: real, synthetic, and the references that give every distance a scale.

Belongs here: drawing the references and encoding all tables with the codebook's bins. Does not belong here: any
distance (the other modules of this room).

Three references: the real holdout (noise floor: what other patients of the same kind score), independent columns (real
columns shuffled one by one: right margins, no association), and a bootstrap copy (training rows drawn with
replacement: what a table that leaks every patient scores). Distances grow as tables shrink, so that there are two sets
that compare like with like: ``FULL`` and, cut to the holdout's size, ``MATCHED``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from polars import selectors

from metrics.distance import compared_columns
from records.discretisation import encode, value_levels
from records.schema import Column, Schema

FULL = ("synthetic", "independent", "bootstrap")
MATCHED = ("synthetic_matched", "holdout", "independent_matched", "bootstrap_matched")


@dataclass(frozen=True)
class Compared:
    """Tables of one run by name: ``train`` and the names in ``FULL`` and ``MATCHED``.

    Parameters
    ----------
    columns : sequence of Column
        Categories and numbers, without identifiers.
    frames : mapping of str to polars.DataFrame
        ``columns`` only, in their order; missing is null.
    codes : mapping of str to numpy.ndarray of int32, shape (rows, columns)
        Level numbers; the last of ``levels`` is missing.
    """

    schema: Schema
    columns: Sequence[Column]
    frames: Mapping[str, pl.DataFrame]
    codes: Mapping[str, np.ndarray]

    @property
    def levels(self) -> list[int]:
        """Number of levels of each column, the one for missing included."""
        return [value_levels(column) + 1 for column in self.columns]

    @property
    def others(self) -> list[str]:
        """Names of the tables that are compared with ``train``."""
        return [name for name in self.frames if name != "train"]

    @property
    def reason(self) -> str | None:
        """Why nothing can be compared, in words, or ``None``."""
        empty = [name for name in ("train", "synthetic") if self.frames[name].is_empty()]
        if not self.columns:
            return "the schema has no category and no number"
        return f"the {' and the '.join(empty)} table has no row" if empty else None


def compared(
    train: pl.DataFrame, holdout: pl.DataFrame, synthetic: pl.DataFrame, schema: Schema, *, rng: np.random.Generator
) -> Compared:
    """Tables and references of one run.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; further columns are ignored, NaN counts as missing.
    rng : numpy.random.Generator
        Shuffles columns, and draws the matched sample and the bootstrap copies.
    """
    columns = compared_columns(schema)
    given = {"train": train, "holdout": holdout, "synthetic": synthetic}
    frames = {name: _schema_form(frame, columns) for name, frame in given.items()}
    frames |= _references(frames, rng)
    return Compared(schema, columns, frames, {name: encode(frame, columns) for name, frame in frames.items()})


def sample(frame: pl.DataFrame, size: int, rng: np.random.Generator) -> pl.DataFrame:
    """``size`` rows without replacement, in random order; all of them if there are no more."""
    return frame[rng.permutation(frame.height)[:size]]


def _schema_form(frame: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    return frame.select(column.name for column in columns).with_columns(selectors.float().fill_nan(None))


def _references(frames: Mapping[str, pl.DataFrame], rng: np.random.Generator) -> dict[str, pl.DataFrame]:
    train, holdout, synthetic = (frames[name] for name in ("train", "holdout", "synthetic"))
    size = min(holdout.height, synthetic.height)
    return {
        "synthetic_matched": synthetic[rng.choice(synthetic.height, size, replace=False)] if size else synthetic,
        "independent": _shuffled(train, rng),
        "independent_matched": _shuffled(holdout, rng),
        "bootstrap": _resampled(train, synthetic.height, rng),
        "bootstrap_matched": _resampled(train, size or synthetic.height, rng),
    }


def _shuffled(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    rows = rng.permuted(np.tile(np.arange(frame.height)[:, None], (1, frame.width)), axis=0)
    return frame.select(frame[name][rows[:, at]] for at, name in enumerate(frame.columns))


def _resampled(frame: pl.DataFrame, size: int, rng: np.random.Generator) -> pl.DataFrame:
    return frame[rng.integers(frame.height, size=size)] if frame.height else frame
