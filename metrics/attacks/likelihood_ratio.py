"""Gaussian likelihood ratio of membership per target, from fits with and without it, and the certainty of its AUC.

Belongs here: the statistics of a shadow attack on numbers. Does not belong here: fits (``shadow``) or queries
(``shadow_features``).

Fits come in pairs whose training tables are complementary halves of the pool, so each target is in one fit of each
pair. For a target, the answers of the fits with it and of those without it are taken as Gaussian with their own means
and a common covariance; its correlations are pooled over targets. The pair that is judged is left out of the means:
leaving out one fit alone would push the other fits' mean away from it and find an AUC below 0.5 where nothing is to be
found. With some 30 pairs the means of a single target are noisy; they are drawn towards the mean over all targets as
far as their spread does not exceed the noise (empirical Bayes).

The fits, not the targets, are the independent units, and scores of different pairs share the other pairs' means. A
bootstrap over pairs of the scores as they are misses this: its 95 % interval covered 0.5 in 76 % of simulations
without a leak. The jackknife that leaves out a pair and computes everything anew covered 98 to 99 %, and 96 to 98 %
with a leak (32 pairs, 50 targets, 120 simulations each).

References
----------
Carlini et al., 2022, IEEE S&P (LiRA). Efron and Stein, 1981, Ann. Statist. 9:586 (jackknife variance is conservative).
"""

import numpy as np
from scipy.stats import t

from metrics.discrimination import Interval, auc

RIDGE = 0.05
SMALLEST_SPREAD = 1e-9


def likelihood_ratios(inside: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log likelihood ratio of membership of each target in each fit, its own pair left out.

    Parameters
    ----------
    inside, outside : numpy.ndarray, shape (pairs, targets, queries)
        Answers of the fit of each pair with (without) the target; at least 3 pairs.

    Returns
    -------
    tuple of numpy.ndarray of float, each of shape (pairs, targets)
        Of the fits with and without the target.
    """
    pairs = len(inside)
    means = [(x.sum(axis=0) - x) / (pairs - 1) for x in (inside, outside)]
    residuals = np.concatenate([x - x.mean(axis=0) for x in (inside, outside)])
    spread = np.sqrt((residuals**2).sum(axis=0) / (2 * pairs - 2)) + SMALLEST_SPREAD
    shift = _shrunk((means[0] - means[1]) / spread, noise=2 / (pairs - 1))
    direction = shift @ np.linalg.inv(_correlation(residuals / spread)) / spread
    centre = (means[0] + means[1]) / 2
    found, wrong = (((x - centre) * direction).sum(axis=2) for x in (inside, outside))
    return found, wrong


def _shrunk(shift: np.ndarray, *, noise: float) -> np.ndarray:
    """Standardised differences of means, drawn towards their mean over the targets, shape (pairs, targets, queries)."""
    common = shift.mean(axis=1, keepdims=True)
    true = np.maximum(0.0, ((shift - common) ** 2).mean(axis=1, keepdims=True) - noise)
    return common + true / (true + noise) * (shift - common)


def _correlation(residuals: np.ndarray) -> np.ndarray:
    flat = residuals.reshape(-1, residuals.shape[-1])
    return flat.T @ flat / max(len(flat), 1) + RIDGE * np.eye(flat.shape[1])


def shadow_auc(inside: np.ndarray, outside: np.ndarray) -> Interval:
    """AUC over all targets and fits with the jackknife's 95 % interval over pairs of fits.

    Parameters
    ----------
    inside, outside : numpy.ndarray, shape (pairs, targets, queries)
        At least 4 pairs.
    """
    value, pairs = _pooled_auc(inside, outside), len(inside)
    without = np.array([_pooled_auc(np.delete(inside, p, 0), np.delete(outside, p, 0)) for p in range(pairs)])
    error = float(np.sqrt((pairs - 1) / pairs * ((without - without.mean()) ** 2).sum()))
    half = float(t.ppf(0.975, pairs - 1)) * error
    return Interval(value, max(0.0, value - half), min(1.0, value + half))


def _pooled_auc(inside: np.ndarray, outside: np.ndarray) -> float:
    found, wrong = likelihood_ratios(inside, outside)
    return auc(np.concatenate([found.ravel(), wrong.ravel()]), np.arange(2 * found.size) < found.size)
