"""Survival tests of one column, fast enough to be repeated thousands of times.

Belongs here: the log-rank test of several groups and Cox regression on one number. Does not belong here: Cox
regression on all columns (``survival_model``) or the choice of tests (``battery``).

References
----------
Peto and Peto, 1972, J R Stat Soc A 135:185. Cox, 1972, J R Stat Soc B 34:187. Breslow, 1974, Biometrics 30:89.
"""

import numpy as np
from scipy.stats import chi2

STEPS = 30
TOLERANCE = 1e-9
LARGEST_COEFFICIENT = 50.0


def log_rank(time: np.ndarray, event: np.ndarray, group: np.ndarray) -> float:
    """P-value of the log-rank test.

    Parameters
    ----------
    time : numpy.ndarray of float, shape (rows,)
    event : numpy.ndarray of bool, shape (rows,)
    group : numpy.ndarray of int, shape (rows,)
        Any numbers; each that occurs is a group.

    Returns
    -------
    float
        NaN with one group or without events.
    """
    groups, codes = np.unique(group, return_inverse=True)
    if len(groups) < 2 or not event.any():
        return float("nan")
    times, at = np.unique(time, return_inverse=True)
    shape, cell = (len(times), len(groups)), at * len(groups) + codes
    left = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    died = np.bincount(cell[event], minlength=shape[0] * shape[1]).reshape(shape)
    at_risk = np.cumsum(left[::-1], axis=0)[::-1]
    happens = died.sum(axis=1) > 0
    at_risk, died = at_risk[happens].astype(float), died[happens].astype(float)
    total, deaths = at_risk.sum(axis=1), died.sum(axis=1)
    share = at_risk / total[:, None]
    factor = deaths * (total - deaths) / np.maximum(total - 1, 1)
    covariance = np.diag((factor[:, None] * share).sum(axis=0)) - (factor[:, None] * share).T @ share
    gap = (died - deaths[:, None] * share).sum(axis=0)
    inverse = np.linalg.pinv(covariance, hermitian=True)
    return float(chi2.sf(gap @ inverse @ gap, len(groups) - 1))


def cox_on_one(time: np.ndarray, event: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Log hazard ratio per unit of ``values`` and its standard error; ties by Breslow.

    Parameters
    ----------
    time, values : numpy.ndarray of float, shape (rows,)
    event : numpy.ndarray of bool, shape (rows,)

    Returns
    -------
    value, error : float
        NaN where the partial likelihood has no maximum.
    """
    spread = float(values.std()) if values.size else 0.0
    if spread == 0 or not event.any():
        return float("nan"), float("nan")
    order = np.argsort(-time, kind="stable")
    x, died = (values[order] - values.mean()) / spread, event[order]
    # Those at risk at a time are all rows down to the last one of that time.
    last = np.searchsorted(-time[order], -time[order][died], side="right") - 1
    value = 0.0
    for _ in range(STEPS):
        # Where the likelihood has no maximum the sums overflow; the information is then no number and the search ends.
        with np.errstate(over="ignore", invalid="ignore"):
            weight = np.exp(x * value)
            total, first, second = (np.cumsum(weight * x**power)[last] for power in range(3))
            mean = first / total
            information = float((second / total - mean**2).sum())
        if not information > 0 or abs(value) > LARGEST_COEFFICIENT:
            break
        step = float((x[died] - mean).sum()) / information
        value += step
        if abs(step) < TOLERANCE:
            return value / spread, 1 / (np.sqrt(information) * spread)
    return float("nan"), float("nan")
