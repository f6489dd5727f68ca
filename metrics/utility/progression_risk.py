"""Is simulated progression right for patients the model never saw?

Belongs here: the risk that simulated histories of a patient give, and its calibration and discrimination beside a Cox
model on baseline. Does not belong here: simulating (``models``) or whole distributions (``trajectories``).

References
----------
Cox, 1972, J R Stat Soc B 34:187 (cause-specific, other events censored).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

from metrics.discrimination import auc, percentile_interval, resampling_weights, weighted_aucs
from metrics.fidelity.competing_risks import cumulative_incidence
from metrics.fidelity.paths import numbers
from metrics.plain import plain
from metrics.utility.calibration import brier, calibration_points
from records.longitudinal import LongitudinalSchema, Records

PENALTY = 0.03
BOOTSTRAPS = 500


@dataclass(frozen=True)
class RiskReport:
    """How well a risk predicts, with 95 % patient-bootstrap bounds of the AUC."""

    event: str
    horizon: float
    rows: int
    events: int
    auc: float
    auc_lower: float
    auc_upper: float
    brier: float
    mean_risk: float
    observed: float
    calibration: list[dict[str, float]]

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def simulated_risk(
    simulated: Records, schema: LongitudinalSchema, event: str, horizon: float, *, each: int
) -> np.ndarray:  # fmt: skip
    """Cumulative incidence of ``event`` at ``horizon`` days, shape (patients,).

    Parameters
    ----------
    simulated : Records
        ``each`` histories of every patient, one patient after the other.
    """
    ends = simulated.patients[schema.follow_up.name].to_numpy().reshape(-1, each)
    events = simulated.patients[schema.event.name].to_physical().to_numpy().reshape(-1, each)
    kinds, kind, grid = len(schema.terminal), schema.terminal.index(event), np.array([horizon])
    pairs = zip(ends, events, strict=True)
    return np.array([cumulative_incidence(end, ended, kinds, grid)[kind, 0] for end, ended in pairs])


def cox_risk(
    train: Records, test: Records, schema: LongitudinalSchema, event: str, horizon: float
) -> np.ndarray:  # fmt: skip
    """Risk of ``event`` by a Cox model on baseline and first visit of ``train``, for patients of ``test``."""
    known, asked = _covariates(train, schema), _covariates(test, schema)
    middle = known.median()
    seen = known.fillna(middle)
    seen["time"] = train.patients[schema.follow_up.name].to_numpy()
    seen["died"] = (train.patients[schema.event.name] == event).to_numpy()
    model = CoxPHFitter(penalizer=PENALTY).fit(seen, "time", "died")
    return 1 - model.predict_survival_function(asked.fillna(middle), times=[horizon]).to_numpy()[0]


def risk_report(
    risk: np.ndarray, test: Records, schema: LongitudinalSchema, event: str, horizon: float, *, seed: int
) -> RiskReport:  # fmt: skip
    """Compare a risk with what happened; patients censored before the horizon are left out.

    Parameters
    ----------
    risk : numpy.ndarray of float, shape (patients,)
        0 to 1.
    """
    time = test.patients[schema.follow_up.name].to_numpy()
    ended = test.patients[schema.event.name]
    happened = ((ended == event).to_numpy()) & (time <= horizon)
    known = happened | (time >= horizon) | (ended != schema.censored).to_numpy()
    score, label = risk[known], happened[known]
    weights = resampling_weights(label.size, BOOTSTRAPS, np.random.default_rng(seed))
    area = percentile_interval(auc(score, label), weighted_aucs(score, label, weights))
    return RiskReport(
        event, horizon, label.size, int(label.sum()), area.value, area.lower, area.upper, brier(score, label),
        float(score.mean()), float(label.mean()), calibration_points(score, label),
    )  # fmt: skip


def _covariates(records: Records, schema: LongitudinalSchema) -> pd.DataFrame:
    """Baseline and first visit as numbers; positive measurements of wide range on the log scale."""
    first = records.visits.filter(records.visits[schema.day] == 0).drop(schema.day)
    table = records.patients.join(first, on=schema.patient_id, maintain_order="left")
    columns = [*schema.baseline, *schema.measurements]
    found = pd.DataFrame({c.name: numbers(table[c.name], c) for c in columns})
    wide = [c.name for c in columns if c.minimum and c.maximum and c.minimum > 0 and c.maximum / c.minimum >= 10]
    found[wide] = np.log(found[wide])
    return found
