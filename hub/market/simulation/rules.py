"""Rules by which a market could share its revenue: ours and what others do.

Belongs here: from the holdings of all names to weights. Does not belong here: strategies, money (``rounds``).
"""

from collections.abc import Callable, Mapping

import numpy as np

from hub.valuation.contribution import Holding, Terms, valued
from hub.valuation.games import members
from hub.valuation.holders import shapley
from hub.valuation.knn_shapley import balanced, knn_shapley
from hub.valuation.nearest import Labelled, together
from hub.valuation.utility import LinearAucGame

Weights = dict[str, float]
Rule = Callable[[Mapping[str, Holding], Labelled, Terms, np.random.Generator], Weights]


def ours(holdings: Mapping[str, Holding], tests: Labelled, terms: Terms, rng: np.random.Generator) -> Weights:
    """Copies are their first holder's, free riders and harm get nothing (``hub.valuation.contribution``)."""
    return {name: float(share) for name, share in valued(holdings, tests, terms, rng).shares.items()}


def ours_shared(holdings: Mapping[str, Holding], tests: Labelled, terms: Terms, rng: np.random.Generator) -> Weights:
    """As ours, copies shared by all who hold them."""
    return ours(holdings, tests, terms.model_copy(update={"copies": "shared"}), rng)


def plain_knn(holdings: Mapping[str, Holding], tests: Labelled, terms: Terms, rng: np.random.Generator) -> Weights:
    """Nearest-neighbour Shapley values without a look at copies or chance."""
    records = together([h.records for h in holdings.values()])
    values = knn_shapley(records, tests.features, balanced(tests.labels, terms.neighbours))
    ends = np.cumsum([h.records.rows for h in holdings.values()])[:-1]
    return {name: max(0.0, float(part.sum())) for name, part in zip(holdings, np.split(values, ends), strict=True)}


def auc_shapley(holdings: Mapping[str, Holding], tests: Labelled, terms: Terms, rng: np.random.Generator) -> Weights:
    """Exact Shapley value of each name in the AUC of a linear model, without a look at copies."""
    game = LinearAucGame([h.records for h in holdings.values()], tests)
    values = shapley(game.values(members(game.players)))
    return {name: max(0.0, float(v)) for name, v in zip(holdings, values, strict=True)}


def by_size(holdings: Mapping[str, Holding], tests: Labelled, terms: Terms, rng: np.random.Generator) -> Weights:
    """By number of rows."""
    return {name: float(h.records.rows) for name, h in holdings.items()}


def equal(holdings: Mapping[str, Holding], tests: Labelled, terms: Terms, rng: np.random.Generator) -> Weights:
    """The same for each name."""
    return dict.fromkeys(holdings, 1.0)


RULES: Mapping[str, Rule] = {
    "ours": ours, "ours, copies shared": ours_shared, "plain KNN-Shapley": plain_knn, "plain AUC-Shapley": auc_shapley,
    "by size": by_size, "equal": equal,
}  # fmt: skip
