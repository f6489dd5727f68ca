"""Class-conditional normal distributions of low cosine coefficients: one noisy release of moments, then free drawing.

Belongs here: which moments are released and how images are drawn from them. Does not belong here: noise
(``noisy_sums``), taking noise out of matrices (``moments``), rows (``synthesizer``).

Most of what tells classes of scans apart is coarse. The lowest coefficients, the other columns and the shape of a lesion
are one normal vector for each class, so that an image can be drawn for given columns and agrees with them. Finer detail
is drawn as a random field with the mean energy of its ring of frequency.

References
----------
Dwork, Talwar, Thakurta and Zhang (2014), Analyze Gauss: noise on second moments. Field (1987), Relations between the
statistics of natural images and the response properties of cortical cells: amplitude falls about as 1/f.
"""

import math

import numpy as np

from models.images import lesions
from models.images.frequencies import Frequencies
from models.images.moments import ClassMoments, estimated, triangle
from models.images.noisy_sums import Floats, NoisySums, noise_of
from models.images.seen import UNKNOWN, Drawn, Seen
from records.errors import ParameterError

START_SHARE, DETAIL_SHARE, LENGTH_SHARE = 0.06, 0.04, 0.03
COUNT_PART, MEAN_PART = 0.02, 0.15  # of the squared norm of the last release
CLIPPED_SHARE = 0.1
LENGTHS, RATIO = 24, 1.25
RINGS = 4
LOWEST, HIGHEST = math.log(1e-6), 0.0  # log energy of a coefficient per pixel
FALL = 0.6
WEIGHT = 2.0  # of columns and lesions beside coefficients, which are longer


