"""Cumulative incidence of competing events.

Belongs here: the estimator of Aalen and Johansen. Does not belong here: one event alone (``kaplan_meier``), regression,
or drawing (``plot_trajectories``).

References
----------
Aalen and Johansen, 1978, Scand J Stat 5:141.
"""

import numpy as np


def cumulative_incidence(time: np.ndarray, event: np.ndarray, kinds: int, grid: np.ndarray) -> np.ndarray:
    """Chance that each kind of event has happened by each time.

    Parameters
    ----------
    time : numpy.ndarray of float, shape (patients,)
        Follow-up; at least one patient.
    event : numpy.ndarray of int, shape (patients,)
        0 censored, else 1 to ``kinds``.
    grid : numpy.ndarray of float, shape (times,)

    Returns
    -------
    numpy.ndarray of float, shape (kinds, times)
        0 to 1; the kinds add up to one minus the event-free survival.
    """
    times, where = np.unique(time, return_inverse=True)
    counts = np.stack([np.bincount(where, weights=event == k, minlength=times.size) for k in range(kinds + 1)])
    left = counts.sum(axis=0)
    at_risk = time.size - np.concatenate([[0], np.cumsum(left)[:-1]])
    free = np.cumprod(1 - counts[1:].sum(axis=0) / at_risk)
    jumps = np.concatenate([[1.0], free[:-1]]) * counts[1:] / at_risk
    reached = np.concatenate([np.zeros((kinds, 1)), np.cumsum(jumps, axis=1)], axis=1)
    return reached[:, np.searchsorted(times, grid, side="right")]
