"""A simulator whose images are chosen so that their noisy moments become the patients'.

Belongs here: which moments patients release, and choosing a simulator's images by them. Does not belong here: the simulator
(``models.phantoms``, ``prior``), noise (``noisy_sums``), weights from moments (``tilting``).

Where the simulator is right, its images stay as they are, since what noise may have made alone moves nothing; where it is
wrong in a way that its images can follow, they do. It cannot make what the simulator never draws. An image is drawn for given
columns among simulated patients with like columns. How numbers are scaled is read from the simulator's images, never from
patients.
"""

import math
from dataclasses import dataclass

import numpy as np

from models.images import lesions
from models.images.frequencies import Frequencies
from models.images.noisy_sums import Floats, NoisySums, noise_of
from models.images.prior import has_simulator, prior_of
from models.images.seen import Drawn, Seen
from models.images.tilting import effective_share, shrunk, slopes
from records.errors import ParameterError
from records.images import ImageSchema

COUNT_PART = 0.04  # of the squared norm
CLIPPED_SHARE = 0.05
FARTHEST = 3.0  # standard deviations
AXES = 12  # principal axes of the coefficients: a simulator cannot follow along those in which its images hardly differ
BANDWIDTH = 0.35  # standard deviations of a column within which simulated patients are alike
SAME = 1e-6  # a spread of numbers below which simulated images are equal
TOO_FEW = 3.0  # standard deviations of a class's count
FEW_EFFECTIVE = 0.1


