"""Calibration: do predicted risks match what happened?

Belongs here: the Brier score, calibration points of groups of patients, and the calibration slope and intercept. Does
not belong here: changing a model's predictions.

References
----------
Brier, 1950, Mon Weather Rev 78:1. Cox, 1958, Biometrika 45:562. Van Calster et al., 2019, BMC Med 17:230 (hierarchy).
"""

import numpy as np
from scipy.special import logit

from metrics.discrimination import Z95
from metrics.utility.logistic import logistic_regression

SMALLEST_PROBABILITY = 1e-6
FEWEST_IN_BIN = 10
USUAL_IN_BIN = 25
MOST_BINS = 10


def brier(probability: np.ndarray, label: np.ndarray) -> float:
    """Mean squared error of the predicted probability, 0 (perfect) to 1 (Brier, 1950)."""
    return float(np.mean((probability - label) ** 2))


def calibration_points(probability: np.ndarray, label: np.ndarray) -> list[dict[str, float]]:
    """Mean predicted and observed risk in groups of equal size, sorted by prediction.

    Returns
    -------
    list of dict
        ``predicted``, ``observed`` (0 to 1) and ``rows`` (at least 10); at most 10 groups, none if patients are few.
    """
    if len(label) < FEWEST_IN_BIN:
        return []
    bins = min(MOST_BINS, max(1, len(label) // USUAL_IN_BIN))
    groups = np.array_split(np.argsort(probability, kind="stable"), bins)
    return [
        {"predicted": float(probability[g].mean()), "observed": float(label[g].mean()), "rows": len(g)} for g in groups
    ]


def recalibration(probability: np.ndarray, label: np.ndarray) -> dict[str, float]:
    """Calibration slope and intercept: logistic regression of the outcome on the logit of the predicted risk.

    A slope below 1 says that predictions are too extreme, above 1 too timid. Calibration in the large is the intercept
    with the slope held at 1: below 0 says that risks are too high on average.

    Parameters
    ----------
    probability, label : numpy.ndarray, shape (rows,)

    Returns
    -------
    dict
        ``calibration_slope``, ``calibration_intercept``, ``calibration_in_the_large``, each with ``_lower`` and
        ``_upper`` (Wald, 95 %); NaN where the likelihood has no maximum (one class, constant or separating risks).
    """
    scores = logit(np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))
    ones = np.ones(len(label))
    joint, joint_error = logistic_regression(np.column_stack([ones, scores]), label)
    large, large_error = logistic_regression(ones[:, None], label, scores)
    names = ("calibration_intercept", "calibration_slope", "calibration_in_the_large")
    values, errors = np.append(joint, large), np.append(joint_error, large_error)
    named = dict(zip(names, values, strict=True))
    named |= {f"{n}_lower": v - Z95 * e for n, v, e in zip(names, values, errors, strict=True)}
    return named | {f"{n}_upper": v + Z95 * e for n, v, e in zip(names, values, errors, strict=True)}
