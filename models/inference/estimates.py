"""Estimates of common analyses on one table, each with its covariance.

Belongs here: means, proportions, Mann-Whitney, chi-squared, logistic and Cox regression. Does not belong here: pooling
over tables (``pooling``). Rows with a missing value in a column that an analysis needs are left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import rankdata

from models.inference.cox import cox_regression
from records.errors import ParameterError


@dataclass(frozen=True)
class Estimate:
    """Values, shape (k,), with covariance, shape (k, k), from ``rows`` rows."""

    names: tuple[str, ...]
    value: np.ndarray
    covariance: np.ndarray
    rows: int


Estimator = Callable[[pl.DataFrame], Estimate]


def mean(column: str) -> Estimator:
    """Mean of a numeric column."""

    def estimate(table: pl.DataFrame) -> Estimate:
        values = table[column].drop_nulls().cast(pl.Float64).to_numpy()
        return _single(f"mean of {column}", values.mean(), values.var(ddof=1) / values.size, table.height)

    return estimate


def proportion(column: str, level: str) -> Estimator:
    """Share of rows with ``level`` among those where the column is known."""

    def estimate(table: pl.DataFrame) -> Estimate:
        hits = (table[column].drop_nulls().cast(pl.String) == level).to_numpy()
        share = hits.mean()
        return _single(f"{column} = {level}", share, share * (1 - share) / hits.size, table.height)

    return estimate


def mann_whitney(column: str, group: str) -> Estimator:
    """Probability that a value of the second group exceeds one of the first, less one half; ties count half.

    Variance by placement values (DeLong, DeLong and Clarke-Pearson, 1988). ``group`` has two levels.
    """

    def estimate(table: pl.DataFrame) -> Estimate:
        known = table.select(column, group).drop_nulls()
        in_second = known[group].to_physical().to_numpy() == known[group].to_physical().max()
        values = _numbers(known[column])
        first, second = values[~in_second], values[in_second]
        ranks = rankdata(values)
        over_first = (ranks[in_second] - rankdata(second)) / max(first.size, 1)
        under_second = 1 - (ranks[~in_second] - rankdata(first)) / max(second.size, 1)
        variance = np.var(over_first, ddof=1) / second.size + np.var(under_second, ddof=1) / first.size
        return _single(f"{column} by {group}", over_first.mean() - 0.5, variance, table.height)

    return estimate


def chi_squared(one: str, other: str) -> Estimator:
    """Departures from independence of two categories, ``p_ij - p_i p_j`` for all but the last level of each.

    Under independence their joint test is the chi-squared test. Levels that no row has are left out by the pooling's
    pseudo-inverse.
    """

    def estimate(table: pl.DataFrame) -> Estimate:
        known = table.select(one, other).drop_nulls()
        sizes = [len(_levels(known[name])) for name in (one, other)]
        codes = [known[name].to_physical().to_numpy().astype(np.int64) for name in (one, other)]
        joint = np.bincount(codes[0] * sizes[1] + codes[1], minlength=sizes[0] * sizes[1]).reshape(sizes) / known.height
        rows, columns = joint.sum(axis=1), joint.sum(axis=0)
        departure = (joint - np.outer(rows, columns))[:-1, :-1].ravel()
        spread = [np.diag(p[:-1]) - np.outer(p[:-1], p[:-1]) for p in (rows, columns)]
        names = [f"{one} {i} x {other} {j}" for i in range(sizes[0] - 1) for j in range(sizes[1] - 1)]
        return Estimate(tuple(names), departure, np.kron(*spread) / known.height, table.height)

    return estimate


def logistic(outcome: Callable[[pl.DataFrame], pl.Series], covariates: Sequence[str]) -> Estimator:
    """Log odds ratios of a logistic regression, intercept left out.

    Parameters
    ----------
    outcome : callable
        Table to Boolean series, null where unknown (as ``records.outcome.binary_outcome``).
    covariates : sequence of str
        Numeric columns as they are; categories as one indicator per level but the first.
    """

    def estimate(table: pl.DataFrame) -> Estimate:
        import statsmodels.api as sm

        known = table.select(*covariates, outcome(table).alias("outcome")).drop_nulls()
        names, design = _design(known, covariates)
        family = sm.families.Binomial()
        fitted = sm.GLM(known["outcome"].cast(pl.Float64).to_numpy(), sm.add_constant(design), family=family).fit()
        return Estimate(names, fitted.params[1:], fitted.cov_params()[1:, 1:], table.height)

    return estimate


def cox(time: str, event: str, covariates: Sequence[str]) -> Estimator:
    """Log hazard ratios of a Cox regression (``models.inference.cox``); covariates as in ``logistic``."""

    def estimate(table: pl.DataFrame) -> Estimate:
        known = table.select(time, event, *covariates).drop_nulls()
        names, design = _design(known, covariates)
        happened = (known[event].cast(pl.String) == "1").to_numpy()
        value, covariance = cox_regression(known[time].cast(pl.Float64).to_numpy(), happened, design)
        return Estimate(names, value, covariance, table.height)

    return estimate


def _single(name: str, value: float | np.floating, variance: float | np.floating, rows: int) -> Estimate:
    return Estimate((name,), np.array([value]), np.array([[variance]]), rows)


def _levels(values: pl.Series) -> list[str]:
    if not isinstance(values.dtype, pl.Enum):
        raise ParameterError(f"{values.name} must be a category of the schema, got {values.dtype}; cast it first")
    return values.dtype.categories.to_list()


def _numbers(values: pl.Series) -> np.ndarray:
    return (values if values.dtype.is_numeric() else values.to_physical()).cast(pl.Float64).to_numpy()


def _design(table: pl.DataFrame, covariates: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    for name in covariates:
        if table[name].dtype.is_numeric():
            columns[name] = table[name].cast(pl.Float64).to_numpy()
            continue
        for level in _levels(table[name])[1:]:
            columns[f"{name}={level}"] = (table[name].cast(pl.String) == level).cast(pl.Float64).to_numpy()
    return tuple(columns), np.column_stack(list(columns.values()))
