"""Learning a graphical model from noisy marginals.

Belongs here: the loss and its minimisation over the marginal polytope. Does not belong here: measuring (``oracle``)
or choosing what to measure (``selection``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.graphical_model import GraphicalModel, calibrated
from models.junction_tree import Clique, JunctionTree
from records.errors import PhaseIVError

EXACT = 0.5  # noise scale that an exact count is given in the loss, so that it outweighs every noisy one


@dataclass(frozen=True)
class Measurement:
    """Noisy counts of ``attributes``; ``sigma`` is the noise's standard deviation (0: exact)."""

    attributes: Clique
    counts: np.ndarray
    sigma: float


def estimated_total(measurements: Sequence[Measurement]) -> float:
    """Number of patients: the tables' sums weighted by their precision, at least 1."""
    weights = np.array([1 / (max(m.sigma, EXACT) ** 2 * m.counts.size) for m in measurements])
    return max(1.0, float(np.average([m.counts.sum() for m in measurements], weights=weights)))


def estimate(
    tree: JunctionTree, measurements: Sequence[Measurement], start: list[np.ndarray], *, steps: int, tolerance: float
) -> GraphicalModel:
    """The model of maximum entropy whose marginals are closest to ``measurements``.

    Mirror descent on log-potentials with a line search (McKenna, Sheldon and Miklau, 2019, Algorithm 1). The loss is
    half the sum of squared differences of counts, each in units of its noise.

    Parameters
    ----------
    start : list of numpy.ndarray
        Log-potentials to begin from, one per clique of ``tree``.
    steps : int
        At most so many descent steps.
    tolerance : float
        Stop when a step lowers the loss by less than this share.

    Raises
    ------
    PhaseIVError
        The loss is not a number.
    """
    problem = _Problem(tree, measurements)
    potentials, beliefs = start, calibrated(tree, start)
    loss, gradient = problem.loss(beliefs)
    rate, trace = 1.0 / problem.curvature, [loss]
    for _ in range(steps):
        for _ in range(30):
            tried = [p - rate * g for p, g in zip(potentials, gradient, strict=True)]
            found = calibrated(tree, tried)
            reached, next_gradient = problem.loss(found)
            gain = sum(float(np.vdot(g, b - f)) for g, b, f in zip(gradient, beliefs, found, strict=True))
            if loss - reached >= 0.5 * gain:
                break
            rate /= 2
        potentials, beliefs, gradient = tried, found, next_gradient
        improvement, loss = loss - reached, reached
        trace.append(loss)
        rate *= 1.5
        if not np.isfinite(loss):
            raise PhaseIVError(f"the loss must be finite, got the trace {trace[-5:]}; raise epsilon or use fewer bins")
        if improvement <= tolerance * max(loss, 1.0):
            break
    return GraphicalModel(tree, potentials)


class _Problem:
    """Measurements assigned to the cliques that hold them."""

    def __init__(self, tree: JunctionTree, measurements: Sequence[Measurement]) -> None:
        self.tree = tree
        total = estimated_total(measurements)
        self.held = []
        for m in measurements:
            holder = tree.holder(m.attributes)
            clique = tree.cliques[holder]
            kept = [a for a in clique if a in m.attributes]
            ordered = np.transpose(m.counts, [m.attributes.index(a) for a in kept]) / total
            axes = tuple(i for i, a in enumerate(clique) if a not in m.attributes)
            shape = [tree.levels[a] if a in m.attributes else 1 for a in clique]
            self.held.append((holder, axes, shape, ordered, (total / max(m.sigma, EXACT)) ** 2))
        self.curvature = sum(weight for *_, weight in self.held)

    def loss(self, beliefs: list[np.ndarray]) -> tuple[float, list[np.ndarray]]:
        """Loss and its gradient with respect to the clique probabilities."""
        gradient = [np.zeros_like(b) for b in beliefs]
        loss = 0.0
        for holder, axes, shape, observed, weight in self.held:
            difference = (beliefs[holder].sum(axis=axes) if axes else beliefs[holder]) - observed
            loss += 0.5 * weight * float(np.vdot(difference, difference))
            gradient[holder] += (weight * difference).reshape(shape)
        return loss, gradient
