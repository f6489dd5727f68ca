"""Are synthetic images nearer to training patients than to as many others? The nearest-neighbour check of memorisation.

Belongs here: shares and medians of nearest distances in pixel and feature space. Does not belong here: copies
(``copies``) and attacks on patients (``membership``).

As many training as holdout patients are drawn, so that without memorisation half of the synthetic images are nearer to
either. The interval is over synthetic images that share their neighbours: a little too narrow, for information.

References
----------
Meehan, Chaudhuri and Dasgupta, 2020, AISTATS (data copying). Yao et al., 2025, ESORICS (distances never certify).
"""

from typing import Any

import numpy as np

from metrics.discrimination import clopper_pearson
from metrics.images.features import Extractor
from metrics.images.membership import FEWEST_PATIENTS, spaces
from metrics.images.nearest import nearest
from metrics.plain import plain
from records.images import ImageSchema, ImageTable

MOST_IMAGES, MOST_PATIENTS = 2000, 1000


def memorisation(
    train: ImageTable, holdout: ImageTable, synthetic: ImageTable, schema: ImageSchema, extractor: Extractor, *,
    rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    """Shares of synthetic images nearer to train than to holdout, by space.

    Returns
    -------
    dict
        ``reason``, ``patients`` (on each side) and ``spaces``: a list of ``space``, ``nearer_to_train`` with ``lower`` and
        ``upper`` (0.5 without memorisation), and the median distances ``synthetic_to_train``, ``synthetic_to_holdout`` and
        ``holdout_to_train``.
    """
    size = min(len(train.patients), len(holdout.patients), MOST_PATIENTS)
    if size < FEWEST_PATIENTS or not len(synthetic):
        few = f"{size} patients are too few for nearest neighbours, at least {FEWEST_PATIENTS} are needed"
        return {"reason": few if len(synthetic) else "there is no synthetic image", "patients": size, "spaces": []}
    known, fresh = (table.of_patients(set(rng.permutation(table.patients)[:size])) for table in (train, holdout))
    made = synthetic.select(rng.permutation(len(synthetic))[:MOST_IMAGES])
    found = []
    for space, vectors in spaces(schema, extractor).items():
        points = [vectors(table) for table in (made, known, fresh)]
        to_train, to_holdout = nearest(points[0], points[1]), nearest(points[0], points[2])
        share = clopper_pearson(int((to_train < to_holdout).sum()), len(made))
        found.append(
            {"space": space, "nearer_to_train": share.value, "lower": share.lower, "upper": share.upper,
             "synthetic_to_train": float(np.median(to_train)), "synthetic_to_holdout": float(np.median(to_holdout)),
             "holdout_to_train": float(np.median(nearest(points[2], points[1])))}
        )  # fmt: skip
    return plain({"reason": None, "patients": size, "spaces": found})
