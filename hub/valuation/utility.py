"""Utilities by name: what "worth" means in an agreement.

Belongs here: the list, its words, and games of holders from it. Does not belong here: values (``holders``, ``knn_shapley``).

A utility belongs to the agreement because it decides who is paid. AUC saturates: a hospital of 60 patients alone reaches almost the
AUC of thousands, so that orders in which it comes early pay it for what any hospital would have brought. A nearest-neighbour score
credits the records that stand beside a test patient, of which a large hospital has more. Recommended: ``knn-balanced``.

References
----------
Hanley and McNeil (1982), Radiology 143:29 (AUC). Jia et al. (2019), PVLDB 12(11).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from hub.valuation.games import FunctionGame, Game
from hub.valuation.knn_game import KnnGame
from hub.valuation.knn_shapley import accuracy, balanced
from hub.valuation.nearest import Labelled, together
from records.errors import ParameterError

RIDGE = 1.0  # patients' worth of shrinkage
SURE = 1e-3  # no risk nearer to 0 or 1 counts: a log loss stays bounded
Build = Callable[[Sequence[Labelled], Labelled, int], Game]


@dataclass(frozen=True)
class Utility:
    """A named utility: 0 for nobody's data, larger is better."""

    name: str
    words: Mapping[str, str]
    game: Build


def auc(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Chance that a positive scores above a negative, ties a half; 0.5 if a class is missing.

    Parameters
    ----------
    scores : numpy.ndarray, shape (..., rows)
    labels : numpy.ndarray, shape (rows,)
    """
    positive = labels == 1
    cases, others = int(positive.sum()), int((~positive).sum())
    if not cases or not others:
        return np.full(scores.shape[:-1], 0.5)
    ranks = rankdata(scores, axis=-1)[..., positive].sum(axis=-1)
    return (ranks - cases * (cases + 1) / 2) / (cases * others)


def utility(name: str) -> Utility:
    """The utility called ``name``.

    Raises
    ------
    ParameterError
        There is none.
    """
    if name not in UTILITIES:
        raise ParameterError(f"a utility must be one of {', '.join(UTILITIES)}, got {name}; choose one of these")
    return UTILITIES[name]


def _knn_balanced(holdings: Sequence[Labelled], tests: Labelled, neighbours: int) -> Game:
    return KnnGame(holdings, tests.features, balanced(tests.labels, neighbours))


def _knn_accuracy(holdings: Sequence[Labelled], tests: Labelled, neighbours: int) -> Game:
    return KnnGame(holdings, tests.features, accuracy(tests.labels, neighbours))


def _auc_logistic(holdings: Sequence[Labelled], tests: Labelled, neighbours: int) -> Game:
    def worth(risk: np.ndarray) -> float:
        return float(auc(risk, tests.labels)) - 0.5

    return _logistic_game(holdings, tests, worth, spread=1.0)


def _log_loss(holdings: Sequence[Labelled], tests: Labelled, neighbours: int) -> Game:
    def likelihood(risk: np.ndarray | float) -> float:
        sure = np.clip(risk, SURE, 1 - SURE)
        return float(np.mean(np.where(tests.labels == 1, np.log(sure), np.log(1 - sure))))

    nobody = likelihood(0.5)
    return _logistic_game(
        holdings, tests, lambda risk: likelihood(risk) - nobody, spread=float(np.log((1 - SURE) / SURE))
    )


def _logistic_game(
    holdings: Sequence[Labelled], tests: Labelled, worth: Callable[[np.ndarray], float], spread: float
) -> Game:
    from sklearn.linear_model import LogisticRegression

    def value(coalition: np.ndarray) -> float:
        there = [holdings[int(i)] for i in np.flatnonzero(coalition)]
        if not there or len(np.unique((known := together(there)).labels)) < 2:
            return 0.0
        model = LogisticRegression(C=1 / RIDGE, max_iter=300).fit(known.features, known.labels)
        return worth(model.predict_proba(tests.features)[:, 1])

    return FunctionGame(len(holdings), value, spread)


class LinearAucGame:
    """AUC of a ridge regression of the label, less one half; see ``games.Game``.

    A holder's part is a sum of products, which adds up over holders: all coalitions are solved at once.
    """

    def __init__(self, holdings: Sequence[Labelled], tests: Labelled) -> None:
        self.players, self.spread = len(holdings), 1.0
        designs = [_designed(held.features) for held in holdings]
        self._products = np.stack([d.T @ d for d in designs])
        self._responses = np.stack([d.T @ held.labels for d, held in zip(designs, holdings, strict=True)])
        self._tests, self._labels = _designed(tests.features), tests.labels
        self._shrink = RIDGE * np.diag([0.0] + [1.0] * tests.features.shape[1])

    def values(self, coalitions: np.ndarray) -> np.ndarray:
        """Utility of each coalition, shape (coalitions,), from rows of ``games.members``."""
        there = coalitions.astype(float)
        products = np.tensordot(there, self._products, 1)
        responses = there @ self._responses
        both = (responses[:, 0] > 0) & (responses[:, 0] < products[:, 0, 0])
        found = np.zeros(len(coalitions))
        if both.any():
            weights = np.linalg.solve(products[both] + self._shrink, responses[both][..., None])[..., 0]
            found[both] = auc(weights @ self._tests.T, self._labels) - 0.5
        return found

    def value(self, coalition: np.ndarray) -> float:
        """See ``games.Game``."""
        return float(self.values(coalition[None])[0])

    def along(self, order: Sequence[int]) -> np.ndarray:
        """See ``games.Game``."""
        return self.values(np.argsort(order) < np.arange(self.players + 1)[:, None])


def _auc_linear(holdings: Sequence[Labelled], tests: Labelled, neighbours: int) -> Game:
    return LinearAucGame(holdings, tests)


def _designed(features: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(features)), features])


UTILITIES: Mapping[str, Utility] = {
    one.name: one
    for one in (
        Utility(
            "knn-balanced",
            {"en": "score of the nearest records above chance, each outcome weighing the same",
             "fi": "lähimpien tietueiden osuvuus sattumaa paremmin, kukin lopputulos yhtä painavana"},
            _knn_balanced,
        ),
        Utility(
            "knn-accuracy",
            {"en": "part of the nearest records with the same outcome",
             "fi": "osuus lähimmistä tietueista, joilla on sama lopputulos"},
            _knn_accuracy,
        ),
        Utility(
            "auc-logistic",
            {"en": "AUC of a logistic regression, less one half", "fi": "logistisen regression AUC vähennettynä puolella"},
            _auc_logistic,
        ),
        Utility(
            "auc-linear",
            {"en": "AUC of a linear regression, less one half", "fi": "lineaarisen regression AUC vähennettynä puolella"},
            _auc_linear,
        ),
        Utility(
            "log-loss",
            {"en": "log likelihood of a logistic regression above even odds, in nats",
             "fi": "logistisen regression log-uskottavuus tasaväkiseen verrattuna, nat"},
            _log_loss,
        ),
    )
}  # fmt: skip
