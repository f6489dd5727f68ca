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
from collections.abc import Callable

import numpy as np

from models.images import lesions
from models.images.frequencies import Frequencies
from models.images.moments import ClassMoments, estimated, triangle
from models.images.noisy_sums import Floats, NoisySums, noise_of
from models.images.seen import UNKNOWN, Drawn, Seen
from records.errors import ParameterError
from records.images import ImageSchema

# of the budget: a mean image, the energy of detail, its places, lengths, lesions; the moments have what is left
SHARES = {"start": 0.06, "rings": 0.02, "places": 0.02, "length": 0.02, "lesions": 0.12}
COUNT_PART, MEAN_PART = 0.04, 0.15  # of the squared norm of a release of moments
CLIPPED_SHARE = 0.1
LENGTHS, RATIO = 24, 1.25
RINGS, PLACES = 4, 64
LOWEST, HIGHEST = math.log(1e-6), 0.0  # log energy of a coefficient per pixel
FALL = 0.6
COLUMN_WEIGHT = 2.0  # of columns beside coefficients, which are longer
SURE = 3.0  # standard deviations of noise above which a fine coefficient of the mean image is kept
LESION_NORM = 2.0
PLACE_NORM = 0.1  # length of the squared detail, per root of pixels


class GaussianImages:
    """Normal distributions in the cosine domain.

    Parameters
    ----------
    coefficients : int
        Low coefficients that are learnt with their covariances; the rest is a random field.
    """

    needs_images = True
    portion = 1000
    warning_ = ""

    def __init__(self, coefficients: int = 64) -> None:
        self.coefficients = coefficients

    def must_suit(self, schema: ImageSchema) -> None:
        """Masks must mark one kind of lesion."""
        values = [value for value in schema.mask if value > 0]
        if len(values) > 1:
            raise ParameterError(
                f"{schema.name} must mark one kind of lesion, got {len(values)}; merge the mask's values"
            )

    def learn(self, seen: Seen, sums: NoisySums, rho: float | None, rng: np.random.Generator) -> None:
        """Release the moments for ``rho``; ``None`` asks for exact ones."""
        self._value = next((value for value in seen.schema.mask if value > 0), 0)
        self._waves = Frequencies(seen.schema.size)
        self._low = min(self.coefficients, len(self._waves) // 2)
        self._weights = (1 + self._waves.radius[: self._low]) ** FALL
        self._exact = rho is None
        paid = {name: share * (rho or 1.0) for name, share in SHARES.items()}
        left = (rho or 1.0) - sum(paid.values())
        self._start = self._learnt_start(seen, sums, paid["start"])
        self._rings = self._learnt_rings(seen, sums, paid["rings"])
        self._places = self._learnt_places(seen, sums, paid["places"])
        norm = self._learnt_length(seen, sums, paid["length"])
        self._lesions = None
        if seen.masks is not None and seen.schema.mask:
            self._lesions = self._learnt_lesions(seen, seen.masks, sums, paid["lesions"])
        else:
            left += paid["lesions"]
        self.moments_ = self._learnt_moments(seen, sums, norm, left)

    def draw(self, classes: np.ndarray, columns: Floats, rng: np.random.Generator) -> Drawn:
        """One image for each class and row of columns."""
        low = np.empty((len(classes), self._low))
        for level in np.unique(classes):
            chosen = classes == level
            low[chosen] = self.moments_[level].drawn_given(COLUMN_WEIGHT * columns[chosen], rng)
        mean = np.tile(self._start, (len(classes), 1))
        mean[:, : self._low] += low / self._weights
        fields = rng.normal(size=mean.shape) * self._rings
        pixels = np.clip(self._waves.backward(mean) + self._waves.backward(fields) * self._places, -1, 1)
        return self._with_lesions(pixels, classes, columns, rng)

    def _with_lesions(
        self, pixels: Floats, classes: np.ndarray, columns: Floats, rng: np.random.Generator
    ) -> Drawn:  # fmt: skip
        if self._lesions is None:
            return Drawn(pixels)
        counts = np.array([one.count for one in self._lesions]).reshape(-1, 2)
        share = counts[:, 1] / np.maximum(counts.sum(axis=1), 1e-9)
        marked = rng.random(len(classes)) < share[classes]
        masks = np.zeros(pixels.shape, np.uint8)
        for level in np.unique(classes[marked]):
            chosen = np.flatnonzero(marked & (classes == level))
            numbers = self._lesions[2 * level + 1].drawn_given(columns[chosen], rng)
            pixels[chosen], masks[chosen] = lesions.painted(pixels[chosen], numbers)
        return Drawn(np.clip(pixels, -1, 1), masks * np.uint8(self._value))

    def _learnt_start(self, seen: Seen, sums: NoisySums, rho: float) -> Floats:
        """A mean image of all classes, about which vectors are short; fine coefficients that noise hides are zero."""
        norm = math.sqrt(len(self._waves))

        def vectors(places: np.ndarray) -> Floats:
            return self._waves.forward(seen.pixels[places])

        total = sums(vectors, len(self._waves), norm=norm, rho=0.9 * rho, purpose="mean image")[0]
        ones = sums(lambda places: np.ones((len(places), 1)), 1, norm=1.0, rho=0.1 * rho, purpose="number of patients")
        self.patients_ = max(1.0, float(ones[0, 0]))
        hidden = np.abs(total) < SURE * self._noise(norm, 0.9 * rho)
        hidden[: self._low] = False
        return np.where(hidden, 0.0, total / self.patients_)

    def _noise(self, norm: float, rho: float) -> float:
        return noise_of(norm, None if self._exact else rho)

    def _learnt_rings(self, seen: Seen, sums: NoisySums, rho: float) -> Floats:
        """Standard deviation of each fine coefficient about the mean, from the mean log energy of wide rings."""
        radius = self._waves.radius
        cuts = np.geomspace(radius[self._low], radius[-1] * 1.001, RINGS + 1)[1:-1]
        ring = np.digitize(radius, cuts)
        ring[: self._low] = RINGS
        sizes = np.maximum(np.bincount(ring, minlength=RINGS + 1)[:RINGS], 1)

        def vectors(places: np.ndarray) -> Floats:
            squares = (self._waves.forward(seen.pixels[places]) - self._start) ** 2
            energy = np.stack([squares[:, ring == r].sum(axis=1) for r in range(RINGS)], axis=1) / sizes
            logs = np.log(np.maximum(energy, 1e-12) / len(self._waves))
            return 2 * (np.clip(logs, LOWEST, HIGHEST) - LOWEST) / (HIGHEST - LOWEST) - 1

        total = sums(vectors, RINGS, norm=math.sqrt(RINGS), rho=rho, purpose="energy of detail")[0]
        logs = LOWEST + (np.clip(total / self.patients_, -1, 1) + 1) / 2 * (HIGHEST - LOWEST)
        deviations = np.sqrt(np.exp(np.minimum.accumulate(logs)) * len(self._waves))
        return np.append(deviations, 0.0)[ring]

    def _learnt_places(self, seen: Seen, sums: NoisySums, rho: float) -> Floats:
        """Where detail is strong, as a factor of each pixel whose mean square is 1: a smooth map of its square."""
        most = min(PLACES, len(self._waves) // 2)

        def vectors(places: np.ndarray) -> Floats:
            fine = self._waves.forward(seen.pixels[places]) - self._start
            fine[:, : self._low] = 0
            return self._waves.forward(self._waves.backward(fine) ** 2, most)

        norm = PLACE_NORM * math.sqrt(len(self._waves))
        total = sums(vectors, most, norm=norm, rho=rho, purpose="places of detail")
        sure = np.abs(total) > SURE * self._noise(norm, rho)
        squares = np.maximum(self._waves.backward(np.where(sure, total, 0.0))[0], 0)
        return np.sqrt(squares / squares.mean()) if squares.max() > 0 else np.ones(self._waves.size)

    def _vectors(self, seen: Seen, places: np.ndarray) -> Floats:
        low = self._waves.forward(seen.pixels[places], self._low) - self._start[: self._low]
        return np.concatenate([low * self._weights, COLUMN_WEIGHT * seen.columns[places]], axis=1)

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

    def _learnt_moments(self, seen: Seen, sums: NoisySums, norm: float, rho: float) -> list[ClassMoments]:
        return self._released(
            lambda places: self._vectors(seen, places), self._low, seen.columns.shape[1], seen.classes,
            seen.class_count, sums, norm=norm, rho=rho, purpose="moments of each class",
        )  # fmt: skip

    def _learnt_lesions(
        self, seen: Seen, masks: np.ndarray, sums: NoisySums, rho: float
    ) -> list[ClassMoments]:  # fmt: skip
        """Moments of lesions and columns, first without and then with a lesion, class by class."""

        def vectors(places: np.ndarray) -> Floats:
            numbers = lesions.described(seen.pixels[places], masks[places])
            return np.concatenate([numbers, seen.columns[places]], axis=1)

        cells = np.where(seen.classes < 0, UNKNOWN, 2 * seen.classes + lesions.present(masks))
        return self._released(
            vectors, lesions.NUMBERS, seen.columns.shape[1], cells, 2 * seen.class_count, sums,
            norm=LESION_NORM, rho=rho, purpose="moments of lesions",
        )  # fmt: skip

    def _released(
        self, of: Callable[[np.ndarray], Floats], drawn: int, given: int, cells: np.ndarray, cell_count: int,
        sums: NoisySums, *, norm: float, rho: float, purpose: str,
    ) -> list[ClassMoments]:  # fmt: skip
        """Counts, sums and products of vectors shortened to ``norm``, released together as one vector."""
        size, parts = drawn + given, np.sqrt([COUNT_PART, MEAN_PART, 1 - COUNT_PART - MEAN_PART])

        def vectors(places: np.ndarray) -> Floats:
            found = of(places) / norm
            found /= np.maximum(np.linalg.norm(found, axis=1), 1)[:, None]
            ones = np.ones((len(found), 1))
            return np.concatenate([parts[0] * ones, parts[1] * found, parts[2] * triangle(found)], axis=1)

        width = 1 + size + size * (size + 1) // 2
        total = sums(vectors, width, norm=1.0, rho=rho, purpose=purpose, cells=cells, cell_count=cell_count)
        noise = self._noise(1.0, rho)
        return estimated(
            total[:, 0] / parts[0], total[:, 1 : size + 1] * (norm / parts[1]), total[:, size + 1 :] * (norm**2 / parts[2]),
            noise=(noise / parts[0], noise * norm / parts[1], noise * norm**2 / parts[2]), drawn=drawn,
        )  # fmt: skip
