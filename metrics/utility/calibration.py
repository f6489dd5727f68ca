"""Calibration: do predicted risks match what happened?

Belongs here: the Brier score and calibration points of groups of patients. Does not belong here: recalibration.
"""

import numpy as np

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
