"""One scorer for all synthesizers and references.

Belongs here: TSTR, total variation of pairs and the Kaplan-Meier gap against held-out patients, and the membership
attack of ``metrics``. Does not belong here: fitting.
"""

import numpy as np
import polars as pl
from lifelines import KaplanMeierFitter
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from metrics.attacks.membership import privacy
from records.discretisation import encode, level_count
from records.outcome import binary_outcome
from records.schema import Schema


def scores(made: pl.DataFrame, train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> dict[str, float | None]:
    """Figures of a table drawn from what was learnt from ``train``.

    Returns
    -------
    dict
        ``tstr`` (AUC on held-out patients of gradient boosting trained on ``made``), ``tvd2`` and ``tvd2_max`` (all
        pairs of columns, against held-out patients), ``tvd2_train`` (against ``train``), ``km_gap`` (mean absolute
        difference of survival from held-out patients' on a monthly grid; ``None`` without follow-up),
        ``membership_auc`` (density-ratio attack, as many members from ``train`` as controls from ``holdout``; 0.5 is
        guessing; ``None`` if the attack could not run).
    """
    against, learnt = pair_distances(made, holdout, schema), pair_distances(made, train, schema)
    return {
        "tstr": transfer_auc(made, holdout, schema), "tvd2": float(against.mean()), "tvd2_max": float(against.max()),
        "tvd2_train": float(learnt.mean()), "km_gap": survival_gap(made, holdout, schema),
        "membership_auc": privacy(train, holdout, made, schema, rng=np.random.default_rng(0)).auc,
    }  # fmt: skip


def transfer_auc(made: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> float:
    """AUC on ``holdout`` of a classifier trained on ``made``; patients censored before the horizon are left out."""
    x, y = _task(made, schema)
    tested_x, tested_y = _task(holdout, schema)
    if np.unique(y).size < 2:
        return 0.5
    with threadpool_limits(limits=1):
        model = HistGradientBoostingClassifier(max_iter=100, learning_rate=0.05, random_state=0).fit(x, y)
    return float(roc_auc_score(tested_y, model.predict_proba(tested_x)[:, 1]))


def pair_distances(one: pl.DataFrame, other: pl.DataFrame, schema: Schema) -> np.ndarray:
    """Total variation distance of every pair of columns on the codebook's levels, shape (pairs,)."""
    levels = [level_count(c) for c in schema.columns]
    tables = [encode(frame, schema.columns) for frame in (one, other)]
    distances = []
    for i in range(len(levels)):
        for j in range(i):
            size = levels[i] * levels[j]
            shares = [np.bincount(t[:, i] * levels[j] + t[:, j], minlength=size) / len(t) for t in tables]
            distances.append(np.abs(shares[0] - shares[1]).sum() / 2)
    return np.array(distances)


def survival_gap(one: pl.DataFrame, other: pl.DataFrame, schema: Schema) -> float | None:
    """Mean absolute difference of two Kaplan-Meier curves up to the follow-up's public end."""
    if schema.time is None or schema.event is None:
        return None
    grid = np.linspace(0, schema.time.maximum or 0, 181)
    curves = []
    for frame in (one, other):
        event = (frame[schema.event.name] == "1").to_numpy()
        fitted = KaplanMeierFitter().fit(frame[schema.time.name].to_numpy(), event)
        curves.append(fitted.survival_function_at_times(grid).to_numpy())
    return float(np.abs(curves[0] - curves[1]).mean())


def _task(frame: pl.DataFrame, schema: Schema) -> tuple[np.ndarray, np.ndarray]:
    y = binary_outcome(frame, schema, schema.outcomes[0])
    known = frame.filter(y.is_not_null())
    columns = [
        known[c.name].to_physical().cast(pl.Float64).to_numpy() if not c.numeric else known[c.name].cast(pl.Float64).to_numpy()
        for c in schema.features()
    ]  # fmt: skip
    return np.column_stack(columns), y.drop_nulls().cast(pl.Int8).to_numpy()
