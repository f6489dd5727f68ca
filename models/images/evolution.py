"""Private Evolution with a simulator: patients vote for the synthetic images that are most like theirs.

Belongs here: noisy votes, and breeding from what they chose. Does not belong here: the first images (``prior``) or how an
image is varied (``variations``).

Each round, every image of a patient votes for the nearest of the synthetic images of its class. Votes are released with
noise; images with few are dropped, the others bred. Images are compared by their low cosine coefficients, and neither
images nor distances leave: the votes are all that is released.

References
----------
Lin et al. (2024), Differentially private synthetic data via foundation model APIs 1: images, ICLR. Lin et al. (2025),
Differentially private synthetic data via APIs 3: using simulators instead of foundation models.
"""

import math

import numpy as np

from models.images.frequencies import Frequencies
from models.images.noisy_sums import Floats, NoisySums, noise_of
from models.images.prior import prior_of
from models.images.seen import Drawn, Seen
from models.images.variations import Variations

COMPARED = 64
FALL = 0.6  # as in ``gaussian``: fine coefficients weigh more than their size
FRESH = 0.1
LAST_STEP = 0.1


class EvolvedImages:
    """Images bred from a prior by noisy votes; of a row's columns they follow the label only.

    Parameters
    ----------
    candidates : int
        Synthetic images of each class that are voted for.
    rounds : int
        Votes; each costs the same share of the budget.
    """

    needs_images = True

    def __init__(self, candidates: int = 100, rounds: int = 10) -> None:
        self.candidates = candidates
        self.rounds = rounds

    def learn(self, seen: Seen, sums: NoisySums, rho: float | None, rng: np.random.Generator) -> None:
        """Hold all votes for ``rho`` in total; ``None`` asks for exact ones."""
        self._waves = Frequencies(seen.schema.size)
        self._weights = (1 + self._waves.radius[:COMPARED]) ** FALL
        self._vary = Variations(seen.schema.size)
        prior, self._masked = prior_of(seen.schema), bool(seen.schema.mask)
        shown, classes = self._shown(seen.pixels), np.repeat(np.arange(seen.class_count), self.candidates)
        paid = (rho or 1.0) / self.rounds
        noise = noise_of(1.0, None if rho is None else paid)
        pool = prior(classes, rng)
        for turn in range(self.rounds):
            nearest = self._nearest(shown, seen.classes, self._shown(pool.pixels))
            votes = sums(
                lambda places, nearest=nearest: np.eye(self.candidates)[nearest[places]], self.candidates, norm=1.0,
                rho=paid, purpose=f"votes of round {turn + 1}", cells=seen.classes, cell_count=seen.class_count,
            )  # fmt: skip
            self._pool, self._shares = pool, _shares(votes, noise)
            step = (1 - LAST_STEP) * (1 - turn / self.rounds) + LAST_STEP
            if turn + 1 < self.rounds:
                pool = self._bred(classes, step, rng)
                fresh = rng.random(len(classes)) < FRESH
                pool = _replaced(pool, fresh, prior(classes[fresh], rng))

    def draw(self, classes: np.ndarray, columns: Floats, rng: np.random.Generator) -> Drawn:
        """Slightly varied images, as often as they were voted for."""
        return self._bred(classes, LAST_STEP, rng)

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

    def _bred(self, classes: np.ndarray, step: float, rng: np.random.Generator) -> Drawn:
        """A varied image of each class, from parents by their shares of the votes."""
        parents = np.empty((2, len(classes)), np.int64)
        for level in np.unique(classes):
            chosen = classes == level
            drawn = rng.choice(self.candidates, (2, int(chosen.sum())), p=self._shares[level])
            parents[:, chosen] = level * self.candidates + drawn
        pixels, masks = self._pool.pixels, self._pool.masks
        return self._vary(
            pixels[parents[0]], pixels[parents[1]], None if masks is None else masks[parents[0]], step, rng
        )  # fmt: skip


def _shares(votes: Floats, noise: float) -> Floats:
    """Shares of the votes of each class; what noise may have made alone counts little."""
    edge = noise * math.sqrt(2 * math.log(max(votes.shape[1], 2)))
    # the highest alone are kept where noise hides all
    edges = np.minimum(edge, np.sort(votes, axis=1)[:, [-max(2, votes.shape[1] // 10)]])
    kept = np.maximum(votes - edges, 0) + 1e-9
    return kept / kept.sum(axis=1, keepdims=True)


def _replaced(pool: Drawn, places: np.ndarray, others: Drawn) -> Drawn:
    pixels, masks = pool.pixels.copy(), pool.masks
    pixels[places] = others.pixels
    if masks is not None and others.masks is not None:
        masks = masks.copy()
        masks[places] = others.masks
    return Drawn(pixels, masks)
