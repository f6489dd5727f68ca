"""Adaptive selection: measure the marginals that the model so far gets most wrong (AIM).

Belongs here: McKenna, Mullins, Sheldon and Miklau (2022), AIM: an adaptive and iterative mechanism, with the budget
in zCDP. Does not belong here: counting and noise (``oracle``) or learning (``estimation``).
"""

from collections.abc import Callable
from math import prod, sqrt

import numpy as np

from models.estimation import Measurement, estimated_total
from models.graphical_model import GraphicalModel
from models.junction_tree import Clique, maximal_cliques, tree_cells
from models.selection import Selection
from records.accounting import sigma_for
from records.privacy import Mechanism
from records.protocols import MarginalOracle

Learn = Callable[[list[Measurement]], GraphicalModel]
CHOICE_SHARE = 0.1


def adapt(
    oracle: MarginalOracle, done: Selection, weights: dict[Clique, float], levels: dict[str, int], learn: Learn,
    *, limit: float, rounds: int, most_cells: int, progress: Callable[[float], None] | None = None,
) -> Selection:  # fmt: skip
    """Choose, measure and learn until ``limit`` (zCDP rho) is spent, what ``done`` has cost included.

    Parameters
    ----------
    rounds : int
        Planned rounds; noise halves (and fewer rounds follow) whenever a measurement taught nothing.
    most_cells : int
        Size cap of the junction tree, reached in proportion to the budget spent.
    """
    each = (limit - done.rho) / rounds
    model = learn(done.measurements)
    while (left := limit - done.rho) > 1e-9 * limit:
        each = left if left < 2 * each else each
        candidates = _affordable(weights, levels, done, (done.rho + each) / limit * most_cells)
        clique, before = _chosen(oracle, candidates, weights, model, done, each)
        sigma = sigma_for((1 - CHOICE_SHARE) * each, 1)
        done.measurements.append(Measurement(clique, oracle.measure(clique, sigma=sigma), sigma))
        done.mechanisms.append(Mechanism("exponential", "choice of a marginal", CHOICE_SHARE * each, 1))
        name = f"counts of {' x '.join(clique)}"
        done.mechanisms.append(Mechanism("discrete Gaussian", name, (1 - CHOICE_SHARE) * each, 1, sigma))
        model = learn(done.measurements)
        if progress:
            progress(done.rho / limit)
        taught = np.abs(model.project(clique) * before.sum() - before).sum()
        if taught <= _noise(sigma, before.size):
            each *= 4
    return done


def _affordable(
    weights: dict[Clique, float], levels: dict[str, int], done: Selection, most: float
) -> list[Clique]:  # fmt: skip
    measured = [m.attributes for m in done.measurements]
    held = maximal_cliques(levels, measured)
    now = sum(prod(levels[a] for a in clique) for clique in held)

    def fits(candidate: Clique) -> bool:
        if any(clique.issuperset(candidate) for clique in held):
            return True
        return prod(levels[a] for a in candidate) + now <= most and tree_cells(levels, [*measured, candidate]) <= most

    return [candidate for candidate in weights if fits(candidate)] or measured


def _chosen(
    oracle: MarginalOracle, candidates: list[Clique], weights: dict[Clique, float], model: GraphicalModel,
    done: Selection, rho: float,
) -> tuple[Clique, np.ndarray]:  # fmt: skip
    """A marginal, and the model's counts of it before it is measured."""
    total, beliefs = estimated_total(done.measurements), model.marginals()
    sigma, epsilon = sigma_for((1 - CHOICE_SHARE) * rho, 1), sqrt(8 * CHOICE_SHARE * rho)
    estimates = [total * model.project(c, beliefs) for c in candidates]
    penalties = [_noise(sigma, e.size) for e in estimates]
    importance = [weights.get(c, 1.0) for c in candidates]
    position = oracle.choose(candidates, estimates, importance, penalties, epsilon=epsilon)
    return candidates[position], estimates[position]


def _noise(sigma: float, cells: int) -> float:
    """Expected L1 norm of Gaussian noise."""
    return sqrt(2 / np.pi) * sigma * cells
