"""Kaplan-Meier curves and the gap between two of them.

Belongs here: the estimator, its confidence band and the gap. Does not belong here: survival models, or the drawing
(``plots``).

References
----------
Kaplan and Meier, 1958, J Am Stat Assoc 53:457. Greenwood, 1926. The band is pointwise 95 % on the log-log scale
(Kalbfleisch and Prentice, 1980).
"""

from dataclasses import dataclass

import numpy as np

Z95 = 1.959963984540054
FEWEST_AT_RISK = 10


@dataclass(frozen=True)
class Curve:
    """A step function: ``survival[i]`` holds from ``times[i]`` to the next time; arrays of shape (steps,)."""

    times: np.ndarray
    survival: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    at_risk: np.ndarray
    last: float

    def at(self, grid: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
        """Values of the step function on ``grid``, shape of ``grid``; ``values`` defaults to the survival."""
        steps = np.searchsorted(self.times, grid, side="right") - 1
        return (self.survival if values is None else values)[steps]

    def shown(self, grid: np.ndarray) -> dict[str, list[float | None]]:
        """Curve and band on ``grid``; ``None`` where fewer than ten patients are still at risk."""
        few = np.searchsorted(self.times, grid, side="left")
        enough = np.append(self.at_risk, 0.0)[few] >= FEWEST_AT_RISK
        kept = {"survival": self.survival, "lower": self.lower, "upper": self.upper}
        return {
            name: [float(v) if ok else None for v, ok in zip(self.at(grid, values), enough, strict=True)]
            for name, values in kept.items()
        }


def kaplan_meier(time: np.ndarray, event: np.ndarray) -> Curve:
    """Product-limit estimate.

    Parameters
    ----------
    time : numpy.ndarray of float, shape (patients,)
        Follow-up, at least one patient.
    event : numpy.ndarray of bool, shape (patients,)
        ``True`` event at ``time``, ``False`` censored.
    """
    times, where = np.unique(time, return_inverse=True)
    deaths = np.bincount(where, weights=event.astype(float), minlength=len(times))
    left = np.bincount(where, minlength=len(times))
    at_risk = len(time) - np.concatenate([[0], np.cumsum(left)[:-1]])
    survival = np.cumprod(1 - deaths / at_risk)
    lower, upper = (np.append(1.0, bound) for bound in _band(survival, deaths, at_risk))
    before = np.append(float(len(time)), at_risk)
    return Curve(np.append(-np.inf, times), np.append(1.0, survival), lower, upper, before, float(times[-1]))


def _band(survival: np.ndarray, deaths: np.ndarray, at_risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(deaths / (at_risk * (at_risk - deaths)))
        half = Z95 * np.sqrt(variance) / np.abs(np.log(survival))
        lower, upper = survival ** np.exp(half), survival ** np.exp(-half)
    flat = ~np.isfinite(half)
    return np.where(flat, survival, lower), np.where(flat, survival, upper)


@dataclass(frozen=True)
class Gap:
    """Difference of two curves up to ``horizon``.

    Parameters
    ----------
    largest : float
        Maximum absolute difference of survival, 0 to 1.
    mean : float
        Integrated absolute difference divided by the horizon, 0 to 1.
    restricted_mean : float
        Signed difference of restricted mean survival times (second minus first), in units of time.
    """

    largest: float
    mean: float
    restricted_mean: float


def gap(first: Curve, second: Curve, horizon: float) -> Gap:
    """Gap between two curves from 0 to ``horizon``, exact on the union of their steps."""
    steps = np.unique(np.concatenate([[0.0], first.times[1:], second.times[1:]]))
    starts = steps[(steps >= 0) & (steps <= horizon)]
    widths = np.diff(np.append(starts, horizon))
    difference = second.at(starts) - first.at(starts)
    area = float(np.abs(difference) @ widths)
    return Gap(float(np.abs(difference).max()), area / horizon if horizon > 0 else 0.0, float(difference @ widths))
