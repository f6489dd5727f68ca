"""Do models trained on synthetic patients rely on the same features as models trained on real ones?

Belongs here: permutation importance of both sides on the real holdout, and its agreement. Does not belong here: causal
statements, or training (``train_test``). A shuffled column that other columns stand in for has a low importance.

References
----------
Breiman, 2001, Mach Learn 45:5. Fisher, Rudin and Dominici, 2019, J Mach Learn Res 20:177.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from metrics.discrimination import auc
from metrics.plain import plain
from metrics.utility.classifiers import Classifier, predicted_risk
from metrics.utility.features import LabelledTable
from metrics.utility.train_test import TRAINED_ON, TrainTest

REPEATS = 5
MOST_ROWS = 5_000
TOP = 5
FEWEST_FEATURES = 3


@dataclass(frozen=True)
class ImportanceReport:
    """Aggregates only; ``None`` where it cannot be had, and ``reason`` says why.

    Parameters
    ----------
    features : sequence of mapping
        ``name``, ``label``, and for each side the mean fall of AUC when the column is shuffled (``trtr``, ``tstr``) and
        its standard deviation over shuffles (``trtr_sd``, ``tstr_sd``); the most important for TRTR first.
    rank_agreement : float or None
        Spearman's correlation of the two columns of importances, -1 to 1.
    top : int
        Size of the top list, 5 or all features if there are fewer.
    top_overlap : float or None
        Share of the top features that both sides have, 0 to 1.
    rows, repeats : int
        Holdout patients used (5,000 at most, drawn at random) and shuffles per column.
    """

    features: Sequence[Mapping[str, Any]]
    rank_agreement: float | None
    top: int
    top_overlap: float | None
    rows: int
    repeats: int
    chosen: Mapping[str, str | None]
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def importance(trained: TrainTest, *, rng: np.random.Generator, repeats: int = REPEATS) -> ImportanceReport:
    """Permutation importance of the chosen model of each side; both see the same shuffles.

    Parameters
    ----------
    trained : TrainTest
    rng : numpy.random.Generator
        Draws patients and shuffles.
    """
    fits, count = trained.chosen_fits, len(trained.columns)
    top = min(TOP, count)
    if len(fits) < len(TRAINED_ON):
        return ImportanceReport([], None, top, None, 0, repeats, trained.chosen, trained.reason)
    test, seed = _drawn(trained.test, rng), int(rng.integers(2**63))
    falls = {
        side: permutation_importance(fit.model, test, repeats=repeats, rng=np.random.default_rng(seed))
        for side, fit in fits.items()
    }
    means = {side: fall.mean(axis=1) for side, fall in falls.items()}
    order = np.argsort(-means["trtr"], kind="stable")
    too_few = f"{count} features are too few for a rank agreement" if count < FEWEST_FEATURES else None
    return ImportanceReport(
        features=[_feature(trained, falls, int(i)) for i in order],
        rank_agreement=None if too_few else _rank_agreement(means["trtr"], means["tstr"]),
        top=top,
        top_overlap=_overlap(means["trtr"], means["tstr"], top),
        rows=test.rows,
        repeats=repeats,
        chosen=trained.chosen,
        reason=too_few,
    )


def permutation_importance(
    model: Classifier, test: LabelledTable, *, repeats: int, rng: np.random.Generator
) -> np.ndarray:
    """Fall of AUC when one column is shuffled.

    Returns
    -------
    numpy.ndarray of float, shape (columns, repeats)
    """
    whole = auc(predicted_risk(model, test.matrix), test.label)
    falls = np.empty((test.matrix.shape[1], repeats))
    for column in range(len(falls)):
        shuffled = test.matrix.copy()
        for repeat in range(repeats):
            shuffled[:, column] = rng.permutation(test.matrix[:, column])
            falls[column, repeat] = whole - auc(predicted_risk(model, shuffled), test.label)
    return falls


def _drawn(test: LabelledTable, rng: np.random.Generator) -> LabelledTable:
    if test.rows <= MOST_ROWS:
        return test
    rows = rng.choice(test.rows, MOST_ROWS, replace=False)
    return LabelledTable(test.matrix[rows], test.label[rows])


def _feature(trained: TrainTest, falls: Mapping[str, np.ndarray], at: int) -> dict[str, Any]:
    column = trained.columns[at]
    means = {side: fall[at].mean() for side, fall in falls.items()}
    spreads = {f"{side}_sd": fall[at].std(ddof=1) if fall.shape[1] > 1 else None for side, fall in falls.items()}
    return {"name": column.name, "label": column.label, **means, **spreads}


def _rank_agreement(first: np.ndarray, second: np.ndarray) -> float | None:
    """Spearman's correlation; ``None`` if a side relies on nothing."""
    constant = np.ptp(first) == 0 or np.ptp(second) == 0
    return None if constant else float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def _overlap(first: np.ndarray, second: np.ndarray, top: int) -> float | None:
    tops = [set(np.argsort(-values, kind="stable")[:top].tolist()) for values in (first, second)]
    return len(tops[0] & tops[1]) / top if top else None
