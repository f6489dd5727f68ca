"""What is reached without looking at any pixel: images of the prior, and flat ones, with noisy shares of the classes.

Belongs here: the floors that every other family must pass. Does not belong here: anything that learns images.
"""

import numpy as np

from models.images.noisy_sums import NoisySums
from models.images.prior import Prior, prior_of
from models.images.seen import Drawn, Seen
from records.images import ImageSchema


class PriorImages:
    """Images of the prior (``models.images.prior``); the budget goes to the columns."""

    needs_images = False
    portion = 1000
    warning_ = ""
    _prior: Prior

    def must_suit(self, schema: ImageSchema) -> None:
        """Any codebook will do."""

    def learn(self, seen: Seen, sums: NoisySums, rho: float | None, rng: np.random.Generator) -> None:
        """Look at the codebook only."""
        self._prior = prior_of(seen.schema)

    def draw(self, classes: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> Drawn:
        """One image for each class."""
        return self._prior(classes, rng)


class FlatImages:
    """The middle of the window everywhere: labels and clinical columns only."""

    needs_images = False
    portion = 1000
    warning_ = ""

    def must_suit(self, schema: ImageSchema) -> None:
        """Any codebook will do."""

    def learn(self, seen: Seen, sums: NoisySums, rho: float | None, rng: np.random.Generator) -> None:
        """Look at the codebook only."""
        self._size, self._masked = seen.schema.size, bool(seen.schema.mask)

    def draw(self, classes: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> Drawn:
        """One flat image for each class."""
        pixels = np.zeros((len(classes), *self._size), np.float32)
        return Drawn(pixels, np.zeros(pixels.shape, np.uint8) if self._masked else None)
