"""Utility: what a classifier trained on synthetic patients is worth for real ones.

Belongs here: the report of train on synthetic, test on real (TSTR), beside train on real, test on real (TRTR) and
train on synthetic, test on synthetic (TSTS). Does not belong here: training (``train_test``), distributions
(``fidelity``) or tuning.

``tstr_loss`` is TRTR AUC minus TSTR AUC of the models that each side chose; both are tested on the same resamples of
patients, so its interval is paired. It covers the luck of the test patients, not the luck of the synthesis: compare
seeds for that. TSTS is what a user of the release alone sees, by cross-validation; ``optimism`` is TSTS less TSTR, how
much too good the release makes its own models look.

References
----------
Esteban, Hyland and Raetsch, 2017, arXiv:1706.02633 (TSTR). Cox, 1958, Biometrika 45:562 (calibration slope).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from metrics.candidate import candidate_hash
from metrics.discrimination import auc, percentile_interval, resampling_weights, roc_on_grid, weighted_aucs
from metrics.plain import plain
from metrics.utility.calibration import brier, calibration_points, recalibration
from metrics.utility.classifiers import Fit
from metrics.utility.features import LabelledTable
from metrics.utility.train_test import TRAINED_ON, TrainTest, train_test
from records.schema import Outcome, Schema


@dataclass(frozen=True)
class UtilityReport:
    """Aggregates only; values are ``None`` where they cannot be had, and ``reason`` says why.

    Parameters
    ----------
    rows, events : mapping
        Rows with a known outcome and rows with the event, of train, holdout and synthetic.
    tstr_auc, trtr_auc, tstr_loss : float or None
        Of the chosen models on the real holdout, with 95 % patient-bootstrap bounds ``*_lower`` and ``*_upper``.
    chosen : mapping
        Side (``tstr``, ``trtr``) to the model chosen by cross-validation on that side's training table.
    models : mapping
        Model to side (``trtr``, ``tstr``) to ``auc``, ``auc_lower``, ``auc_upper``, ``brier``, ``calibration``, the
        figures of ``recalibration``, ``roc`` and ``cross_validated_auc``; and to ``tsts`` with ``auc``, its bounds and
        ``optimism``. A side is ``None`` where it could not be trained.
    tsts_auc, optimism : float or None
        Of the model that the synthetic side chose.
    """

    candidate_sha256: str
    outcome: str
    outcome_label: str
    reason: str | None
    rows: Mapping[str, int]
    events: Mapping[str, int]
    features: Sequence[str]
    bootstraps: int
    chosen: Mapping[str, str | None]
    models: Mapping[str, Mapping[str, Any]]
    trtr_auc: float | None = None
    trtr_auc_lower: float | None = None
    trtr_auc_upper: float | None = None
    tstr_auc: float | None = None
    tstr_auc_lower: float | None = None
    tstr_auc_upper: float | None = None
    tstr_loss: float | None = None
    tstr_loss_lower: float | None = None
    tstr_loss_upper: float | None = None
    tsts_auc: float | None = None
    tsts_auc_lower: float | None = None
    tsts_auc_upper: float | None = None
    optimism: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def utility(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    outcome: Outcome,
    *,
    seed: int,
    bootstraps: int = 200,
    candidate_sha256: str | None = None,
) -> UtilityReport:
    """Measure utility of a synthetic table for one binary outcome.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; further columns are ignored.
    seed : int
        Of cross-validation, trees and bootstrap.
    bootstraps : int
        Resamples of the holdout patients.
    candidate_sha256 : str or None
        Hash of the candidate's file; by default the hash of ``synthetic`` itself.
    """
    trained = train_test(train, holdout, synthetic, schema, outcome, seed=seed)
    named = candidate_hash(synthetic, candidate_sha256)
    return utility_report(trained, outcome, seed=seed, bootstraps=bootstraps, candidate_sha256=named)


def utility_report(
    trained: TrainTest, outcome: Outcome, *, seed: int, candidate_sha256: str, bootstraps: int = 200
) -> UtilityReport:
    """The report of models that are trained already; parameters as in ``utility``."""
    test = trained.test
    weights = resampling_weights(max(test.rows, 1), bootstraps, np.random.default_rng(seed))
    return UtilityReport(
        candidate_sha256=candidate_sha256,
        outcome=outcome.name,
        outcome_label=outcome.label,
        reason=trained.reason,
        rows={name: table.rows for name, table in trained.tables.items()},
        events={name: table.events for name, table in trained.tables.items()},
        features=[column.name for column in trained.columns],
        bootstraps=bootstraps,
        chosen=trained.chosen,
        models={name: _model(sides, test, weights) for name, sides in trained.fits.items()},
        **_headline(trained, weights),
    )


def _model(sides: Mapping[str, Fit | None], test: LabelledTable, weights: np.ndarray) -> dict[str, Any]:
    figures = {side: _figures(fit, test, weights) for side, fit in sides.items()}
    return figures | {"tsts": _own_test(sides["tstr"], test)}


def _figures(fit: Fit | None, test: LabelledTable, weights: np.ndarray) -> dict[str, Any] | None:
    if fit is None:
        return None
    area = percentile_interval(auc(fit.risk, test.label), weighted_aucs(fit.risk, test.label, weights))
    return {
        "auc": area.value,
        "auc_lower": area.lower,
        "auc_upper": area.upper,
        "brier": brier(fit.risk, test.label),
        "calibration": calibration_points(fit.risk, test.label),
        **recalibration(fit.risk, test.label),
        "roc": roc_on_grid(fit.risk, test.label),
        "cross_validated_auc": fit.cross_validated.value,
    }


def _own_test(fit: Fit | None, test: LabelledTable) -> dict[str, float] | None:
    """Train on synthetic, test on synthetic, by cross-validation."""
    if fit is None:
        return None
    own = fit.cross_validated
    optimism = own.value - auc(fit.risk, test.label)
    return {"auc": own.value, "auc_lower": own.lower, "auc_upper": own.upper, "optimism": optimism}


def _headline(trained: TrainTest, weights: np.ndarray) -> dict[str, float]:
    """AUC of each side's chosen model and their paired difference, with bounds."""
    test, fits = trained.test, trained.chosen_fits
    areas = {side: auc(fit.risk, test.label) for side, fit in fits.items()}
    resampled = {side: weighted_aucs(fit.risk, test.label, weights) for side, fit in fits.items()}
    intervals = {f"{side}_auc": percentile_interval(areas[side], resampled[side]) for side in fits}
    if len(fits) == len(TRAINED_ON):
        difference = resampled["trtr"] - resampled["tstr"]
        intervals["tstr_loss"] = percentile_interval(areas["trtr"] - areas["tstr"], difference)
    named = {}
    if "tstr" in fits:
        intervals["tsts_auc"] = fits["tstr"].cross_validated
        named["optimism"] = intervals["tsts_auc"].value - areas["tstr"]
    named |= {name: i.value for name, i in intervals.items()}
    named |= {f"{name}_lower": i.lower for name, i in intervals.items()}
    return named | {f"{name}_upper": i.upper for name, i in intervals.items()}
