"""Learning a graphical model from noisy marginals.

Belongs here: the loss and its minimisation over the marginal polytope. Does not belong here: measuring (``oracle``)
or choosing what to measure (``selection``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.graphical_model import GraphicalModel, Labelled, assembled
from models.junction_tree import Clique, JunctionTree
from records.errors import PhaseIVError

LINE_SEARCHES = 30
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


def expected_error(measurements: Sequence[Measurement]) -> float:
    """Mean total variation distance that noise alone puts between a measured table and the truth, 0 to 1."""
    total = estimated_total(measurements)
    errors = [m.sigma * m.counts.size * np.sqrt(2 / np.pi) / (2 * total) for m in measurements]
    return min(1.0, float(np.mean(errors)))


def estimate(
    tree: JunctionTree, measurements: Sequence[Measurement], structure: Sequence[Labelled],
    start: Sequence[np.ndarray], *, steps: int, tolerance: float,
) -> tuple[GraphicalModel, list[np.ndarray]]:  # fmt: skip
    """The model of maximum entropy whose marginals are closest to ``measurements``.

    Mirror descent on log-potentials with a line search (McKenna, Sheldon and Miklau, 2019, Algorithm 1). The loss is
    half the sum of squared differences of counts, each in units of its noise.

    Parameters
    ----------
    structure : sequence of (numpy.ndarray, Clique)
        Log-potentials that stay as they are: structural zeros.
    start : sequence of numpy.ndarray
        Log-potentials to begin from, for the first measurements; the others begin at zero.
    steps : int
        At most so many descent steps.
    tolerance : float
        Stop when a step lowers the loss by less than this share.

    Returns
    -------
    model : GraphicalModel
    potentials : list of numpy.ndarray
        One per measurement, fit to begin from again.

    Raises
    ------
    PhaseIVError
        The loss is not a number.
    """
    problem = _Problem(tree, measurements)
    thetas = [*start, *(np.zeros(m.counts.shape) for m in measurements[len(start) :])]
    model = _model(tree, structure, measurements, thetas)
    projected = problem.project(model)
    loss, gradient = problem.loss(projected)
    rate, trace = 1.0 / problem.curvature, [loss]
    for _ in range(steps):
        before = loss
        for _ in range(LINE_SEARCHES):
            tried = [t - rate * g for t, g in zip(thetas, gradient, strict=True)]
            model = _model(tree, structure, measurements, tried)
            found = problem.project(model)
            gain = sum(float(np.vdot(g, b - f)) for g, b, f in zip(gradient, projected, found, strict=True))
            loss, next_gradient = problem.loss(found)
            if before - loss >= 0.5 * gain:
                thetas, projected, gradient = tried, found, next_gradient
                break
            rate /= 2
        else:
            model, loss = _model(tree, structure, measurements, thetas), before
        trace.append(loss)
        rate *= 1.5
        if not np.isfinite(loss):
            raise PhaseIVError(f"the loss must be finite, got the trace {trace[-5:]}; raise epsilon or use fewer bins")
        if before - loss <= tolerance * max(loss, 1.0):
            break
    return model, thetas


def _model(
    tree: JunctionTree, structure: Sequence[Labelled], measurements: Sequence[Measurement], thetas: list[np.ndarray]
) -> GraphicalModel:
    learnt = [(theta, m.attributes) for theta, m in zip(thetas, measurements, strict=True)]
    return GraphicalModel(tree, assembled(tree, [*structure, *learnt]))


class _Problem:
    """Measurements as shares of the estimated total, each assigned to the clique that holds it."""

    def __init__(self, tree: JunctionTree, measurements: Sequence[Measurement]) -> None:
        total = estimated_total(measurements)
        self.tree = tree
        self.attributes = [m.attributes for m in measurements]
        self.observed = [m.counts / total for m in measurements]
        self.weights = [(total / max(m.sigma, EXACT)) ** 2 for m in measurements]
        self.curvature = sum(self.weights)

    def project(self, model: GraphicalModel) -> list[np.ndarray]:
        beliefs = model.marginals()
        return [model.project(attributes, beliefs) for attributes in self.attributes]

    def loss(self, projected: list[np.ndarray]) -> tuple[float, list[np.ndarray]]:
        """Loss and its gradient with respect to each measured marginal."""
        differences = [p - o for p, o in zip(projected, self.observed, strict=True)]
        gradient = [w * d for w, d in zip(self.weights, differences, strict=True)]
        return 0.5 * sum(float(np.vdot(g, d)) for g, d in zip(gradient, differences, strict=True)), gradient
