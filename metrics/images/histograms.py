"""Histograms of readable features of images, real beside synthetic, over public bins.

Belongs here: counting. Does not belong here: features (``radiomics``) or drawing (``plots``). Bins span what a feature can
be, never what the data show, and real counts are rounded to multiples of 5.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from metrics.images.radiomics import BINS, NAMES

RANGES: Mapping[str, tuple[float, float]] = {
    "mean": (0, 1), "standard deviation": (0, 0.5), "90th percentile": (0, 1), "entropy": (0, float(np.log2(BINS))),
    "homogeneity": (0, 1), "correlation": (-1, 1),
}  # fmt: skip
BARS, ROUNDED_TO = 24, 5


def histograms(real: np.ndarray, synthetic: np.ndarray) -> list[dict[str, Any]]:
    """Shares of real and synthetic images in each bin of six features.

    Parameters
    ----------
    real, synthetic : numpy.ndarray, shape (images, 19)
        As ``radiomics.radiomic_features`` gives them.

    Returns
    -------
    list of dict
        ``feature``, ``low``, ``high``, and ``real`` and ``synthetic`` of 24 shares each.
    """
    found = []
    for name, (low, high) in RANGES.items():
        at = NAMES.index(name)
        counts = [
            np.histogram(np.clip(table[:, at], low, high), BARS, (low, high))[0].astype(float)
            for table in (real, synthetic)
        ]
        rounded = ROUNDED_TO * np.round(counts[0] / ROUNDED_TO)
        shares = [each / max(each.sum(), 1) for each in (rounded, counts[1])]
        found.append({"feature": name, "low": low, "high": high, "real": shares[0], "synthetic": shares[1]})
    return found
