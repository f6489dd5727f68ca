"""What is compared between two sets of histories: visits, gaps, levels over time, persistence, events, change.

Belongs here: statistics of one set of histories, and distances between two. Does not belong here: their uncertainty
or the report (``trajectories``).
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from metrics.fidelity.competing_risks import cumulative_incidence
from metrics.fidelity.paths import Paths
from records.discretisation import edges
from records.longitudinal import LongitudinalSchema

YEAR = 365.25
CHANGE_YEARS = (1, 2, 5)
NEAR = 0.3  # a visit counts for a year if it lies within this share of a year per year, at most one year
QUANTILES = (0.1, 0.5, 0.9)
POINTS = 60

Statistics = dict[str, np.ndarray]


@dataclass(frozen=True)
class Frame:
    """Where statistics are taken: public facts of the schema.

    Parameters
    ----------
    bands : numpy.ndarray of float, shape (bands + 1,)
        Edges of the bands of days since the first visit.
    gaps : numpy.ndarray of float, shape (gap bins + 1,)
    grid : numpy.ndarray of float, shape (points,)
        Days at which cumulative incidence is taken.
    """

    bands: np.ndarray
    gaps: np.ndarray
    grid: np.ndarray
    kinds: int
    most_visits: int

    @classmethod
    def of(cls, schema: LongitudinalSchema) -> "Frame":
        """The codebook's bands and gaps, and 60 points up to the last inner edge of follow-up."""
        horizon = edges(schema.follow_up)[-2]
        grid = np.linspace(0, horizon, POINTS)
        return cls(edges(schema.visits[schema.day]), edges(schema.gap), grid, len(schema.terminal), schema.most_visits)


def statistics(paths: Paths, frame: Frame) -> Statistics:
    """All statistics of one set of histories.

    Returns
    -------
    dict of str to numpy.ndarray of float
        ``visits`` (most_visits,) and ``gaps`` (bins,): shares. ``mean`` (measurements, bands) and ``quantiles``
        (3, measurements, bands). ``lag``: rank correlation of a measurement with the patient's next (measurements,).
        ``incidence`` (kinds, points). ``change`` from the first visit (measurements, 3). NaN where there is nobody.
    """
    number = np.minimum(np.bincount(paths.patient, minlength=paths.patients), frame.most_visits)
    gap = np.diff(paths.day)[paths.same]
    band = np.searchsorted(frame.bands[1:-1], paths.day, side="right")
    bands = [paths.values[:, band == b] for b in range(frame.bands.size - 1)]
    return {
        "visits": np.bincount(number, minlength=frame.most_visits + 1)[1:] / paths.patients,
        "gaps": np.histogram(gap, frame.gaps)[0] / max(gap.size, 1),
        "mean": np.stack([_over(np.nanmean, values) for values in bands], axis=1),
        "quantiles": np.stack([[_over(np.nanquantile, v, q) for v in bands] for q in QUANTILES]).transpose(0, 2, 1),
        "lag": np.array([_lag(values, paths.same) for values in paths.values]),
        "incidence": cumulative_incidence(paths.end, paths.event, frame.kinds, frame.grid),
        "change": np.stack([_change(paths, years) for years in CHANGE_YEARS], axis=1),
    }  # fmt: skip


def distances(one: Statistics, other: Statistics, scale: np.ndarray) -> dict[str, float]:
    """How far apart two sets of histories are, one number for each statistic.

    Parameters
    ----------
    scale : numpy.ndarray of float, shape (measurements,)
        Standard deviation of each measurement, the unit of means and changes.

    Returns
    -------
    dict of str to float
        ``visits``, ``gaps``: total variation, 0 to 1. ``mean``, ``change``: mean absolute difference in standard
        deviations. ``lag``: mean absolute difference of correlations. ``incidence``: largest difference, 0 to 1.
    """
    apart = {name: np.abs(one[name] - other[name]) for name in one}
    return {
        "visits": float(apart["visits"].sum() / 2),
        "gaps": float(apart["gaps"].sum() / 2),
        "mean": float(np.nanmean(apart["mean"] / scale[:, None])),
        "lag": float(np.nanmean(apart["lag"])),
        "incidence": float(apart["incidence"].max()),
        "change": float(np.nanmean(apart["change"] / scale[:, None])),
    }


def scales(paths: Paths) -> np.ndarray:
    """Standard deviation of each measurement over all visits, shape (measurements,)."""
    return np.maximum(np.nanstd(paths.values, axis=1), 1e-9)


def _over(measure: object, values: np.ndarray, *more: float) -> np.ndarray:
    """``measure`` of each row, NaN for a row without values."""
    known = [row[np.isfinite(row)] for row in values]
    return np.array([measure(row, *more) if row.size else np.nan for row in known])  # type: ignore[operator]


def _lag(values: np.ndarray, same: np.ndarray) -> float:
    now, later = values[:-1], values[1:]
    known = same & np.isfinite(now) & np.isfinite(later)
    if known.sum() < 3 or np.ptp(now[known]) == 0 or np.ptp(later[known]) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(now[known]), rankdata(later[known]))[0, 1])


def _change(paths: Paths, years: int) -> np.ndarray:
    """Mean difference to the first visit of the visit nearest to ``years``, among patients who have one near."""
    distance = np.abs(paths.day - years * YEAR)
    near = np.flatnonzero((distance <= min(NEAR * years, 1.0) * YEAR) & (paths.day > 0))
    order = near[np.lexsort((distance[near], paths.patient[near]))]
    kept = order[np.unique(paths.patient[order], return_index=True)[1]]
    first = np.searchsorted(paths.patient, paths.patient[kept])
    return _over(np.nanmean, paths.values[:, kept] - paths.values[:, first])
