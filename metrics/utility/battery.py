"""A battery of common tests between each column and the outcome.

Belongs here: which tests are done on a table, and their results. Does not belong here: what the results on a synthetic
table are worth (``inference_validity``, ``error_rates``).

Numbers: Mann-Whitney, logistic regression on the number, Cox regression on the number. Categories: chi-squared,
log-rank, and logistic regression where there are two levels. Rows with a missing value are left out of that column's
tests. A test needs 10 rows of each class, or 10 events.

References
----------
Holm, 1979, Scand J Stat 6:65. Mann and Whitney, 1947, Ann Math Stat 18:50.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import chi2_contingency, mannwhitneyu, norm

from metrics.discrimination import Z95, delong
from metrics.utility.features import feature_columns
from metrics.utility.logistic import logistic_regression
from metrics.utility.survival_tests import cox_on_one, log_rank
from records.outcome import binary_outcome
from records.schema import Column, Kind, Outcome, Schema

FEWEST = 10
UNKNOWN = float("nan")
LABELS = {
    "mann_whitney": "Mann-Whitney",
    "chi_squared": "chi-squared",
    "logistic": "logistic regression",
    "log_rank": "log-rank",
    "cox": "Cox regression",
}


@dataclass(frozen=True)
class Association:
    """Result of one test; ``p_value`` is NaN where it could not be done, ``value`` where it has no single effect.

    Parameters
    ----------
    test, column : str
    p_value : float
        Two-sided.
    value, error : float
        Effect and standard error: chance that a case exceeds a control less one half, or log odds (hazard) ratio per
        unit.
    """

    test: str
    column: str
    p_value: float
    value: float = UNKNOWN
    error: float = UNKNOWN

    @property
    def lower(self) -> float:
        """Lower 95 % limit of the effect."""
        return self.value - Z95 * self.error

    @property
    def upper(self) -> float:
        """Upper 95 % limit of the effect."""
        return self.value + Z95 * self.error


def battery(frame: pl.DataFrame, schema: Schema, outcome: Outcome) -> list[Association]:
    """Every test of a table, in an order that depends on the schema only.

    Parameters
    ----------
    frame : polars.DataFrame
        Schema form.
    """
    label = binary_outcome(frame, schema, outcome)
    time, event = _follow_up(frame, schema)
    found: list[Association] = []
    for column in feature_columns(schema, outcome):
        values = frame[column.name]
        known = (values.is_not_null() & label.is_not_null()).to_numpy()
        found += _against_label(column, _numbers(values, known), label.filter(pl.Series(known)).to_numpy().astype(bool))
        if time is not None and event is not None:
            followed = values.is_not_null().to_numpy() & np.isfinite(time)
            found += _against_time(column, _numbers(values, followed), time[followed], event[followed])
    return found


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values, shape of ``p_values``; NaN stays NaN and does not count."""
    raw = np.asarray(p_values, dtype=float)
    adjusted = np.full(raw.shape, np.nan)
    order = np.argsort(raw)[: int(np.isfinite(raw).sum())]
    steps = raw[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def _against_label(column: Column, values: np.ndarray, label: np.ndarray) -> Iterator[Association]:
    enough = min(label.sum(), (~label).sum()) >= FEWEST
    if column.kind is not Kind.CATEGORY:
        yield _mann_whitney(column.name, values, label) if enough else Association("mann_whitney", column.name, UNKNOWN)
        yield _logistic(column.name, values, label) if enough else Association("logistic", column.name, UNKNOWN)
        return
    yield Association("chi_squared", column.name, _chi_squared(values, label) if enough else UNKNOWN)
    if len(column.levels) == 2:
        yield _logistic(column.name, values, label) if enough else Association("logistic", column.name, UNKNOWN)


def _against_time(column: Column, values: np.ndarray, time: np.ndarray, event: np.ndarray) -> Iterator[Association]:
    enough = event.sum() >= FEWEST
    if column.kind is Kind.CATEGORY:
        yield Association("log_rank", column.name, log_rank(time, event, values.astype(int)) if enough else UNKNOWN)
        return
    value, error = cox_on_one(time, event, values) if enough else (UNKNOWN, UNKNOWN)
    yield Association("cox", column.name, _two_sided(value, error), value, error)


def _mann_whitney(name: str, values: np.ndarray, label: np.ndarray) -> Association:
    if np.ptp(values) == 0:
        return Association("mann_whitney", name, 1.0)
    p_value = float(mannwhitneyu(values[label], values[~label], method="asymptotic").pvalue)
    area = delong(values, label)
    error = max(area.upper - area.value, area.value - area.lower) / Z95
    return Association("mann_whitney", name, p_value, area.value - 0.5, error)


def _logistic(name: str, values: np.ndarray, label: np.ndarray) -> Association:
    spread = float(values.std())
    if spread == 0:
        return Association("logistic", name, UNKNOWN)
    design = np.column_stack([np.ones(values.size), (values - values.mean()) / spread])
    values_, errors = logistic_regression(design, label)
    value, error = float(values_[1]) / spread, float(errors[1]) / spread
    return Association("logistic", name, _two_sided(value, error), value, error)


def _chi_squared(values: np.ndarray, label: np.ndarray) -> float:
    levels, codes = np.unique(values, return_inverse=True)
    if len(levels) < 2:
        return UNKNOWN
    table = np.bincount(codes * 2 + label, minlength=2 * len(levels)).reshape(-1, 2)
    return float(chi2_contingency(table, correction=False).pvalue)  # type: ignore[attr-defined]


def _two_sided(value: float, error: float) -> float:
    return float(2 * norm.sf(abs(value) / error)) if np.isfinite(value) else UNKNOWN


def _numbers(values: pl.Series, known: np.ndarray) -> np.ndarray:
    kept = values.filter(pl.Series(known))
    return (kept if kept.dtype.is_numeric() else kept.to_physical()).cast(pl.Float64).to_numpy()


def _follow_up(frame: pl.DataFrame, schema: Schema) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Time (NaN where it or the event is unknown) and event."""
    if schema.time is None or schema.event is None:
        return None, None
    unknown = frame[schema.event.name].is_null().to_numpy()
    time = frame[schema.time.name].cast(pl.Float64).fill_null(UNKNOWN).to_numpy()
    event = (frame[schema.event.name].cast(pl.String) == "1").fill_null(False).to_numpy()
    return np.where(unknown, UNKNOWN, time), event
