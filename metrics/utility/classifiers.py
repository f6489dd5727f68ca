"""The downstream classifiers, fixed beforehand: three families, none tuned.

Belongs here: the models, their training on one table, and their cross-validation on that same table. Does not belong
here: which table they are trained on (``train_test``) or what is reported (``prediction``).

References
----------
Friedman, 2001, Ann Stat 29:1189 (boosting). Geurts, Ernst and Wehenkel, 2006, Mach Learn 63:3 (extra trees).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline

from metrics.discrimination import Interval, auc, delong
from metrics.utility.features import LabelledTable, linear_encoder, native_categories
from records.schema import Column

FOLDS = 3
TREES = 60
MOST_ROWS_OF_A_TREE = 10_000
FEWEST_IN_LEAF = 10
FEWEST_FOR_VARIANCE = 2
Classifier = Pipeline | HistGradientBoostingClassifier | ExtraTreesClassifier
UNKNOWN = Interval(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Fit:
    """A model trained on one table.

    Parameters
    ----------
    model : classifier
    risk : numpy.ndarray of float, shape (test rows,)
        Predicted risk of each test patient; never stored.
    cross_validated : Interval
        AUC in cross-validation on the training table, 0 to 1.
    """

    model: Classifier
    risk: np.ndarray
    cross_validated: Interval


def classifiers(columns: Sequence[Column], seed: int, rows: int = MOST_ROWS_OF_A_TREE) -> dict[str, Classifier]:
    """The three untuned models: regularised logistic regression, small boosted trees, extremely randomised trees.

    Parameters
    ----------
    columns : sequence of Column
        Columns of the design matrix.
    seed : int
    rows : int
        Rows of the training table; of more than 10,000 each tree of the forest sees a sample of that size.
    """
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
    forest = ExtraTreesClassifier(
        n_estimators=TREES,
        min_samples_leaf=FEWEST_IN_LEAF,
        bootstrap=rows > MOST_ROWS_OF_A_TREE,
        max_samples=MOST_ROWS_OF_A_TREE / rows if rows > MOST_ROWS_OF_A_TREE else None,
        random_state=seed,
    )
    logistic = make_pipeline(linear_encoder(columns), LogisticRegression(C=0.3, max_iter=2000))
    return {"logistic": logistic, "boosting": boosting, "forest": forest}


def fit_and_predict(model: Classifier, source: LabelledTable, test: LabelledTable, seed: int) -> Fit | None:
    """Train on ``source`` and predict ``test``; ``None`` if either has one class only."""
    if not (source.two_classes and test.two_classes):
        return None
    cross_validated = cross_validated_auc(model, source, seed)
    fitted = _untrained(model).fit(source.matrix, source.label)
    return Fit(fitted, predicted_risk(fitted, test.matrix), cross_validated)


def predicted_risk(model: Classifier, matrix: np.ndarray) -> np.ndarray:
    """Risk of the event, shape (rows,), 0 to 1."""
    return np.asarray(model.predict_proba(matrix))[:, 1]


def cross_validated_auc(model: Classifier, source: LabelledTable, seed: int) -> Interval:
    """Mean AUC over three folds, with DeLong's interval given the folds' models; NaN with fewer cases than folds."""
    if min(source.events, source.rows - source.events) < FOLDS:
        return UNKNOWN
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    areas = []
    for seen, unseen in folds.split(source.matrix, source.label):
        fitted = _untrained(model).fit(source.matrix[seen], source.label[seen])
        areas.append(_area(predicted_risk(fitted, source.matrix[unseen]), source.label[unseen]))
    value = float(np.mean([area.value for area in areas]))
    half = float(np.sqrt(np.sum([((area.upper - area.lower) / 2) ** 2 for area in areas]))) / FOLDS
    return Interval(value, max(0.0, value - half), min(1.0, value + half))


def _area(risk: np.ndarray, label: np.ndarray) -> Interval:
    """DeLong's interval; all of 0 to 1 where a class has a single row and no variance."""
    if min(label.sum(), (~label).sum()) < FEWEST_FOR_VARIANCE:
        return Interval(auc(risk, label), 0.0, 1.0)
    return delong(risk, label)


def _untrained(model: Classifier) -> Classifier:
    return cast(Classifier, clone(model))
