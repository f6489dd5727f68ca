"""Survival of synthetic patients beside references: Kaplan-Meier gap, restricted mean and the worst group.

Belongs here: gaps of all tables to train, and of groups of patients. Does not belong here: the estimators
(``kaplan_meier``, ``restricted_mean``), the curves shown (``table``) or competing risks of longitudinal records
(``trajectories``). The event column of a table has two levels by definition (``Schema.event``: 0 censored, 1 event;
``records.outcome.survival`` counts any other level as censored), so that a table has no competing risks.

The interval of a difference takes both tables as independent samples of patients. For the holdout this holds; for a
synthetic table it says how far real patients as many as these would scatter, not how far the synthesizer would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from metrics.discrimination import Z95, Interval
from metrics.fidelity.kaplan_meier import Curve, gap, kaplan_meier
from metrics.fidelity.references import Compared
from metrics.fidelity.restricted_mean import RestrictedMean, restricted_mean
from metrics.plain import plain
from records.outcome import survival
from records.schema import Column, Kind

FEWEST_PATIENTS = 50
WORST_GROUPS = 10
ROUNDING = 5


@dataclass(frozen=True)
class SurvivalReport:
    """Aggregates only; figures are ``None`` where ``reason`` says why.

    Parameters
    ----------
    unit : str or None
        Of time.
    horizon : float
        The shortest of the longest follow-ups of all tables.
    largest, mean : mapping of str to float
        Table (see ``references``) to its largest (mean) absolute difference of survival to train, 0 to 1.
    restricted_mean_train : float
        Mean survival time up to the horizon, in ``unit``.
    restricted_mean : mapping of str to Interval
        Difference to train in ``unit``, with its 95 % interval.
    group_column : str or None
        Label of the primary categorical covariate: the first of the schema's features.
    groups, worst_groups : sequence of mapping
        ``column``, ``level``, ``patients`` (of train, to the nearest 5) and ``largest``: per table the largest
        difference to the same group of train. All levels of the primary covariate, and the ten worst levels of all
        categories; only where train and the synthetic table have 50 patients, other tables have ``None`` below that.
    """

    reason: str | None
    unit: str | None = None
    horizon: float | None = None
    largest: Mapping[str, float] | None = None
    mean: Mapping[str, float] | None = None
    restricted_mean_train: float | None = None
    restricted_mean: Mapping[str, Interval] | None = None
    group_column: str | None = None
    groups: Sequence[Mapping[str, Any]] = ()
    worst_groups: Sequence[Mapping[str, Any]] = ()

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


@dataclass(frozen=True)
class _FollowUp:
    time: np.ndarray
    event: np.ndarray

    @property
    def curve(self) -> Curve:
        return kaplan_meier(self.time, self.event)

    def until(self, horizon: float) -> RestrictedMean:
        return restricted_mean(self.time, self.event, horizon)


def survival_references(tables: Compared) -> SurvivalReport:
    """Survival of every table against train's."""
    schema = tables.schema
    if schema.time is None or schema.event is None:
        return SurvivalReport("the schema has no follow-up time and event")
    followed = {name: _followed(frame, tables) for name, frame in tables.frames.items()}
    known = {name: f for name, f in followed.items() if f.time.size}
    if tables.reason is not None or not {"train", "synthetic"} <= set(known):
        return SurvivalReport(tables.reason or "no patient has a known time and event in train or the synthetic table")
    curves = {name: f.curve for name, f in known.items()}
    horizon = min(curve.last for curve in curves.values())
    gaps = {name: gap(curves["train"], curve, horizon) for name, curve in curves.items() if name != "train"}
    means = {name: f.until(horizon) for name, f in known.items()}
    groups = _groups(tables)
    primary = groups[0]["column"] if groups else None
    return SurvivalReport(
        None,
        unit=schema.time.unit,
        horizon=horizon,
        largest={name: g.largest for name, g in gaps.items()},
        mean={name: g.mean for name, g in gaps.items()},
        restricted_mean_train=means["train"].value,
        restricted_mean={name: difference(means["train"], means[name]) for name in gaps},
        group_column=primary,
        groups=[group for group in groups if group["column"] == primary],
        worst_groups=sorted(groups, key=lambda group: -group["largest"]["synthetic"])[:WORST_GROUPS],
    )


def difference(first: RestrictedMean, second: RestrictedMean) -> Interval:
    """Second minus first restricted mean of two independent samples, with its 95 % interval."""
    value, half = second.value - first.value, Z95 * float(np.sqrt(first.variance + second.variance))
    return Interval(value, value - half, value + half)


def _followed(frame: pl.DataFrame, tables: Compared) -> _FollowUp:
    rows = survival(frame, tables.schema)
    return _FollowUp(rows["time"].to_numpy(), rows["event"].to_numpy())


def _groups(tables: Compared) -> list[dict[str, Any]]:
    """Gaps of all groups that are large enough, columns and levels in the schema's order."""
    categories = [column for column in tables.schema.features() if column.kind is Kind.CATEGORY]
    found = [_group(tables, column, level) for column in categories for level in column.levels]
    return [group for group in found if group is not None]


def _group(tables: Compared, column: Column, level: str) -> dict[str, Any] | None:
    chosen = pl.col(column.name).cast(pl.String) == level
    followed = {name: _followed(frame.filter(chosen), tables) for name, frame in tables.frames.items()}
    curves = {name: f.curve for name, f in followed.items() if f.time.size >= FEWEST_PATIENTS}
    if not {"train", "synthetic"} <= set(curves):
        return None
    train = curves.pop("train")
    gaps = {name: gap(train, curve, min(train.last, curve.last)).largest for name, curve in curves.items()}
    return {
        "column": column.label,
        "level": column.levels[level],
        "patients": ROUNDING * round(followed["train"].time.size / ROUNDING),
        "largest": {name: gaps.get(name) for name in tables.others},
    }
