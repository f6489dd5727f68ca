"""A value generalisation hierarchy of one column: from its own values, level by level, to a single value for all.

Belongs here: levels as arrays over the column's distinct values, and the loss of each. Does not belong here: which
levels a column has (``codebook_hierarchies``) or which one is chosen (``lattice``).

References
----------
Samarati & Sweeney (1998). Protecting privacy when disclosing information. SRI-CSL-98-04 (domain generalisation).
Iyengar (2002). Transforming data to satisfy privacy constraints. KDD (the loss metric LM).
Xu et al. (2006). Utility-based anonymization using local recoding. KDD (normalised certainty penalty, NCP).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

SUPPRESSED = "*"
MISSING = "missing"


@dataclass(frozen=True, eq=False)
class Level:
    """One level: the group of each distinct value.

    Parameters
    ----------
    name : str
        For people, for instance ``bands of 5``.
    groups : numpy.ndarray of int32, shape (values,)
        Number of the group that each distinct value falls in, from 0 on without gaps.
    labels : tuple of str
        What is written for each group.
    loss : numpy.ndarray of float, shape (groups,)
        Certainty lost, 0 (the value itself) to 1 (any value).
    """

    name: str
    groups: np.ndarray
    labels: tuple[str, ...]
    loss: np.ndarray


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Levels of one column, the first one its own values and the last one ``*``.

    Parameters
    ----------
    column : str
    values : polars.Series
        The distinct values that ``Level.groups`` refers to, null among them if there are missing ones.
    levels : tuple of Level
    """

    column: str
    values: pl.Series
    levels: tuple[Level, ...]

    def codes(self, column: pl.Series) -> np.ndarray:
        """Position of each row's value in ``values``; int32, shape (rows,)."""
        table = pl.DataFrame({"value": self.values, "code": np.arange(len(self.values), dtype=np.int32)})
        found = column.to_frame("value").join(table, on="value", how="left", nulls_equal=True, maintain_order="left")
        return found["code"].to_numpy()


def level(name: str, labels: Sequence[str], losses: Sequence[float]) -> Level:
    """A level from the label and the loss of each distinct value; values of one label are one group."""
    written = pl.Series(labels, dtype=pl.String)
    kept, groups = np.unique(np.asarray(written.to_list(), dtype=object).astype(str), return_inverse=True)
    loss = np.zeros(len(kept))
    loss[groups] = np.asarray(losses, dtype=float)
    return Level(name, groups.astype(np.int32), tuple(str(label) for label in kept), loss)


def own_values(values: pl.Series) -> Level:
    """The level of the values themselves, without loss."""
    count = len(values)
    return Level("as recorded", np.arange(count, dtype=np.int32), tuple(texts(values)), np.zeros(count))


def all_values(values: pl.Series) -> Level:
    """The level of one group for all."""
    return Level("suppressed", np.zeros(len(values), dtype=np.int32), (SUPPRESSED,), np.ones(1))


def texts(values: pl.Series) -> list[str]:
    """Values as text, a missing one as ``missing``."""
    return values.cast(pl.String).fill_null(MISSING).to_list()
