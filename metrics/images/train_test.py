"""Train on one set of images, test on real patients: what synthetic images are worth for building a classifier.

Belongs here: training every side with several seeds and the AUC of each on the same test images. Does not belong here:
the classifiers (``classifiers``), segmentation (``segmentation``) or limits (``gate``).

Sides are named by their source: ``real`` (TRTR), ``synthetic`` (TSTR), and baselines such as a simulator that saw no
patient. The headline is the convolutional network, named beforehand; the logistic regression stands beside it. Intervals
take both lucks: which patients were tested (resamples draw patients with all slices) and which seed the training had
(resamples draw seeds).

References
----------
Esteban, Hyland and Raetsch, 2017, arXiv:1706.02633 (TSTR).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metrics.discrimination import Interval, percentile_interval
from metrics.images.classifiers import CLASSIFIERS, Classifier
from metrics.images.intensities import unit_pixels
from metrics.images.labels import class_aucs, label_codes, patient_weights, with_known_label
from metrics.plain import plain
from records.images import ImageSchema, ImageTable

HEADLINE, REAL = "convolutional", "real"
BOOTSTRAPS = 200
Source = ImageTable | Sequence[ImageTable]
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Side:
    """One classifier trained on one source; ``None`` or NaN where it could not be trained or tested.

    Parameters
    ----------
    auc : Interval
        Mean over seeds, with its 95 % interval over patients and seeds; 0.5 is guessing.
    by_seed : tuple of float
        AUC of each training seed.
    loss : Interval
        AUC of the same classifier trained on ``real`` less this one, on the same resamples.
    images, patients : int
        What it was trained on.
    """

    reason: str | None
    auc: Interval
    by_seed: tuple[float, ...]
    loss: Interval
    images: int
    patients: int


@dataclass(frozen=True)
class TrainTestReport:
    """Aggregates only.

    Parameters
    ----------
    sides : mapping
        Classifier to source to ``Side``.
    test_images, test_patients : int
    label : str
        What is predicted, in the codebook's words.
    """

    label: str
    classes: Sequence[str]
    sides: Mapping[str, Mapping[str, Side]]
    test_images: int
    test_patients: int
    seeds: Sequence[int]
    headline: str = HEADLINE

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def train_test(
    sources: Mapping[str, Source], test: ImageTable, schema: ImageSchema, *, seeds: Sequence[int] = SEEDS,
    models: Sequence[str] = tuple(CLASSIFIERS),
) -> TrainTestReport:  # fmt: skip
    """Train every classifier on every source and test it on the same images.

    Parameters
    ----------
    sources : mapping of str to ImageTable, or to one for each seed
        By name; losses are against ``real`` where it is among them. Images without a known label are left out.
    test : ImageTable
        Patients whom neither the classifiers nor any synthesizer saw.
    seeds : sequence of int
        Of training; at least one.
    models : sequence of str
        Names in ``classifiers.CLASSIFIERS``.
    """
    known = with_known_label(test, schema)
    drawn = _resamples(known, seeds)
    found = {
        name: {source: _trained(CLASSIFIERS[name], table, known, schema, seeds) for source, table in sources.items()}
        for name in models
    }
    return TrainTestReport(
        schema.label.label,
        [str(label) for label in schema.label.levels.values()],
        {name: _sides(scores, sources, known, schema, drawn) for name, scores in found.items()},
        len(known),
        len(known.patients),
        list(seeds),
    )


def _resamples(test: ImageTable, seeds: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the test images and of the seeds in each resample, equal for all sides."""
    rng = np.random.default_rng(seeds[0])
    if not len(test):
        return np.zeros((BOOTSTRAPS, 0)), np.zeros((BOOTSTRAPS, len(seeds)))
    weights = patient_weights(test.groups(), BOOTSTRAPS, rng)
    return weights, rng.multinomial(len(seeds), [1 / len(seeds)] * len(seeds), size=BOOTSTRAPS) / len(seeds)


def _trained(
    model: Classifier, source: Source, test: ImageTable, schema: ImageSchema, seeds: Sequence[int]
) -> list[np.ndarray] | str:
    """Scores of the test images for each seed, or why there are none."""
    tables = [with_known_label(table, schema) for table in _by_seed(source, seeds)]
    few = [table for table in tables if len(np.unique(label_codes(table, schema))) < 2]
    if few or len(np.unique(label_codes(test, schema))) < 2:
        return f"the {'training' if few else 'test'} images hold fewer than two classes"
    shown, classes = unit_pixels(test, schema), len(schema.label.levels)
    return [
        model(unit_pixels(table, schema), label_codes(table, schema), shown, classes, seed)
        for table, seed in zip(tables, seeds, strict=True)
    ]


def _by_seed(source: Source, seeds: Sequence[int]) -> Sequence[ImageTable]:
    return [source] * len(seeds) if isinstance(source, ImageTable) else source


def _sides(
    scores: Mapping[str, list[np.ndarray] | str], sources: Mapping[str, Source], test: ImageTable,
    schema: ImageSchema, drawn: tuple[np.ndarray, np.ndarray],
) -> dict[str, Side]:  # fmt: skip
    weights, chances = drawn
    codes = label_codes(test, schema)
    areas = {
        name: np.array([class_aucs(score, codes, np.vstack([np.ones(len(codes)), weights])) for score in found])
        for name, found in scores.items()
        if not isinstance(found, str)
    }
    sides = {}
    for name, found in scores.items():
        own, real = areas.get(name), areas.get(REAL)
        trained_on = _by_seed(sources[name], (0,))[0]
        lost = None if own is None or real is None else real - own
        sides[name] = Side(
            found if isinstance(found, str) else None,
            _over_seeds(own, chances),
            () if own is None else tuple(own[:, 0].tolist()),
            _over_seeds(lost, chances),
            len(trained_on),
            len(trained_on.patients),
        )
    return sides


def _over_seeds(areas: np.ndarray | None, chances: np.ndarray) -> Interval:
    """Mean over seeds of all images (first column), and its interval over resamples of patients and seeds."""
    if areas is None:
        return Interval(float("nan"), float("nan"), float("nan"))
    return percentile_interval(float(areas[:, 0].mean()), np.einsum("rs,sr->r", chances, areas[:, 1:]))
