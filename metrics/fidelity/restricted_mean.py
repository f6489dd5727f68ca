"""Restricted mean survival time and its variance.

Belongs here: the estimate for one group. Does not belong here: differences between tables (``survival``) or the curve
(``kaplan_meier``).

References
----------
Royston and Parmar, 2013, BMC Med Res Methodol 13:152. Klein and Moeschberger, 2003, Survival Analysis, section 4.5
(variance).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RestrictedMean:
    """Mean time to the event up to a horizon: ``value`` in units of time, ``variance`` of the estimate."""

    value: float
    variance: float


def restricted_mean(time: np.ndarray, event: np.ndarray, horizon: float) -> RestrictedMean:
    """Area under the Kaplan-Meier curve up to ``horizon``, with the variance of Greenwood's kind.

    Parameters
    ----------
    time : numpy.ndarray of float, shape (patients,)
        Follow-up, not below 0; at least one patient.
    event : numpy.ndarray of bool, shape (patients,)
    horizon : float
        At most the longest follow-up; beyond it the curve is held flat.
    """
    times, where = np.unique(time, return_inverse=True)
    deaths = np.bincount(where, weights=event.astype(float), minlength=len(times))
    left = np.bincount(where, minlength=len(times))
    at_risk = len(time) - np.cumsum(left) + left
    survival = np.cumprod(1 - deaths / at_risk)
    steps = np.minimum(np.concatenate([[0.0], times, [horizon]]), horizon)
    areas = np.append(1.0, survival) * np.maximum(np.diff(steps), 0.0)
    after = areas.sum() - np.cumsum(areas)[:-1]
    alive = at_risk - deaths
    hazard = np.divide(deaths, at_risk * alive, out=np.zeros(len(times)), where=alive > 0)
    return RestrictedMean(float(areas.sum()), float((after**2 * hazard)[times <= horizon].sum()))
