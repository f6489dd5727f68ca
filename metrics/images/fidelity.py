"""Do synthetic images look like real ones? Every distance beside real images (floor) and independent pixels (ceiling).

Belongs here: drawing equal sets, putting them into feature space and the report. Does not belong here: the distances
(``frechet``, ``coverage``, ``diversity``), utility (``train_test``) or privacy. Distances rank methods otherwise than
utility does: no verdict rests on them alone.

All sets are of one size and hold one random image of each patient, since distances depend on the size and slices of a
patient are alike. Features are standardised by the training images.
References: ``holdout``, other real patients; ``independent``, whose pixels are each drawn from another training image
(right intensities everywhere, no picture); and the caller's baselines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metrics.discrimination import Interval
from metrics.images.coverage import NEIGHBOURS, coverage, expected_coverage
from metrics.images.diversity import mean_similarity
from metrics.images.features import Extractor
from metrics.images.frechet import frechet_distance, kernel_interval
from metrics.images.histograms import histograms
from metrics.images.intensities import Pixels, unit_pixels
from metrics.images.radiomics import radiomic_features, radiomics
from metrics.plain import plain
from records.images import ImageSchema, ImageTable

MOST_IMAGES, FEWEST_IMAGES = 1000, 20
LEAST_SPREAD = 0.1  # of a feature, in the features' median


@dataclass(frozen=True)
class Distances:
    """Distances of one set of images from training images under one extractor.

    Parameters
    ----------
    extractor : str
        Its id; figures of other extractors cannot be compared with these.
    frechet : float
        Frechet distance, 0 and more.
    frechet_share : float or None
        Where it lies between the holdout (0) and independent pixels (1); may exceed both.
    kernel : Interval
        KID: mean and middle 95 % of random subsets.
    """

    extractor: str
    frechet: float
    frechet_share: float
    kernel: Interval
    precision: float
    recall: float
    density: float
    coverage: float


@dataclass(frozen=True)
class FidelityReport:
    """Aggregates only; ``None`` where ``reason`` says why.

    Parameters
    ----------
    images : int
        Images in each set, one of each patient.
    features, radiomics : mapping
        Set (``synthetic``, ``holdout``, ``independent``, baselines) to its ``Distances``.
    similarity : mapping
        Set, and ``train``, to the mean MS-SSIM of pairs of its images: higher than the holdout's is less diverse.
    expected_coverage : float
        Coverage of two samples of one distribution.
    histograms : list of dict
        Of readable features, real beside synthetic, see ``histograms``.
    """

    reason: str | None
    images: int = 0
    features: Mapping[str, Distances] | None = None
    radiomics: Mapping[str, Distances] | None = None
    similarity: Mapping[str, Interval] | None = None
    expected_coverage: float | None = None
    histograms: Sequence[Mapping[str, Any]] = ()

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def image_fidelity(
    train: ImageTable, holdout: ImageTable, synthetic: ImageTable, schema: ImageSchema, extractor: Extractor, *,
    rng: np.random.Generator, baselines: Mapping[str, ImageTable] | None = None,
) -> FidelityReport:  # fmt: skip
    """Distances of synthetic images, and of references, from training images.

    Parameters
    ----------
    extractor : Extractor
        Of ``features``; radiomics are always measured beside.
    baselines : mapping of str to ImageTable
        Further sets; one with fewer patients than the others is left out.
    rng : numpy.random.Generator
        Draws the images, pixels, subsets and pairs.
    """
    tables = {"synthetic": synthetic, "holdout": holdout}
    size = min(MOST_IMAGES, *(len(table.patients) for table in (train, *tables.values())))
    if size < FEWEST_IMAGES:
        few = f"{size} patients in the smallest set are too few for distances, at least {FEWEST_IMAGES} are needed"
        return FidelityReport(few)
    tables |= {name: table for name, table in (baselines or {}).items() if len(table.patients) >= size}
    known = unit_pixels(one_per_patient(train, size, rng), schema)
    sets = {name: unit_pixels(one_per_patient(table, size, rng), schema) for name, table in tables.items()}
    sets["independent"] = independent_pixels(known, rng)
    alone = np.arange(size)
    return FidelityReport(
        None,
        size,
        features=_distances(known, sets, extractor, rng),
        radiomics=_distances(known, sets, radiomics(), rng),
        similarity={name: mean_similarity(pixels, alone, rng) for name, pixels in {"train": known, **sets}.items()},
        expected_coverage=expected_coverage(size, size),
        histograms=histograms(radiomic_features(known), radiomic_features(sets["synthetic"])),
    )


def one_per_patient(table: ImageTable, patients: int, rng: np.random.Generator) -> ImageTable:
    """One random image of each of so many random patients."""
    order = rng.permutation(len(table))
    _, first = np.unique(table.groups()[order], return_index=True)
    return table.select(rng.permutation(order[first])[:patients])


def independent_pixels(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Images each of whose pixels comes from another image, shape [n, h, w]."""
    return rng.permuted(pixels.reshape(len(pixels), -1), axis=0).reshape(pixels.shape)


def _distances(
    train: Pixels, sets: Mapping[str, Pixels], extractor: Extractor, rng: np.random.Generator
) -> dict[str, Distances]:
    real = extractor(train)
    mean, deviation = real.mean(axis=0), real.std(axis=0)
    told = deviation > 1e-9
    if told.any():  # a response that is almost never given would decide by the one image that gives it
        deviation = np.maximum(deviation, LEAST_SPREAD * np.median(deviation[told]))
    points = {name: (extractor(pixels)[:, told] - mean[told]) / deviation[told] for name, pixels in sets.items()}
    real = (real[:, told] - mean[told]) / deviation[told]
    frechet = {name: frechet_distance(real, others) for name, others in points.items()}
    floor, ceiling = frechet["holdout"], frechet["independent"]
    span = ceiling - floor if ceiling > floor else float("nan")
    return {
        name: Distances(
            extractor.id, frechet[name], (frechet[name] - floor) / span, kernel_interval(real, others, rng),
            **vars(coverage(real, others, NEIGHBOURS)),
        )
        for name, others in points.items()
    }  # fmt: skip
