"""Means and covariances of classes from noisy sums, and drawing from them.

Belongs here: taking out the noise that is known to be in them, which costs no privacy. Does not belong here: what the
vectors mean (``gaussian``).

Noise of standard deviation ``s`` on a symmetric matrix of size ``d`` moves no eigenvalue by more than about
``2 s sqrt(d)`` (Wigner's semicircle): eigenvalues that do not stand out by it share their mean, and what a class differs from
the others in is kept only beyond that edge. Means are shrunk towards the common mean (James and Stein, 1961).
"""

from dataclasses import dataclass

import numpy as np

from models.images.noisy_sums import Floats

FARTHEST = 2.5  # standard deviations: none is drawn beyond
LEAST = 1e-4  # of the mean eigenvalue
SURE = 2.0  # standard deviations of noise above which a covariance is kept
TOO_FEW = 3.0  # standard deviations of a class's count


@dataclass(frozen=True)
class ClassMoments:
    """A normal distribution of vectors whose last coordinates may be given.

    Parameters
    ----------
    count : float
        Noisy number of patients, each counted by the share of the slices in this cell; at least 0.
    given_mean : numpy.ndarray, [q]
    gain : numpy.ndarray, [d, q]
        By how much the mean moves with what is given.
    factor : numpy.ndarray, [d, d]
        Times standard normal draws.
    """

    count: float
    mean: Floats
    given_mean: Floats
    gain: Floats
    factor: Floats

    def drawn_given(self, given: Floats, rng: np.random.Generator) -> Floats:
        """One vector [d] for each row of ``given``."""
        normal = np.clip(rng.normal(size=(len(given), len(self.mean))), -FARTHEST, FARTHEST)
        return self.mean + (given - self.given_mean) @ self.gain.T + normal @ self.factor.T


def triangle(vectors: Floats) -> Floats:
    """Products of all pairs of coordinates, so that lengths are squared: off the diagonal times the root of 2."""
    one, other = np.triu_indices(vectors.shape[1])
    return vectors[:, one] * vectors[:, other] * np.where(one == other, 1.0, np.sqrt(2))


def square(products: Floats, size: int) -> Floats:
    """The symmetric matrix of ``triangle``'s products."""
    one, other = np.triu_indices(size)
    matrix = np.zeros((size, size))
    matrix[one, other] = matrix[other, one] = products / np.where(one == other, 1.0, np.sqrt(2))
    return matrix


def estimated(
    counts: Floats, sums: Floats, products: Floats, *, noise: tuple[float, float, float], drawn: int
) -> list[ClassMoments]:
    """Distributions of the classes.

    Parameters
    ----------
    counts, sums, products : numpy.ndarray, [k], [k, d] and [k, d (d + 1) / 2]
        Noisy sums over patients.
    noise : (float, float, float)
        Standard deviation of a number in each of them.
    drawn : int
        Coordinates that are drawn; the others are given.
    """
    size = sums.shape[1]
    known = counts > TOO_FEW * noise[0]
    total = max(1.0, float(counts[known].sum()), float(counts.sum()))
    weights = np.maximum(counts, np.maximum(TOO_FEW * noise[0], 1.0))
    common = sums.sum(axis=0) / total
    means = [
        _shrunk(sums[k] / weights[k], common, noise[1] / weights[k]) if known[k] else common for k in range(len(counts))
    ]
    within = [square(products[k], size) / weights[k] - np.outer(means[k], means[k]) for k in range(len(counts))]
    off_diagonal = noise[2] / np.sqrt(2)
    shares = np.where(known, weights, 0) / max(1.0, weights[known].sum()) if known.any() else np.zeros(len(counts))
    mixed = sum((share * matrix for share, matrix in zip(shares, within, strict=True)), np.zeros((size, size)))
    common_noise = off_diagonal * np.sqrt(max(known.sum(), 1)) / total
    pooled = _denoised(mixed, common_noise)
    gain = _gain(mixed, drawn, common_noise)
    found = []
    for k in range(len(counts)):
        spread = np.hypot(off_diagonal / weights[k] * (1 - shares[k]), off_diagonal / total)
        own = _beyond(within[k] - mixed, spread) if known[k] else np.zeros_like(mixed)
        factor = _factor((pooled + own)[:drawn, :drawn] - gain @ mixed[drawn:, drawn:] @ gain.T)
        found.append(ClassMoments(max(0.0, float(counts[k])), means[k][:drawn], means[k][drawn:], gain, factor))
    return found


def _shrunk(mean: Floats, common: Floats, noise: float) -> Floats:
    apart = mean - common
    kept = 1 - len(mean) * noise**2 / max(float(apart @ apart), 1e-300)
    return common + max(0.0, kept) * apart


def _denoised(matrix: Floats, noise: float) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    edge = 2 * np.sqrt(len(matrix)) * noise
    least = LEAST * max(float(values.mean()), 1e-12)
    above, rest = np.zeros(len(values), bool), float(values.mean())
    while (higher := values > rest + edge)[~above].any() and not higher.all():
        above, rest = higher, float(values[~higher].mean())
    # noise pushes an eigenvalue that stands out up by about (edge / 2)^2 over its distance from the others
    apart = np.where(above, values - rest, 1.0)
    kept = np.where(above, rest + apart - edge**2 / 4 / apart, rest)
    return (vectors * np.maximum(kept, least)) @ vectors.T


def _beyond(difference: Floats, noise: float) -> Floats:
    values, vectors = np.linalg.eigh(difference)
    kept = np.sign(values) * np.maximum(np.abs(values) - 2 * np.sqrt(len(difference)) * noise, 0)
    return (vectors * kept) @ vectors.T


def _gain(covariance: Floats, drawn: int, noise: float) -> Floats:
    """Regression of what is drawn on what is given; covariances that noise alone may have made are 0."""
    given = covariance[drawn:, drawn:]
    shared = covariance[drawn:, :drawn]
    shared = np.where(np.abs(shared) > SURE * noise, shared, 0.0)
    ridge = 2 * np.sqrt(len(given)) * noise + 1e-9
    values, vectors = np.linalg.eigh(given)
    return ((vectors / np.maximum(values, ridge)) @ vectors.T @ shared).T


def _factor(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    least = LEAST * max(float(values.mean()), 1e-12)
    return vectors * np.sqrt(np.maximum(values, least))
