"""Singling out: do predicates that hold for one synthetic row hold for exactly one patient?

Belongs here: the singling-out attacks of WP216, on one column and on several. Does not belong here: evaluating
predicates (``predicates``) or the correction of a control's size (``control_size``).

The attacker forms predicates that hold for exactly one synthetic row, and wins where one holds for exactly one
patient. One column: values that occur once, the largest and the smallest number. Several columns (three by default):
the values of a random row, numbers as "at least" above the median and "at most" elsewhere. Baseline: random
conditions. Repeated rows count once, in all tables.

Success depends on the number of patients, so that a control of another size is corrected (``control_size``).
Rates are over the predicates that could be formed; the package divides by the number asked for.

References
----------
Giomi et al., 2023, PoPETs 2023(2):312, section 5.1. Cohen and Nissim, 2020, PNAS 117:8344.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from metrics.attacks.control_size import control_rate
from metrics.attacks.predicates import LARGEST, MISSING, Predicates, joined, numbered, singles
from metrics.attacks.risk import ATTACKS, FEWEST_ATTACKS, Risk, measured, too_few, wilson, worst
from metrics.distance import compared_columns
from metrics.plain import plain
from records.errors import ParameterError
from records.schema import Column, Schema

BATCH = 2000
MOST_BATCHES = 200
BARREN_BATCHES = 3


@dataclass(frozen=True)
class SinglingOutReport:
    """Singling out by one column and by several; ``worst`` has the higher lower bound."""

    univariate: Risk
    multivariate: Risk
    worst: Risk | None

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def singling_out(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    *,
    rng: np.random.Generator,
    attacks: int = ATTACKS,
    columns_per_predicate: int = 3,
) -> SinglingOutReport:
    """Attack by predicates that single out a synthetic row.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; ``holdout`` is a random sample of the same population that the synthesizer did not see.
    rng : numpy.random.Generator
        Draws rows, columns and the baseline.
    attacks : int
        Predicates of each kind, at most as many as can be formed.
    columns_per_predicate : int
        Conditions of a multivariate predicate, at least 1 and at most all columns.

    Raises
    ------
    ParameterError
        ``columns_per_predicate`` is below 1.
    """
    if columns_per_predicate < 1:
        raise ParameterError(f"columns_per_predicate must be at least 1, got {columns_per_predicate}; choose 3")
    columns = compared_columns(schema)
    width = min(columns_per_predicate, len(columns))
    tables = [numbered(frame, columns) for frame in (train, holdout, synthetic)]
    numeric = np.array([c.numeric for c in columns], dtype=bool)
    reason = too_few(*(table.shape[1] for table in tables))
    forms = {
        "by one column": (univariate, 1),
        f"by {width} columns": (partial(multivariate, width=width), width),
    }
    found = []
    for words, (form, conditions) in forms.items():
        risk = Risk(f"singling out {words}", reason)
        found.append(
            risk if reason else _attacked(risk.attack, form, conditions, tables, columns, numeric, attacks, rng)
        )
    return SinglingOutReport(*found, worst=worst(found))


def _attacked(
    name: str,
    form: Callable[[np.ndarray, np.ndarray, int, np.random.Generator], Predicates],
    conditions: int,
    tables: Sequence[np.ndarray],
    columns: Sequence[Column],
    numeric: np.ndarray,
    attacks: int,
    rng: np.random.Generator,
) -> Risk:
    train, control, synthetic = tables
    guesses = form(synthetic, numeric, attacks, rng)
    tried = len(guesses)
    if tried < FEWEST_ATTACKS:
        return Risk(name, f"{tried} predicates single out a synthetic row, at least {FEWEST_ATTACKS} are needed")
    guessed = random_predicates(synthetic, numeric, tried, conditions, rng)
    return measured(
        name,
        train=wilson(int(singles(train, guesses).sum()), tried),
        baseline=wilson(int(singles(train, guessed).sum()), tried),
        control=control_rate(train, control, guesses),
    )


def univariate(table: np.ndarray, numeric: np.ndarray, most: int, rng: np.random.Generator) -> Predicates:
    """Predicates on one column that hold for one row: values that occur once, and both ends of numbers.

    Parameters
    ----------
    table : numpy.ndarray of float, shape (columns, rows)
    numeric : numpy.ndarray of bool, shape (columns,)
    most : int
        Drawn at random where there are more.
    """
    formed = []
    for at, values in enumerate(table):
        level, times = np.unique(values, return_counts=True)
        formed += [(at, v, v) for v in level[times == 1]]
        known = level[level != MISSING]
        if numeric[at] and known.size:
            formed += [(at, -LARGEST, known[0]), (at, known[-1], LARGEST)]
    column, low, high = np.array(formed, dtype=float).reshape(-1, 3).T[:, :, None]
    predicates = Predicates(column.astype(int), low, high, np.zeros(column.shape, dtype=bool))
    predicates = predicates[singles(table, predicates)]
    return predicates[rng.permutation(len(predicates))[:most]]


def multivariate(table: np.ndarray, numeric: np.ndarray, most: int, rng: np.random.Generator, width: int) -> Predicates:
    """Different predicates of ``width`` conditions from the values of random rows that hold for one row of the table."""
    medians = np.array([np.median(v[v != MISSING]) if (v != MISSING).any() else 0.0 for v in table])
    kept: list[Predicates] = []
    barren = 0
    for _ in range(MOST_BATCHES):
        rows = rng.integers(table.shape[1], size=BATCH)
        columns = rng.random((BATCH, len(table))).argpartition(width - 1, axis=1)[:, :width]
        made = _from_rows(table[columns, rows[:, None]], columns, numeric, medians)
        before = sum(map(len, kept))
        kept = [joined([*kept, made[singles(table, made)]]).distinct()]
        barren = 0 if len(kept[0]) > before else barren + 1
        if len(kept[0]) >= most or barren >= BARREN_BATCHES:
            break
    return kept[0][:most]


def _from_rows(values: np.ndarray, columns: np.ndarray, numeric: np.ndarray, medians: np.ndarray) -> Predicates:
    """Conditions that the rows themselves fulfil; extreme numbers single out better than equal ones."""
    open_ = numeric[columns] & (values != MISSING)
    above = values > medians[columns]
    low, high = np.where(open_ & ~above, -LARGEST, values), np.where(open_ & above, LARGEST, values)
    return Predicates(columns, low, high, np.zeros(values.shape, dtype=bool))


def random_predicates(
    table: np.ndarray, numeric: np.ndarray, count: int, width: int, rng: np.random.Generator
) -> Predicates:
    """Random conditions: a random value that occurs, missing included, and a random comparison."""
    columns = rng.random((count, len(table))).argpartition(width - 1, axis=1)[:, :width]
    values = np.empty(columns.shape)
    for at, column in enumerate(table):
        here = columns == at
        values[here] = rng.choice(np.unique(column), size=int(here.sum()))
    # 0 equal, 1 unequal, 2 above, 3 below, 4 at least, 5 at most; categories know the first two only.
    comparison = rng.integers(np.where(numeric[columns], 6, 2))
    missing = values == MISSING
    known_only = missing & (comparison > 0)
    low = np.select([comparison == 2, np.isin(comparison, (3, 5))], [np.nextafter(values, np.inf), -LARGEST], values)
    high = np.select([comparison == 3, np.isin(comparison, (2, 4))], [np.nextafter(values, -np.inf), LARGEST], values)
    low, high = np.where(known_only, -LARGEST, low), np.where(known_only, LARGEST, high)
    return Predicates(columns, low, high, (comparison == 1) & ~missing)