class TiltedImages:
    """Images of a simulator, weighted by noisy moments of the patients' images.

    Parameters
    ----------
    coefficients : int
        Low cosine coefficients whose moments are released.
    pool : int
        Images that are simulated for all classes together.

    Attributes
    ----------
    effective_ : list of float, [k]
        Effective share of each class's simulated images, 1 where they need no weights.
    """

    needs_images = True
    portion = 1_000_000  # images are only chosen, and none twice while others are left

    def __init__(self, coefficients: int = 64, pool: int = 3000) -> None:
        self.coefficients = coefficients
        self.pool = pool

    def must_suit(self, schema: ImageSchema) -> None:
        """There must be a simulator of such images."""
        if not has_simulator(schema):
            raise ParameterError(
                f"{schema.name} must have a simulator of its region, modality and labels, got none; choose gaussian"
            )

    def learn(self, seen: Seen, sums: NoisySums, rho: float | None, rng: np.random.Generator) -> None:
        """Release the moments for ``rho``; ``None`` asks for exact ones."""
        self._waves, self._prior = Frequencies(seen.schema.size), prior_of(seen.schema)
        self._low = min(self.coefficients, len(self._waves) // 2)
        self._each = max(2, self.pool // seen.class_count)
        self._pools = self._simulated([self._each] * seen.class_count, rng)
        numbers = [self._numbers(pool) for pool in self._pools]
        columns = [np.asarray(pool.columns) for pool in self._pools]
        half = self._each // 2  # axes look sharper on the images that they were found on than on others
        self._scales = [_Scale.of(n[:half], c[:half], self._low) for n, c in zip(numbers, columns, strict=True)]
        shown = [s(n[half:], c[half:]) for s, n, c in zip(self._scales, numbers, columns, strict=True)]
        self._norm = float(np.quantile(np.linalg.norm(np.concatenate(shown), axis=1), 1 - CLIPPED_SHARE))
        shown = [self._shortened(one) for one in shown]
        noise = 0.0 if rho is None else noise_of(1.0, rho)
        totals = self._released(seen, sums, rho or 1.0, shown[0].shape[1])
        self._slopes = [self._learnt(*both, noise) for both in zip(shown, totals, strict=True)]
        logits = [one @ slope for one, slope in zip(shown, self._slopes, strict=True)]
        self.effective_ = [effective_share(one) for one in logits]

    @property
    def warning_(self) -> str:
        """Says that the simulator is far from the patients; empty if it is not."""
        if min(self.effective_) >= FEW_EFFECTIVE:
            return ""
        return (
            "the simulator must be like the patients, got an effective share of "
            f"{min(self.effective_):.2f} of its images; choose gaussian"
        )

    def draw(self, classes: np.ndarray, columns: Floats, rng: np.random.Generator) -> Drawn:
        """Simulated images by their weights and by how like their columns are."""
        counts = np.bincount(classes, minlength=len(self._pools))
        more = self._simulated([max(0, 2 * int(count) - self._each) for count in counts], rng)
        pixels = np.empty((len(classes), *self._waves.size), np.float32)
        masks = None if self._pools[0].masks is None else np.zeros(pixels.shape, np.uint8)
        for level in (int(found) for found in np.flatnonzero(counts)):
            rows, pool = np.flatnonzero(classes == level), _joined(self._pools[level], more[level])
            places = self._chosen(level, pool, columns[rows], rng)
            pixels[rows] = pool.pixels[places]
            if masks is not None and pool.masks is not None:
                masks[rows] = pool.masks[places]
        return Drawn(pixels, masks)

    def _chosen(self, level: int, pool: Drawn, columns: Floats, rng: np.random.Generator) -> np.ndarray:
        """A place in the pool for each row, no place twice."""
        scale, own = self._scales[level], np.asarray(pool.columns)
        logits = self._shortened(scale(self._numbers(pool), own)) @ self._slopes[level]
        wanted, like = scale.columns(columns), scale.columns(own)
        found = np.empty(len(columns), np.int64)
        for row in rng.permutation(len(columns)):
            apart = ((like - wanted[row]) ** 2).sum(axis=1)
            found[row] = (logits - apart / (2 * BANDWIDTH**2) + rng.gumbel(size=len(logits))).argmax()
            logits[found[row]] = -np.inf
        return found

    def _simulated(self, counts: list[int], rng: np.random.Generator) -> list[Drawn]:
        made = self._prior(np.repeat(np.arange(len(counts)), counts), rng)
        ends = np.cumsum(counts)
        return [
            Drawn(made.pixels[part], None if made.masks is None else made.masks[part], np.asarray(made.columns)[part])
            for part in (slice(end - count, end) for end, count in zip(ends, counts, strict=True))
        ]

    def _numbers(self, images: Drawn) -> Floats:
        """Coefficients, and the shape of the lesion where the codebook has masks."""
        low = self._waves.forward(images.pixels, self._low)
        if images.masks is None:
            return low
        return np.concatenate([low, lesions.described(images.pixels, images.masks)], axis=1)

    def _shortened(self, found: Floats) -> Floats:
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return found * np.minimum(1, self._norm / np.maximum(lengths, 1e-300))

    def _released(self, seen: Seen, sums: NoisySums, rho: float, width: int) -> Floats:
        """Noisy counts and sums of the statistics of each class."""
        parts = np.array([math.sqrt(COUNT_PART), *[math.sqrt(1 - COUNT_PART) / self._norm] * width])

        def vectors(places: np.ndarray) -> Floats:
            masks = None if seen.masks is None or not seen.schema.mask else seen.masks[places]
            numbers, classes = self._numbers(Drawn(seen.pixels[places], masks)), seen.classes[places]
            found = np.ones((len(places), 1 + width))
            for level, scale in enumerate(self._scales):
                own = classes == level
                found[own, 1:] = self._shortened(scale(numbers[own], seen.columns[places][own]))
            return found * parts

        totals = sums(
            vectors, 1 + width, norm=1.0, rho=rho, purpose="moments of each class", cells=seen.classes,
            cell_count=seen.class_count,
        )  # fmt: skip
        return totals / parts

    def _learnt(self, shown: Floats, total: Floats, noise: float) -> Floats:
        """Slopes of a class; none where noise hides how many patients it has."""
        count = total[0]
        if count <= max(TOO_FEW * noise / math.sqrt(COUNT_PART), 1.0):
            return np.zeros(shown.shape[1])
        hidden = noise * self._norm / math.sqrt(1 - COUNT_PART) / count
        varied = shown.var(axis=0)
        unsure = np.where(varied > 0, hidden**2 + varied * (1 / count + 1 / len(shown)), 0.0)
        change = np.where(varied > 0, total[1:] / count - shown.mean(axis=0), 0.0)
        return slopes(shown, shrunk(change, unsure, self._scales[0].blocks), unsure)


@dataclass(frozen=True)
class _Scale:
    """From numbers and columns to statistics of mean 0 and variance 1 in the simulator's images of one class.

    Parameters
    ----------
    mean, turn : numpy.ndarray of float, [d] and [d, a]
        ``(numbers - mean) @ turn`` are the principal axes of coefficients, and lesions; 0 where images do not differ.
    centre, spread : numpy.ndarray of float, [q]
        Of the columns; the spread is infinite where the simulator has no such column.
    """

    mean: Floats
    turn: Floats
    centre: Floats
    spread: Floats

    @classmethod
    def of(cls, numbers: Floats, columns: Floats, low: int) -> "_Scale":
        """From simulated images; the first ``low`` numbers are coefficients, the others describe lesions."""
        sizes = np.where((spreads := numbers.std(axis=0)) > SAME, spreads, np.inf)
        values, axes = np.linalg.eigh(np.cov((numbers[:, :low] - numbers[:, :low].mean(axis=0)).T / sizes[:low, None]))
        most = min(AXES, low)
        turn = np.zeros((len(sizes), most + len(sizes) - low))
        turn[:low, :most] = axes[:, -most:] / np.sqrt(np.maximum(values[-most:], SAME)) / sizes[:low, None]
        turn[low:, most:] = np.diag(1 / sizes[low:])
        spread = np.nan_to_num(columns.std(axis=0), nan=0.0)
        return cls(
            numbers.mean(axis=0), turn, np.nan_to_num(columns.mean(axis=0)), np.where(spread > 0, spread, np.inf)
        )

    @property
    def blocks(self) -> list[int]:
        """Lengths of the numbers, their squares and their products with the columns."""
        axes = self.turn.shape[1]
        return [axes, axes, axes * len(self.centre)]

    def columns(self, values: Floats) -> Floats:
        """Columns in the simulator's spread; 0 where it has none."""
        return np.clip((np.nan_to_num(values) - self.centre) / self.spread, -FARTHEST, FARTHEST)

    def __call__(self, numbers: Floats, columns: Floats) -> Floats:
        """Statistics [n, sum(blocks)]."""
        turned = np.clip((numbers - self.mean) @ self.turn, -FARTHEST, FARTHEST)
        crossed = turned[:, :, None] * self.columns(columns)[:, None, :]
        return np.concatenate([turned, (turned**2 - 1) / math.sqrt(2), crossed.reshape(len(numbers), -1)], axis=1)


def _joined(pool: Drawn, more: Drawn) -> Drawn:
    masks = None if pool.masks is None or more.masks is None else np.concatenate([pool.masks, more.masks])
    columns = np.concatenate([np.asarray(pool.columns), np.asarray(more.columns)])
    return Drawn(np.concatenate([pool.pixels, more.pixels]), masks, columns)
