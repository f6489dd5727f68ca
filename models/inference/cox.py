"""Cox regression by Newton's method on sorted arrays: pooling fits it to a hundred tables.

Belongs here: the partial likelihood. Does not belong here: tables and their columns (``estimates``).
"""

import numpy as np

STEPS = 30


def cox_regression(time: np.ndarray, event: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log hazard ratios and their covariance (Cox, 1972; ties by Breslow, 1974).

    Parameters
    ----------
    time : numpy.ndarray of float, shape (n,)
    event : numpy.ndarray of bool, shape (n,)
    design : numpy.ndarray of float, shape (n, k)

    Returns
    -------
    value : numpy.ndarray of float, shape (k,)
        Not finite where the likelihood has no maximum.
    covariance : numpy.ndarray of float, shape (k, k)
    """
    order = np.argsort(-time, kind="stable")
    x, events = design[order] - design.mean(axis=0), event[order]
    # Those at risk at a time are all rows down to the last one of that time.
    last = np.searchsorted(-time[order], -time[order][events], side="right") - 1
    value, information = np.zeros(x.shape[1]), np.eye(x.shape[1])
    for _ in range(STEPS):
        weight = np.exp(x @ value)
        at_risk = np.cumsum(weight)[last]
        first = np.cumsum(weight[:, None] * x, axis=0)[last] / at_risk[:, None]
        products = (weight[:, None, None] * x[:, :, None] * x[:, None, :]).cumsum(axis=0)[last]
        information = (products / at_risk[:, None, None]).sum(axis=0) - first.T @ first
        if not np.isfinite(information).all() or np.linalg.matrix_rank(information) < len(value):
            return np.full_like(value, np.nan), np.full_like(information, np.nan)
        step = np.linalg.solve(information, (x[events] - first).sum(axis=0))
        value = value + step
        if np.abs(step).max() < 1e-8:
            return value, np.linalg.inv(information)
    return np.full_like(value, np.nan), np.full_like(information, np.nan)
