"""The terms of a regression, the same for two tables: so that their coefficients can be compared one by one.

Belongs here: which terms there are and how rows become numbers. Does not belong here: fitting (``survival_model``) or
the design matrix of classifiers, which may differ between tables (``features``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from records.schema import Column, Kind

FEWEST_ROWS = 20


@dataclass(frozen=True)
class Terms:
    """Names, labels and values of the terms.

    Parameters
    ----------
    names : sequence of str
        ``age``, ``age missing``, ``stage=ii``.
    labels : sequence of str
        Readable.
    columns : sequence of callable
        Table to the values of each term, shape (rows,).
    """

    names: Sequence[str]
    labels: Sequence[str]
    columns: Sequence[Callable[[pl.DataFrame], np.ndarray]]

    def design(self, frame: pl.DataFrame) -> np.ndarray:
        """Values of all terms, shape (rows, terms)."""
        return np.column_stack([column(frame) for column in self.columns])


Term = tuple[str, str, Callable[[pl.DataFrame], np.ndarray]]


def regression_terms(columns: Sequence[Column], train: pl.DataFrame, synthetic: pl.DataFrame) -> Terms:
    """Terms that both tables can estimate; numbers are standardised by ``train``.

    An indicator (a level, or missing) needs 20 rows with and 20 without it in each table.

    Parameters
    ----------
    columns : sequence of Column
    train, synthetic : polars.DataFrame
        Schema form.
    """
    wanted = [term for column in columns for term in _terms(column, train)]
    kept: list[Term] = []
    values: list[list[np.ndarray]] = [[], []]
    for term in wanted:
        new = [term[2](frame) for frame in (train, synthetic)]
        if all(_varies(x) and _independent(x, known) for x, known in zip(new, values, strict=True)):
            kept.append(term)
            values = [[*known, x] for x, known in zip(new, values, strict=True)]
    names, labels, getters = ([term[i] for term in kept] for i in range(3))
    return Terms(names, labels, getters)  # type: ignore[arg-type]


def _terms(column: Column, train: pl.DataFrame) -> list[Term]:
    missing = (f"{column.name} missing", f"{column.label}: missing", _missing(column.name))
    indicator = [missing] if column.missing else []
    if column.kind is not Kind.CATEGORY:
        return [(column.name, f"{column.label}, per SD", _standardised(column.name, train)), *indicator]
    counts = train[column.name].drop_nulls().cast(pl.String).value_counts(sort=True)
    reference = counts[column.name][0] if counts.height else next(iter(column.levels))
    levels = [level for level in column.levels if level != reference]
    return [(f"{column.name}={x}", f"{column.label}: {column.levels[x]}", _level(column.name, x)) for x in levels] + (
        indicator
    )


def _standardised(name: str, train: pl.DataFrame) -> Callable[[pl.DataFrame], np.ndarray]:
    known = train[name].drop_nulls().cast(pl.Float64).to_numpy()
    middle, mean, spread = (np.median(known), known.mean(), known.std()) if known.size else (0.0, 0.0, 1.0)

    def values(frame: pl.DataFrame) -> np.ndarray:
        filled = frame[name].cast(pl.Float64).fill_null(float(middle)).to_numpy()
        return (filled - mean) / (spread or 1.0)

    return values


def _missing(name: str) -> Callable[[pl.DataFrame], np.ndarray]:
    return lambda frame: frame[name].is_null().to_numpy().astype(float)


def _level(name: str, level: str) -> Callable[[pl.DataFrame], np.ndarray]:
    return lambda frame: (frame[name].cast(pl.String) == level).fill_null(False).to_numpy().astype(float)


def _varies(values: np.ndarray) -> bool:
    """Whether at least 20 rows are not at the most common value."""
    if values.size == 0:
        return False
    common = np.unique(values, return_counts=True)[1].max()
    return bool(values.size - common >= FEWEST_ROWS)


def _independent(values: np.ndarray, known: Sequence[np.ndarray]) -> bool:
    """Whether no earlier term says the same."""
    return all(abs(np.corrcoef(values, other)[0, 1]) < 0.999 for other in known)
