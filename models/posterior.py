"""Noise-aware posterior of a graphical model: what else the patients could have been, given the noisy counts.

Belongs here: draws of models that carry both the sampling and the privacy uncertainty. Does not belong here: pooling
estimates from their tables (``inference``) or taking the measurements (``oracle``).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from models.conditional_sampling import sample
from models.estimation import Measurement, estimated_total
from models.graphical_model import GraphicalModel

Learn = Callable[[list[Measurement]], GraphicalModel]


def posterior_models(
    model: GraphicalModel, measurements: Sequence[Measurement], learn: Learn, draws: int, rng: np.random.Generator
) -> Iterator[GraphicalModel]:
    r"""Draws from the posterior of the model's parameters; all of it is post-processing of ``measurements``.

    With Gaussian noise of covariance ``D`` on counts of ``n`` patients, the Laplace approximation of the likelihood
    (Raisa, Jalko, Kaski and Honkela, 2023, NAPSU-MQ, Section 3) is ``N(n mu(theta), n Sigma(theta) + D)``; under a flat
    prior the posterior of the expected counts is normal with that covariance around the noisy counts. Counts below
    zero, or tables that contradict each other, are impossible: each draw is projected on the model, which is again
    the fit that made it (posterior projection, Dunson and Neelon, 2003). Unlike the approximation in ``theta`` this
    stays finite where noise leaves a cell empty.

    Parameters
    ----------
    model : GraphicalModel
        Fitted to ``measurements``: where the covariance ``Sigma`` is taken.
    learn : callable
        The fit: measurements to model.
    draws : int
    rng : numpy.random.Generator
        Drives no protection; it may be seeded.
    """
    patients = max(1, round(estimated_total(measurements)))
    levels = model.tree.levels
    expected = _expected(model, measurements, patients)
    for _ in range(draws):
        drawn = sample(model, patients, rng, rounded=False)
        moved = []
        for m, mean in zip(measurements, expected, strict=True):
            flat = np.ravel_multi_index([drawn[a] for a in m.attributes], [levels[a] for a in m.attributes])
            sampled = np.bincount(flat, minlength=mean.size).reshape(mean.shape)
            moved.append(replace(m, counts=m.counts + (sampled - mean) + rng.normal(0, 1, mean.shape) * m.sigma))
        yield learn(moved)


def _expected(model: GraphicalModel, measurements: Sequence[Measurement], patients: int) -> list[np.ndarray]:
    beliefs = model.marginals()
    return [patients * model.project(m.attributes, beliefs) for m in measurements]