class GaussianImages:
    """Normal distributions in the cosine domain.

    Parameters
    ----------
    coefficients : int
        Low coefficients that are learnt with their covariances; the rest is a random field.
    """

    needs_images = True

    def __init__(self, coefficients: int = 64) -> None:
        self.coefficients = coefficients

    def learn(self, seen: Seen, sums: NoisySums, rho: float | None, rng: np.random.Generator) -> None:
        """Release the moments for ``rho``; ``None`` asks for exact ones."""
        paid = rho or 1.0
        self._waves = Frequencies(seen.schema.size)
        self._low = min(self.coefficients, len(self._waves) // 2)
        self._weights = (1 + self._waves.radius[: self._low]) ** FALL
        self._values = [value for value in seen.schema.mask if value > 0]
        if len(self._values) > 1:
            raise ParameterError(
                f"{seen.schema.name} must mark one kind of lesion, got {len(self._values)}; merge the mask's values"
            )
        self._drawn = self._low + (lesions.NUMBERS if self._values else 0)
        self._columns = seen.columns.shape[1]
        self._start = self._learnt_start(seen, sums, START_SHARE * paid)
        self._detail = self._learnt_detail(seen, sums, DETAIL_SHARE * paid)
        norm = self._learnt_length(seen, sums, LENGTH_SHARE * paid)
        left = (1 - START_SHARE - DETAIL_SHARE - LENGTH_SHARE) * paid
        self.moments_ = self._learnt_moments(seen, sums, norm, left, exact=rho is None)

    def draw(self, classes: np.ndarray, columns: Floats, rng: np.random.Generator) -> Drawn:
        """One image for each class and row of columns."""
        vectors, cells = np.empty((len(classes), self._drawn)), self._drawn_cells(classes, rng)
        for cell in np.unique(cells):
            chosen = cells == cell
            vectors[chosen] = self.moments_[cell].drawn_given(WEIGHT * columns[chosen], rng)
        coefficients = rng.normal(size=(len(classes), len(self._waves))) * self._detail
        coefficients[:, : self._low] = self._start + vectors[:, : self._low] / self._weights
        pixels = np.clip(self._waves.backward(coefficients), -1, 1)
        if not self._values:
            return Drawn(pixels)
        masks, marked = np.zeros(pixels.shape, np.uint8), cells % 2 == 1
        pixels[marked], outlines = lesions.painted(pixels[marked], vectors[marked, self._low :] / WEIGHT)
        masks[marked] = outlines * self._values[0]
        return Drawn(np.clip(pixels, -1, 1), masks)

    def _cells(self, seen: Seen) -> np.ndarray:
        """Class of each slice; where there are masks, twice as many: without and with a lesion."""
        if not self._values or seen.masks is None:
            return seen.classes
        return np.where(seen.classes < 0, UNKNOWN, 2 * seen.classes + lesions.present(seen.masks))

    def _drawn_cells(self, classes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if not self._values:
            return classes
        counts = np.array([one.count for one in self.moments_]).reshape(-1, 2)
        share = np.where(counts.sum(axis=1) > 0, counts[:, 1] / np.maximum(counts.sum(axis=1), 1e-9), 0.0)
        return 2 * classes + (rng.random(len(classes)) < share[classes])

    def _learnt_start(self, seen: Seen, sums: NoisySums, rho: float) -> Floats:
        """A rough mean image of all classes, about which vectors are short; with a count of patients."""
        norm = math.sqrt(len(self._waves))

        def vectors(places: np.ndarray) -> Floats:
            return self._waves.forward(seen.pixels[places], self._low)

        total = sums(vectors, self._low, norm=norm, rho=0.9 * rho, purpose="mean image")[0]
        ones = sums(lambda places: np.ones((len(places), 1)), 1, norm=1.0, rho=0.1 * rho, purpose="number of patients")
        self.patients_ = max(1.0, float(ones[0, 0]))
        return total / self.patients_

    def _learnt_detail(self, seen: Seen, sums: NoisySums, rho: float) -> Floats:
        """Standard deviation of each coefficient above the low ones, from the mean log energy of wide rings."""
        radius = self._waves.radius
        cuts = np.geomspace(radius[self._low], radius[-1] * 1.001, RINGS + 1)[1:-1]
        ring = np.digitize(radius, cuts)
        ring[: self._low] = RINGS
        sizes = np.maximum(np.bincount(ring, minlength=RINGS + 1)[:RINGS], 1)

        def vectors(places: np.ndarray) -> Floats:
            squares = self._waves.forward(seen.pixels[places]) ** 2
            energy = np.stack([squares[:, ring == r].sum(axis=1) for r in range(RINGS)], axis=1) / sizes
            logs = np.log(np.maximum(energy, 1e-12) / len(self._waves))
            return 2 * (np.clip(logs, LOWEST, HIGHEST) - LOWEST) / (HIGHEST - LOWEST) - 1

        total = sums(vectors, RINGS, norm=math.sqrt(RINGS), rho=rho, purpose="energy of detail")[0]
        logs = LOWEST + (np.clip(total / self.patients_, -1, 1) + 1) / 2 * (HIGHEST - LOWEST)
        deviations = np.sqrt(np.exp(np.minimum.accumulate(logs)) * len(self._waves))
        return np.append(deviations, 0.0)[ring]

    def _vectors(self, seen: Seen, places: np.ndarray) -> Floats:
        low = (self._waves.forward(seen.pixels[places], self._low) - self._start) * self._weights
        marked = (
            [lesions.described(seen.pixels[places], seen.masks[places])]
            if self._values and seen.masks is not None
            else []
        )
        return np.concatenate([low, *(WEIGHT * part for part in (*marked, seen.columns[places]))], axis=1)

    def _learnt_length(self, seen: Seen, sums: NoisySums, rho: float) -> float:
        """A length that about nine in ten vectors do not exceed, from a noisy histogram of lengths."""
        longest = 2 * math.sqrt(len(self._waves)) * float(self._weights[-1])
        grid = longest * RATIO ** -np.arange(LENGTHS, dtype=float)

        def vectors(places: np.ndarray) -> Floats:
            lengths = np.linalg.norm(self._vectors(seen, places), axis=1)
            bins = np.clip(np.searchsorted(-grid, -lengths, side="right") - 1, 0, LENGTHS - 1)
            return np.eye(LENGTHS)[bins]

        counts = sums(vectors, LENGTHS, norm=1.0, rho=rho, purpose="lengths of vectors")[0]
        longer = np.cumsum(counts)
        return float(grid[np.argmax(longer > CLIPPED_SHARE * self.patients_) if longer.max() > 0 else 0])

    def _learnt_moments(
        self, seen: Seen, sums: NoisySums, norm: float, rho: float, *, exact: bool
    ) -> list[ClassMoments]:  # fmt: skip
        size = self._drawn + self._columns
        parts = np.sqrt([COUNT_PART, MEAN_PART, 1 - COUNT_PART - MEAN_PART])

        def vectors(places: np.ndarray) -> Floats:
            found = self._vectors(seen, places) / norm
            found /= np.maximum(np.linalg.norm(found, axis=1), 1)[:, None]
            ones = np.ones((len(found), 1))
            return np.concatenate([parts[0] * ones, parts[1] * found, parts[2] * triangle(found)], axis=1)

        total = sums(
            vectors, 1 + size + size * (size + 1) // 2, norm=1.0, rho=rho, purpose="moments of each class",
            cells=self._cells(seen), cell_count=seen.class_count * (2 if self._values else 1),
        )  # fmt: skip
        noise = noise_of(1.0, None if exact else rho)
        return estimated(
            total[:, 0] / parts[0], total[:, 1 : size + 1] * (norm / parts[1]), total[:, size + 1 :] * (norm**2 / parts[2]),
            noise=(noise / parts[0], noise * norm / parts[1], noise * norm**2 / parts[2]), drawn=self._drawn,
        )  # fmt: skip
