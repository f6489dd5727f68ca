"""Classifier two-sample test: can boosted trees tell real from synthetic patients?

Belongs here: the test and its references. Does not belong here: prediction of outcomes (``utility``), or telling
members from non-members (``attacks``).

Training patients are told from synthetic ones, because every other distance of this room is to train; the same size
on both sides, so that 0.5 is guessing. Train against holdout shows what chance gives, and independent columns what a
table without associations gives. A bootstrap copy falls below 0.5, because its twins carry the other label, and so may
shuffled columns, whose values are train's.

The AUC is the mean over five folds. Its interval takes the mean of DeLong's variances of the folds, widened after
Nadeau and Bengio, because folds share their training rows: without that, intervals of two tables of one distribution
held 0.5 in 81 to 90 of 100 repetitions, with it in 95 or more (150 and 1,000 rows a side).

References
----------
Lopez-Paz and Oquab, 2017, ICLR (classifier two-sample test). Nadeau and Bengio, 2003, Machine Learning 52:239
(variance over folds). DeLong, DeLong and Clarke-Pearson, 1988, Biometrics 44:837.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from metrics.discrimination import Interval, delong
from metrics.fidelity.references import FULL, MATCHED, Compared, sample
from metrics.plain import plain
from metrics.utility.features import design_matrix, native_categories
from records.schema import Column

FOLDS = 5
MOST_ROWS = 10_000
FEWEST_ROWS = 50
FEWEST_KNOWN = 20


@dataclass(frozen=True)
class TwoSampleReport:
    """Aggregates only; figures are ``None`` where ``reason`` says why.

    Parameters
    ----------
    auc : mapping of str to Interval or None
        Table (see ``references``) to the AUC of telling it from train, 0.5 (the same) to 1 (told apart); ``None``
        for a table of fewer than 50 rows.
    rows : mapping of str to int
        Rows of each side, at most 10,000, drawn at random; a small table uses all it has.
    """

    reason: str | None
    auc: Mapping[str, Interval | None] | None = None
    rows: Mapping[str, int] | None = None
    classifier: str = "histogram gradient boosting, 60 trees of 8 leaves, five-fold cross-validation"

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def two_sample(tables: Compared, *, rng: np.random.Generator) -> TwoSampleReport:
    """Tell every table from train.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws rows, folds and the seeds of boosting.
    """
    height = {name: frame.height for name, frame in tables.frames.items()}
    full = min(height["train"], height["synthetic"], MOST_ROWS)
    matched = min(full, height["holdout"])
    if tables.reason is not None or full < FEWEST_ROWS:
        few = f"{full} rows a side are too few for a classifier, at least {FEWEST_ROWS} are needed"
        return TwoSampleReport(tables.reason or few)
    rows: dict[str, int] = {name: full for name in FULL} | {name: matched for name in MATCHED}
    areas = {name: _told(tables, name, rows[name], rng) for name in rows}
    return TwoSampleReport(None, areas, rows)


def _told(tables: Compared, name: str, size: int, rng: np.random.Generator) -> Interval | None:
    if size < FEWEST_ROWS:
        return None
    sides = [sample(tables.frames[side], size, rng) for side in (name, "train")]
    matrix = design_matrix(pl.concat(sides), tables.columns)
    return cross_validated_auc(matrix, np.arange(2 * size) < size, tables.columns, rng)


def cross_validated_auc(
    matrix: np.ndarray, label: np.ndarray, columns: Sequence[Column], rng: np.random.Generator
) -> Interval:
    """Mean AUC over five stratified folds, with its 95 % interval.

    Parameters
    ----------
    matrix : numpy.ndarray of float, shape (rows, columns)
        As ``utility.features.design_matrix`` gives it.
    label : numpy.ndarray of bool, shape (rows,)
    """
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    model = _boosting(columns, int(rng.integers(2**31)))
    # Trees refuse a column without a value in a fold; whether it is known is then all there is to tell.
    missing = np.isnan(matrix)
    matrix = np.where((~missing).sum(axis=0) < FEWEST_KNOWN, missing, matrix)
    with threadpool_limits(limits=1):
        found = [
            delong(model.fit(matrix[fit], label[fit]).predict_proba(matrix[test])[:, 1], label[test])
            for fit, test in folds.split(matrix, label)
        ]
    value = float(np.mean([fold.value for fold in found]))
    return _interval(value, found)


def _interval(value: float, folds: Sequence[Interval]) -> Interval:
    # The wider side: the narrower one may be clipped at 0 or 1.
    halves = np.array([max(fold.upper - fold.value, fold.value - fold.lower) for fold in folds])
    half = float(np.sqrt((1 / FOLDS + 1 / (FOLDS - 1)) * (halves**2).mean()))
    return Interval(value, max(0.0, value - half), min(1.0, value + half))


def _boosting(columns: Sequence[Column], seed: int) -> HistGradientBoostingClassifier:
    settings: dict[str, Any] = {  # its type stubs know texts only
        "early_stopping": False,
        "categorical_features": native_categories(columns) or None,
    }
    return HistGradientBoostingClassifier(
        max_iter=60,
        learning_rate=0.1,
        max_leaf_nodes=8,
        min_samples_leaf=10,
        l2_regularization=1.0,
        max_bins=64 if all(len(c.levels) < 64 for c in columns) else 255,
        random_state=seed,
        **settings,
    )
