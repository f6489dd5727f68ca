"""Logistic regression without penalty, by Newton's method, with standard errors.

Belongs here: maximum likelihood for few terms. Does not belong here: classifiers (``classifiers``), which are penalised
and have no standard errors.
"""

import numpy as np
from scipy.special import expit

STEPS = 50
TOLERANCE = 1e-10
LARGEST_COEFFICIENT = 50.0


def logistic_regression(
    design: np.ndarray, label: np.ndarray, offset: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Maximum likelihood coefficients and their standard errors.

    Parameters
    ----------
    design : numpy.ndarray of float, shape (rows, terms)
        Terms of about unit scale; a column of ones is the intercept.
    label : numpy.ndarray of bool, shape (rows,)
    offset : numpy.ndarray of float, shape (rows,), or float

    Returns
    -------
    value, error : numpy.ndarray of float, shape (terms,)
        NaN where the likelihood has no maximum (one class, constant term, separation).
    """
    unknown = np.full(design.shape[1], np.nan)
    value = np.zeros(design.shape[1])
    for _ in range(STEPS):
        risk = expit(design @ value + offset)
        information = (design * (risk * (1 - risk))[:, None]).T @ design
        if np.linalg.matrix_rank(information) < len(value) or np.abs(value).max() > LARGEST_COEFFICIENT:
            return unknown, unknown
        step = np.linalg.solve(information, design.T @ (label - risk))
        value = value + step
        if np.abs(step).max() < TOLERANCE:
            return value, np.sqrt(np.diag(np.linalg.inv(information)))
    return unknown, unknown
