"""Area under the ROC curve with its intervals, and the curve on a fixed grid.

Belongs here: rank statistics on scores and labels. Does not belong here: where the scores come from (``utility``,
``membership``). Nothing returned has one entry per patient.

References
----------
DeLong, DeLong and Clarke-Pearson, 1988, Biometrics 44:837. Clopper and Pearson, 1934, Biometrika 26:404.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, rankdata
from sklearn.metrics import roc_curve

Z95 = 1.959963984540054
GRID = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval."""

    value: float
    lower: float
    upper: float


def resampling_weights(rows: int, bootstraps: int, rng: np.random.Generator) -> np.ndarray:
    """How often each patient is drawn in each bootstrap resample.

    Returns
    -------
    numpy.ndarray of float, shape (bootstraps, rows)
        Each row adds up to ``rows``.
    """
    drawn = rng.integers(rows, size=(bootstraps, rows)) + np.arange(bootstraps)[:, None] * rows
    return np.bincount(drawn.ravel(), minlength=bootstraps * rows).reshape(bootstraps, rows).astype(float)


def weighted_aucs(score: np.ndarray, label: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """AUC of each resample, ties counted half.

    Parameters
    ----------
    score, label : numpy.ndarray, shape (rows,)
    weights : numpy.ndarray, shape (resamples, rows)

    Returns
    -------
    numpy.ndarray of float, shape (resamples,)
        NaN where a resample holds one class only.
    """
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf) > 0)
    positive = np.add.reduceat((weights * label)[:, order], starts, axis=1)
    negative = np.add.reduceat((weights * ~label)[:, order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    wins = (positive * below).sum(axis=1)
    return np.divide(wins, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def auc(score: np.ndarray, label: np.ndarray) -> float:
    """AUC: the chance that a case scores above a control, ties counted half; NaN with one class."""
    return float(weighted_aucs(score, label, np.ones((1, len(label))))[0])


def percentile_interval(value: float, resampled: np.ndarray) -> Interval:
    """Percentile bootstrap interval; NaN bounds if no resample is usable."""
    usable = resampled[np.isfinite(resampled)]
    lower, upper = np.quantile(usable, [0.025, 0.975]) if usable.size else (np.nan, np.nan)
    return Interval(value, float(lower), float(upper))


def delong(score: np.ndarray, label: np.ndarray) -> Interval:
    """AUC with DeLong's interval, clipped to 0..1."""
    cases, controls = score[label], score[~label]
    ranks = rankdata(np.concatenate([cases, controls]))
    case_part = (ranks[: len(cases)] - rankdata(cases)) / len(controls)
    control_part = 1 - (ranks[len(cases) :] - rankdata(controls)) / len(cases)
    value = float(case_part.mean())
    half = Z95 * float(np.sqrt(case_part.var(ddof=1) / len(cases) + control_part.var(ddof=1) / len(controls)))
    return Interval(value, max(0.0, value - half), min(1.0, value + half))


def clopper_pearson(hits: int, trials: int) -> Interval:
    """A share with its exact 95 % interval."""
    lower = float(beta.ppf(0.025, hits, trials - hits + 1)) if hits else 0.0
    upper = float(beta.ppf(0.975, hits + 1, trials - hits)) if hits < trials else 1.0
    return Interval(hits / trials, lower, upper)


def roc_on_grid(score: np.ndarray, label: np.ndarray) -> dict[str, np.ndarray]:
    """ROC curve at 101 false positive rates.

    Returns
    -------
    dict
        ``fpr`` and ``tpr``, each of shape (101,).
    """
    fpr, tpr, _ = roc_curve(label, score)
    return {"fpr": GRID, "tpr": np.interp(GRID, fpr, tpr)}
