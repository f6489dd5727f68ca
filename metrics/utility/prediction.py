"""Utility: what a classifier trained on synthetic patients is worth for real ones.

Belongs here: train on synthetic, test on real (TSTR), beside train on real, test on real (TRTR). Does not belong
here: distributions (``fidelity``) or tuning; the two models are fixed beforehand.

The test patients never choose anything. Each side picks its model by three-fold cross-validation on its own training
table: the synthetic side as a user of the release would, the real side likewise. ``tstr_loss`` is TRTR AUC minus TSTR
AUC of the models so chosen; both are tested on the same resamples of patients, so its interval is paired. It covers
the luck of the test patients, not the luck of the synthesis: compare seeds for that.

References
----------
Esteban, Hyland and Raetsch, 2017, arXiv:1706.02633 (TSTR).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits

from metrics.candidate import candidate_hash
from metrics.discrimination import auc, percentile_interval, resampling_weights, roc_on_grid, weighted_aucs
from metrics.plain import plain
from metrics.utility.calibration import brier, calibration_points
from metrics.utility.features import LabelledTable, feature_columns, labelled, linear_encoder, native_categories
from records.schema import Column, Outcome, Schema

FOLDS = 3
# Below this, threads cost more than they bring; on a busy machine, where they wait for each other, 8 times.
FEWEST_ROWS_FOR_THREADS = 100_000
Classifier = Pipeline | HistGradientBoostingClassifier
TRAINED_ON = {"trtr": "train", "tstr": "synthetic"}


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
        Model to side to ``auc``, ``auc_lower``, ``auc_upper``, ``brier``, ``calibration``, ``roc`` and
        ``cross_validated_auc``; a side is ``None`` where it could not be trained.
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
        Of cross-validation, boosting and bootstrap.
    bootstraps : int
        Resamples of the holdout patients.
    candidate_sha256 : str or None
        Hash of the candidate's file; by default the hash of ``synthetic`` itself.
    """
    frames = {"train": train, "holdout": holdout, "synthetic": synthetic}
    tables = {name: labelled(frame, schema, outcome) for name, frame in frames.items()}
    columns = feature_columns(schema, outcome)
    trained = _train(tables, columns, seed)
    chosen = {side: _choose(trained, side) for side in TRAINED_ON}
    test = tables["holdout"]
    weights = resampling_weights(max(test.rows, 1), bootstraps, np.random.default_rng(seed))
    return UtilityReport(
        candidate_sha256=candidate_hash(synthetic, candidate_sha256),
        outcome=outcome.name,
        outcome_label=outcome.label,
        reason=_reason(tables, columns),
        rows={name: table.rows for name, table in tables.items()},
        events={name: table.events for name, table in tables.items()},
        features=[column.name for column in columns],
        bootstraps=bootstraps,
        chosen=chosen,
        models={n: {side: _figures(fit, test, weights) for side, fit in sides.items()} for n, sides in trained.items()},
        **_headline(trained, chosen, test, weights),
    )


@dataclass(frozen=True)
class _Trained:
    """A model trained on one side: predicted risk of each holdout patient, and AUC in cross-validation."""

    risk: np.ndarray
    cross_validated: float


def classifiers(columns: Sequence[Column], seed: int) -> dict[str, Classifier]:
    """The two untuned models: regularised logistic regression and small gradient-boosted trees."""
    settings: dict[str, Any] = {  # its type stubs know texts only
        "early_stopping": False,
        "categorical_features": native_categories(columns) or None,
    }
    boosting = HistGradientBoostingClassifier(
        max_iter=80,
        learning_rate=0.06,
        max_leaf_nodes=8,
        min_samples_leaf=20,
        l2_regularization=1.0,
        max_bins=64 if all(len(c.levels) < 64 for c in columns) else 255,
        random_state=seed,
        **settings,
    )
    logistic = make_pipeline(linear_encoder(columns), LogisticRegression(C=0.3, max_iter=2000))
    return {"logistic": logistic, "boosting": boosting}


def _reason(tables: Mapping[str, LabelledTable], columns: Sequence[Column]) -> str | None:
    """Why the outcome cannot be predicted, or ``None``."""
    if not columns:
        return "the schema has no column a classifier may see"
    single = [name for name, table in tables.items() if not table.two_classes]
    return f"the outcome has one class only in {' and '.join(single)}" if single else None


def _train(tables: Mapping[str, LabelledTable], columns: Sequence[Column], seed: int) -> dict[str, dict[str, Any]]:
    models = classifiers(columns, seed) if columns else {}
    small = max(table.rows for table in tables.values()) < FEWEST_ROWS_FOR_THREADS
    with threadpool_limits(limits=1 if small else None):
        return {
            name: {side: _fit(model, tables[source], tables["holdout"], seed) for side, source in TRAINED_ON.items()}
            for name, model in models.items()
        }


def _fit(model: Classifier, source: LabelledTable, test: LabelledTable, seed: int) -> _Trained | None:
    """Train on ``source`` and predict ``test``; ``None`` if either has one class only."""
    if not (source.two_classes and test.two_classes):
        return None
    cross_validated = float("nan")
    if min(source.events, source.rows - source.events) >= FOLDS:
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        cross_validated = cross_val_score(model, source.matrix, source.label, cv=folds, scoring="roc_auc").mean()
    fitted = model.fit(source.matrix, source.label)
    return _Trained(fitted.predict_proba(test.matrix)[:, 1], float(cross_validated))


def _choose(trained: Mapping[str, Mapping[str, _Trained | None]], side: str) -> str | None:
    """The model with the best cross-validated AUC on its own training table; logistic regression if unknown."""
    scores = {name: fit.cross_validated for name, sides in trained.items() if (fit := sides[side]) is not None}
    return max(scores, key=lambda name: np.nan_to_num(scores[name], nan=-1.0)) if scores else None


def _figures(fit: _Trained | None, test: LabelledTable, weights: np.ndarray) -> dict[str, Any] | None:
    if fit is None:
        return None
    area = percentile_interval(auc(fit.risk, test.label), weighted_aucs(fit.risk, test.label, weights))
    return {
        "auc": area.value,
        "auc_lower": area.lower,
        "auc_upper": area.upper,
        "brier": brier(fit.risk, test.label),
        "calibration": calibration_points(fit.risk, test.label),
        "roc": roc_on_grid(fit.risk, test.label),
        "cross_validated_auc": fit.cross_validated,
    }


def _headline(
    trained: Mapping[str, Mapping[str, _Trained | None]],
    chosen: Mapping[str, str | None],
    test: LabelledTable,
    weights: np.ndarray,
) -> dict[str, float]:
    """AUC of each side's chosen model and their paired difference, with bounds."""
    fits = {side: trained[name][side] for side, name in chosen.items() if name is not None}
    risks = {side: fit.risk for side, fit in fits.items() if fit is not None}
    areas = {side: auc(risk, test.label) for side, risk in risks.items()}
    resampled = {side: weighted_aucs(risk, test.label, weights) for side, risk in risks.items()}
    intervals = {f"{side}_auc": percentile_interval(areas[side], resampled[side]) for side in risks}
    if len(risks) == len(TRAINED_ON):
        difference = resampled["trtr"] - resampled["tstr"]
        intervals["tstr_loss"] = percentile_interval(areas["trtr"] - areas["tstr"], difference)
    named = {name: i.value for name, i in intervals.items()}
    named |= {f"{name}_lower": i.lower for name, i in intervals.items()}
    return named | {f"{name}_upper": i.upper for name, i in intervals.items()}
