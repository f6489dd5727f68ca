"""The main label of an image table as numbers, and the AUC of scores for it with intervals over patients.

Belongs here: labels, classes and rank statistics for two or more classes. Does not belong here: where scores come from
(``classifiers``, ``membership``).

With more than two classes the AUC is the mean over classes of each class against the rest, of the classes that the test
images hold. Slices of one patient are no independent witnesses: resamples draw patients, with all their slices.

References
----------
Hand and Till, 2001, Machine Learning 45:171 (several classes). Obuchowski, 1997, Biometrics 53:567 (clusters).
"""

import numpy as np
from numpy.typing import NDArray

from metrics.discrimination import resampling_weights, weighted_aucs
from records.images import ImageSchema, ImageTable

UNKNOWN = -1
Codes = NDArray[np.int64]


def label_codes(table: ImageTable, schema: ImageSchema) -> Codes:
    """Level of the main label of each image, in the codebook's order; -1 where it is not known. Shape [n]."""
    place = {level: at for at, level in enumerate(schema.label.levels)}
    return np.array([place.get(level, UNKNOWN) for level in table.rows[schema.label.name].to_list()], dtype=np.int64)


def with_known_label(table: ImageTable, schema: ImageSchema) -> ImageTable:
    """The images whose main label is known."""
    return table.select(label_codes(table, schema) != UNKNOWN)


def patient_weights(groups: NDArray[np.int64], bootstraps: int, rng: np.random.Generator) -> np.ndarray:
    """How often each image counts in each resample of patients, shape (bootstraps, images)."""
    _, place = np.unique(groups, return_inverse=True)
    return resampling_weights(int(place.max()) + 1, bootstraps, rng)[:, place]


def class_aucs(scores: np.ndarray, codes: Codes, weights: np.ndarray) -> np.ndarray:
    """Mean AUC over classes, each against the rest, for each row of weights.

    Parameters
    ----------
    scores : numpy.ndarray, shape (images, classes)
    codes : numpy.ndarray of int, shape (images,)
    weights : numpy.ndarray, shape (resamples, images)

    Returns
    -------
    numpy.ndarray of float, shape (resamples,)
        NaN where a resample lacks one of the classes that ``codes`` holds, or ``codes`` holds one only.
    """
    present = np.unique(codes)
    if len(present) < 2:
        return np.full(len(weights), np.nan)
    # Two classes have one AUC, seen from either side.
    classes = present[1:] if len(present) == 2 else present
    return np.mean([weighted_aucs(scores[:, level], codes == level, weights) for level in classes], axis=0)
