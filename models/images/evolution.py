"""Private Evolution with a simulator: patients vote for the synthetic images that are most like theirs.

Belongs here: noisy votes, and breeding from what they chose. Does not belong here: the first images (``prior``) or how an
image is varied (``variations``).

Each round, every image of a patient votes for the nearest of the synthetic images of its class. Votes are released with
noise; images with few are dropped, the others bred. Images are compared by their low cosine coefficients, and neither
images nor distances leave: the votes are all that is released.

Each synthetic image carries the clinical columns of a simulated patient, or random ones where no simulator knows them, and
its children inherit them. Patients vote by image and columns together, so that pairs which no patient is like die out, and an
image is drawn for a row's columns among those that carry like ones. This costs nothing beyond the votes.

References
----------
Lin et al. (2024), Differentially private synthetic data via foundation model APIs 1: images, ICLR. Lin et al. (2025),
Differentially private synthetic data via APIs 3: using simulators instead of foundation models.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.images.frequencies import Frequencies
from models.images.noisy_sums import Floats, NoisySums, noise_of
from models.images.prior import prior_of
from models.images.seen import Drawn, Seen
from models.images.variations import Variations
from records.images import ImageSchema

COMPARED = 64
FALL = 0.6  # as in ``gaussian``: fine coefficients weigh more than their size
FRESH = 0.1
LAST_STEP = 0.1
COLUMNS_SHARE = 0.2  # of what images weigh in a vote: more ties columns closer and images looser
BANDWIDTH, DRIFT, LEAST_SPREAD = 0.5, 0.2, 0.02  # the first two in standard deviations of a column


@dataclass(frozen=True)
class _Pool:
    """Synthetic images and the columns [n, q] that they carry."""

    pixels: Floats
    masks: NDArray[np.uint8] | None
    columns: Floats


class EvolvedImages:
    """Images bred from a prior by noisy votes, drawn for the columns of their rows.

    Parameters
    ----------
    candidates : int
        Synthetic images of each class that are voted for.
    rounds : int
        Votes; each costs the same share of the budget.
    """

    needs_images = True
    portion = 1000
    warning_ = ""

    def __init__(self, candidates: int = 100, rounds: int = 10) -> None:
        self.candidates = candidates
        self.rounds = rounds

    def must_suit(self, schema: ImageSchema) -> None:
        """Any codebook will do."""

    def learn(self, seen: Seen, sums: NoisySums, rho: float | None, rng: np.random.Generator) -> None:
        """Hold all votes for ``rho`` in total; ``None`` asks for exact ones."""
        self._waves = Frequencies(seen.schema.size)
        self._weights = (1 + self._waves.radius[:COMPARED]) ** FALL
        self._vary = Variations(seen.schema.size)
        prior, self._masked = prior_of(seen.schema), bool(seen.schema.mask)
        shown, classes = self._shown(seen.pixels), np.repeat(np.arange(seen.class_count), self.candidates)
        paid = (rho or 1.0) / self.rounds
        noise = noise_of(1.0, None if rho is None else paid)
        pool = _carrying(prior(classes, rng), seen.columns.shape[1], rng)
        self._column_spread = np.maximum(pool.columns.std(axis=0), LEAST_SPREAD)
        weight = self._column_weight(pool)
        joined = np.concatenate([shown, weight * seen.columns / self._column_spread], axis=1)
        for turn in range(self.rounds):
            made = np.concatenate([self._shown(pool.pixels), weight * pool.columns / self._column_spread], axis=1)
            nearest = self._nearest(joined, seen.classes, made)
            votes = sums(
                lambda places, nearest=nearest: np.eye(self.candidates)[nearest[places]], self.candidates, norm=1.0,
                rho=paid, purpose=f"votes of round {turn + 1}", cells=seen.classes, cell_count=seen.class_count,
            )  # fmt: skip
            self._pool, self._shares = pool, _shares(votes, noise)
            step = (1 - LAST_STEP) * (1 - turn / self.rounds) + LAST_STEP
            if turn + 1 < self.rounds:
                pool = self._bred(classes, step, rng)
                fresh = rng.random(len(classes)) < FRESH
                pool = _replaced(pool, fresh, _carrying(prior(classes[fresh], rng), seen.columns.shape[1], rng))

    def draw(self, classes: np.ndarray, columns: Floats, rng: np.random.Generator) -> Drawn:
        """Slightly varied images, as often as they were voted for among those that carry like columns."""
        bred = self._bred(classes, LAST_STEP, rng, columns)
        return Drawn(bred.pixels, bred.masks)

    def _column_weight(self, pool: "_Pool") -> float:
        """Of a column's standard deviation beside coefficients: all columns together weigh a public share of what images do."""
        if not pool.columns.shape[1]:
            return 0.0
        return math.sqrt(COLUMNS_SHARE * float(self._shown(pool.pixels).var(axis=0).sum()) / pool.columns.shape[1])

    def _shown(self, pixels: Floats) -> Floats:
        return np.asarray(self._waves.forward(pixels, COMPARED) * self._weights, np.float32)

    def _nearest(self, shown: Floats, classes: np.ndarray, made: Floats) -> np.ndarray:
        """Place of the nearest candidate of the same class, for each image."""
        found = np.zeros(len(shown), np.int64)
        for level in range(len(made) // self.candidates):
            own = made[level * self.candidates : (level + 1) * self.candidates]
            chosen = classes == level
            distances = (own**2).sum(axis=1) - 2 * shown[chosen] @ own.T
            found[chosen] = distances.argmin(axis=1)
        return found

    def _bred(
        self, classes: np.ndarray, step: float, rng: np.random.Generator, columns: Floats | None = None
    ) -> "_Pool":
        """A varied image of each class, from parents by their shares of the votes, and by how like their columns are."""
        parents = np.empty((2, len(classes)), np.int64)
        for level in np.unique(classes):
            chosen = classes == level
            odds = np.tile(self._shares[level], (int(chosen.sum()), 1))
            if columns is not None:
                odds = odds * self._likeness(level, columns[chosen])
            parents[:, chosen] = level * self.candidates + _chosen(odds, rng)
        pixels, masks = self._pool.pixels, self._pool.masks
        varied = self._vary(
            pixels[parents[0]], pixels[parents[1]], None if masks is None else masks[parents[0]], step, rng
        )  # fmt: skip
        carried = self._pool.columns[parents[0]]
        carried = carried + DRIFT * step * self._column_spread * rng.normal(size=carried.shape)
        return _Pool(varied.pixels, varied.masks, np.clip(carried, -1, 1))

    def _likeness(self, level: int, columns: Floats) -> Floats:
        """How like the columns of each candidate of a class are to those of each row, [rows, candidates], at most 1."""
        own = self._pool.columns[level * self.candidates : (level + 1) * self.candidates]
        apart = (((columns[:, None] - own) / (BANDWIDTH * self._column_spread)) ** 2).sum(axis=2)
        return np.exp((apart.min(axis=1, keepdims=True) - apart) / 2)


def _carrying(images: Drawn, width: int, rng: np.random.Generator) -> _Pool:
    """Images with the simulator's columns, random ones where it does not know them."""
    carried = rng.uniform(-1, 1, (len(images.pixels), width))
    if images.columns is not None:
        carried = np.where(np.isnan(images.columns), carried, images.columns)
    return _Pool(images.pixels, images.masks, carried)


def _chosen(odds: Floats, rng: np.random.Generator) -> np.ndarray:
    """Two places of each row by its odds, [2, rows]."""
    rising = np.cumsum(odds, axis=1)
    drawn = rng.random((2, len(odds), 1)) * rising[:, -1:]
    return np.minimum((rising <= drawn).sum(axis=2), odds.shape[1] - 1)


def _shares(votes: Floats, noise: float) -> Floats:
    """Shares of the votes of each class; what noise may have made alone counts little."""
    edge = noise * math.sqrt(2 * math.log(max(votes.shape[1], 2)))
    # the highest alone are kept where noise hides all
    edges = np.minimum(edge, np.sort(votes, axis=1)[:, [-max(2, votes.shape[1] // 10)]])
    kept = np.maximum(votes - edges, 0) + 1e-9
    return kept / kept.sum(axis=1, keepdims=True)


def _replaced(pool: _Pool, places: np.ndarray, others: _Pool) -> _Pool:
    pixels, masks, columns = pool.pixels.copy(), pool.masks, pool.columns.copy()
    columns[places] = others.columns
    pixels[places] = others.pixels
    if masks is not None and others.masks is not None:
        masks = masks.copy()
        masks[places] = others.masks
    return _Pool(pixels, masks, columns)
